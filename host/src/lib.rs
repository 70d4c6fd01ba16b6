//! A migration host: SQL migrations and sandboxed WebAssembly migrations in one versioned chain.
//!
//! ```text
//!  folder, archive, embedded files, code
//!    |  source::Source::load           bytes -> migrations; every problem of every file together
//!    v
//!  Loaded            its migrations, and what is ignored
//!    |  model::Chain, model::Chains     uniqueness; dependencies and order, also of several chains
//!    v
//!  Chains --------------+
//!  history table        |
//!    |  History::read   |              creates nothing
//!    v                  v
//!  Vec<Applied> --> plan::build        pure: no database, no files, no clock
//!                       v
//!                     Plan             what `plan` and `--json` print
//!                       |  exec::prepare   compiles every component
//!                       v
//!                     Prepared         last point where nothing has changed
//!                       |  exec::run       each step: BEGIN, work, history row, COMMIT
//!                       v
//!                     Report, or RunError with what was done before
//! ```
//!
//! [`Migrator`] puts these together:
//!
//! ```
//! use whimbrel::db::sqlite::Sqlite;
//! use whimbrel::source::Directory;
//! use whimbrel::{Migrator, Until};
//!
//! # let folder = tempfile::tempdir()?;
//! # std::fs::create_dir(folder.path().join("migrations"))?;
//! # std::fs::write(folder.path().join("migrations/0001_create_note.sql"), "CREATE TABLE note (text TEXT);")?;
//! # std::env::set_current_dir(folder.path())?;
//! let migrator = Migrator::builder()
//!     .source(Directory::new("migrations"))
//!     .database(Sqlite::file("app.db"))
//!     .build()?;
//! let report = migrator.up(Until::End)?;
//! assert_eq!(report.steps.len(), 1);
//! assert!(migrator.up(Until::End)?.steps.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A program that has a [`rusqlite::Connection`] already uses [`Migrator::on`]; one that carries its migrations
//! with it uses [`embed!`]; steps that need Rust are [`source::Code`].
//!
//! In an async program, or with a pool of connections, all of it runs on a thread that may wait:
//! `tokio::task::spawn_blocking(move || migrator.on(&mut connection, |migrator| migrator.up(Until::End)))`. A clone of a
//! migrator is cheap.
//!
//! The library never prints, reads the environment, exits or installs a logger. It returns values, tells events to an
//! [`exec::Observer`], and passes what guests log on to `tracing` under the target `whimbrel::guest`.
//!
//! # Features
//! - `cli` (default): the `whimbrel` program.
//! - `archive` (part of `cli`): migrations in archives.
//! - `http` (part of `cli`): migrations in archives on other machines.
//! - `wasm` (part of `cli`): migrations that are WebAssembly components, and scripts.
//! - `engines` (part of `cli`): the script engines that come with the program, for JavaScript and TypeScript.
//! - `engine-python` (default): the script engine for Python, which is five times as large.
//! - `testing` (part of `cli`): what tests of migrations need.
//! - `unguarded`: an engine without limits, for the benchmark only, to measure what they cost. **Nothing bounds or stops
//!   what runs in it**: leave it out of every other program.
//!
//! A program that brings its own database up to date needs no `cli` and what comes with that:
//!
//! ```toml
//! whimbrel = { version = "0.1", default-features = false }
//! ```
//!
//! It has migrations in SQL and in Rust then, and whichever of the other features it names.
//!
//! # SQLite
//! A program that depends on this crate has the SQLite of [`rusqlite`], built from its source, and not with every flag that the
//! `whimbrel` program is built with: flags come from the environment of the build, which a dependency cannot set. The same
//! scripts run the same in both where `.cargo/config.toml` of the program's own workspace has
//!
//! ```toml
//! [env]
//! LIBSQLITE3_FLAGS = "-DHAVE_FDATASYNC=__linux__ -DSQLITE_ENABLE_MATH_FUNCTIONS -DSQLITE_ENABLE_PERCENTILE"
//! ```
//!
//! - `SQLITE_ENABLE_MATH_FUNCTIONS`: `sqrt`, `ln`, `floor` and the like; a script that calls one fails without it.
//! - `SQLITE_ENABLE_PERCENTILE`: `median`, `percentile`, `percentile_cont` and `percentile_disc`; so does one of these.
//! - `HAVE_FDATASYNC`: on Linux a commit waits for less. Without it commits take longer, and are as durable.
// Seven files are excepted, with their proofs: `db/sqlite/asking.rs`, `db/sqlite/bulk/source.rs`, `db/sqlite/heap.rs`,
// `db/sqlite/planner.rs`, `db/sqlite/raw_function.rs`, `db/sqlite/raw_statement.rs` and `wasm/compile/mapped.rs`.
#![deny(unsafe_code)]
#![warn(missing_debug_implementations)]

mod code_events;
pub mod db;
#[cfg(feature = "wasm")]
pub mod engines;
mod error;
pub mod exec;
pub mod grants;
pub mod history;
mod interrupt;
pub mod limits;
pub mod lock;
mod log_level;
mod migrator;
pub mod model;
pub mod plan;
mod shown;
pub mod source;
pub mod sql;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "wasm")]
pub mod transform;
#[cfg(feature = "wasm")]
pub mod wasm;

pub use code_events::CodeEvents;
pub use error::{Error, SettingError};
/// What is asked of a [`Migrator`], and what it answers.
pub use exec::{Event, Observer, Report};
pub use interrupt::Interrupt;
pub use log_level::LogLevel;
pub use migrator::{Gap, KeptBytesOf, KeptPart, Migrator, MigratorBuilder, Rejects, Squashed, Startup, Status};
pub use model::Version;
pub use plan::{Goal, Rules, Until};
/// The crate whose connections [`Migrator::on`] takes, in the version that it takes.
pub use rusqlite;
#[doc(hidden)]
pub use shown::is_obeyed;
pub use whimbrel_macros::embed;
