//! Write database migrations in Rust that run as sandboxed WebAssembly components in whimbrel.
//!
//! ```
//! use whimbrel_guest::{Context, Migration, Result, Transaction, params};
//!
//! struct SplitNames;
//!
//! impl Migration for SplitNames {
//!     fn up(tx: &Transaction, _ctx: &Context) -> Result<()> {
//!         let update = tx.prepare("UPDATE customer SET first_name = ?, last_name = ? WHERE id = ?")?;
//!         let mut writer = update.writer();
//!         for row in tx.query("SELECT id, full_name FROM customer ORDER BY id", params![])? {
//!             let row = row?;
//!             let name: &str = row.get("full_name")?;
//!             let (first, last) = name.rsplit_once(' ').unwrap_or(("", name));
//!             writer.row(params![first, last, row.get::<i64>("id")?])?;
//!         }
//!         writer.finish()?;
//!         Ok(())
//!     }
//! }
//!
//! whimbrel_guest::export!(SplitNames);
//! # fn main() {}
//! ```
//!
//! The crate that holds this has `crate-type = ["cdylib", "rlib"]`; the first becomes the component, the second is
//! what its tests use. With the feature `testing` the same code runs natively, against a real SQLite:
//!
#![cfg_attr(feature = "testing", doc = "```")]
#![cfg_attr(not(feature = "testing"), doc = "```ignore")]
//! # use whimbrel_guest::{Context, Migration, Result, Transaction, params};
//! # struct SplitNames;
//! # impl Migration for SplitNames {
//! #     fn up(tx: &Transaction, _ctx: &Context) -> Result<()> {
//! #         tx.execute("UPDATE customer SET first_name = 'Ada', last_name = 'Lovelace'", params![]).map(drop)
//! #     }
//! # }
//! use whimbrel_guest::testing::Database;
//!
//! let mut db = Database::new();
//! db.execute_script("CREATE TABLE customer (id INTEGER PRIMARY KEY, full_name, first_name, last_name)")?;
//! db.execute_script("INSERT INTO customer (full_name) VALUES ('Ada Lovelace')")?;
//! db.up::<SplitNames>()?;
//! assert_eq!(db.query("SELECT first_name, last_name FROM customer")?, [["Ada", "Lovelace"]]);
//! # Ok::<(), whimbrel_guest::Error>(())
//! ```
//!
//! A migration can also say itself whether it did what it should: [`Verified`].
//!
//! # What is fast
//! Queries always fetch about a thousand rows at once, and a [`Row`] shows them without copying. [`Statement::writer`]
//! sends rows back in the same way. [`Statement::execute`] crosses the boundary once a row, which costs about twice as
//! much. [`Rows::next_batch`] and [`Statement::execute_batch`] give the columns themselves to those who want them.
//!
//! Small pieces of memory come from an allocator of this crate. Who has one of their own leaves out the feature `allocator`.
//!
//! # What there is not
//! No files, network, clock, environment or randomness: see [`Context`] for the two recorded stand-ins. A migration
//! cannot commit or roll back; it returns `Ok` or an error.

#[cfg(all(target_family = "wasm", not(target_feature = "atomics"), feature = "allocator"))]
mod allocator;
mod backend;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod bindings;
mod cell;
mod context;
mod error;
mod export;
mod function;
pub mod log;
mod row;
mod statement;
#[cfg(all(not(target_family = "wasm"), feature = "testing"))]
pub mod testing;
mod transaction;
mod transform;
mod typed;

pub use cell::{FromCell, ToCell};
pub use context::Context;
pub use error::{ColumnError, Error, Result, SqlError};
pub use export::{Migration, Reversible, Verified};
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub use function::wasm::{call_function, call_short, describe_functions, long_answer};
pub use function::{Answer, Function, FunctionParameter, IntoAnswer};
#[doc(hidden)]
pub use function::{Taken, take};
pub use log::progress;
pub use row::{ColumnIndex, Row, RowIter, Rows};
pub use statement::{Statement, Writer};
pub use transaction::{Savepoint, Transaction};
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub use transform::wasm::{transform_batch, transform_rows};
pub use transform::{BatchTransform, Columns, Failure, ReversibleTransform, Reverted, RowIn, RowOut, Transform};
#[doc(hidden)]
pub use typed::column;
pub use typed::{Cells, FromRow, ToRow};
pub use whimbrel_packed::{BatchBuilder, Cell, CheckedBatch, CheckedColumn, Kind};
