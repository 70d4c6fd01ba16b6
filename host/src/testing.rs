//! For tests of migrations: a database at a version, round trips, rows made for tables, what to assert.
//!
//! Nothing here touches a database of the program's own: each [`TestDatabase`] is in memory and vanishes with its value.
//!
//! ```
//! use whimbrel::Migrator;
//! use whimbrel::source::Embedded;
//! use whimbrel::testing::{TestDatabase, assert_passed};
//!
//! const MIGRATIONS: Embedded = Embedded::new(
//!     "migrations",
//!     &[
//!         ("1_customer.sql", b"CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT NOT NULL);"),
//!         ("2_email.up.sql", b"ALTER TABLE customer ADD COLUMN email TEXT;"),
//!         ("2_email.down.sql", b"ALTER TABLE customer DROP COLUMN email;"),
//!     ],
//! );
//!
//! // In a test, once with each of some seeds, or with those of a property test:
//! let migrator = Migrator::builder().source(MIGRATIONS).build()?;
//! let mut database = TestDatabase::at(migrator, 1)?;
//! database.fill("customer", 100, 7)?;
//! let names = database.rows("SELECT name FROM customer ORDER BY id");
//! assert_passed(&database.round_trip()?);
//! database.up()?;
//! database.assert_rows("SELECT name FROM customer ORDER BY id", &names);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The functions that assert panic, as tests want it, with the differences in words.

mod assert;
mod database;

pub use crate::db::sqlite::{Fill, FillError, fill};
pub use assert::{assert_deterministic, assert_passed, assert_passed_but, assert_same, assert_schema_eq};
pub use database::TestDatabase;
