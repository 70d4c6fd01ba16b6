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
//! The library never prints, exits or installs a logger. It returns values, tells events to an
//! [`exec::Observer`], and passes what guests log on to `tracing` under the target `whimbrel::guest`. Of the environment it reads
//! one thing, with the feature `wasm` and only where a component or a script is to run: where the user's cache folder is
//! (`XDG_CACHE_HOME` on Linux). `MigratorBuilder::component_cache` names another one, or none.
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
//! With `wasm` a component is compiled when it first runs on a machine, and the engine of a script likewise; what comes out is kept.
//! In a debug build the compiler is a debug build as well, and takes many times as long, most of all for the engines that come with
//! the program. What others wrote can be optimised while the program itself is not, in `Cargo.toml` of its workspace:
//!
//! ```toml
//! [profile.dev.package."*"]
//! opt-level = 2
//! ```
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
//!
//! A program has one SQLite: Cargo refuses two crates that bring one (`links = "sqlite3"`), which have to go with one version of
//! `libsqlite3-sys`. This crate goes with each of these, and Cargo finds the one that the rest of the program wants:
//!
//! | `libsqlite3-sys` | `rusqlite` | what has it, too |
//! | --- | --- | --- |
//! | 0.40 | 0.43, 0.42 | taken where nothing else wants another |
//! | 0.39 | 0.41 | async-sqlite 0.7 |
//! | 0.38 | 0.40 | diesel 2.3, r2d2_sqlite 0.35, deadpool-sqlite 0.14, tokio-rusqlite 0.8 |
//! | 0.37 | 0.39 | sqlx 0.9, SeaORM 2, refinery 0.9, r2d2_sqlite 0.34 |
//!
//! It does not go with sqlx 0.8 (`libsqlite3-sys` 0.30). `cargo tree -i libsqlite3-sys` tells who wants what. [`rusqlite`] is the
//! version that was found: a program that names `whimbrel::rusqlite` has no version of its own to keep in step. The `whimbrel`
//! program has 0.43, with which everything is tested; what differs with the older ones is told in `host/docs/security.md`.
//!
//! A program that is held to another version leaves this crate out and has its database brought up to date before it starts: by
//! the program `whimbrel` (`whimbrel up`), or by a small one of its own with this crate, in a workspace of its own, since one
//! workspace has one `Cargo.lock`. Two processes with different versions of SQLite can share a file.
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
pub use exec::{Event, Observer, Report, observer_fn};
pub use interrupt::Interrupt;
pub use log_level::LogLevel;
pub use migrator::{Gap, KeptBytesOf, KeptPart, Migrator, MigratorBuilder, Rejects, Squashed, Startup, Status};
pub use model::Version;
pub use plan::{Goal, Rules, Until};
/// The crate whose connections [`Migrator::on`] takes, in the version that it takes.
pub use rusqlite;
#[doc(hidden)]
pub use shown::is_obeyed;
pub use whimbrel_macros::embed_by;

/// Embeds the migrations of a folder: `embed!("migrations")` is a [`source::Embedded`].
///
/// The path is relative to the folder of the crate's `Cargo.toml`. Files that end in `.sql`, `.wasm`, `.toml`, `.conf`,
/// `.sum`, `.js`, `.mjs`, `.ts`, `.mts` or `.py` are put into the program byte for byte, with those in the folders of
/// the folder; other files are left out. Which folders are read is for the source to say, which can stand in a constant:
///
/// ```
/// use whimbrel::source::Embedded;
///
/// const MIGRATIONS: Embedded = whimbrel::embed!("examples/start_up/migrations").recursive(true);
/// ```
///
/// Scripts of another engine than those that come with the program have endings of their own, which then stand in the place of
/// theirs: `embed!("migrations", scripts = ["lua"])` puts them into the program, and says so to
/// [`Embedded::scripts`](source::Embedded::scripts).
///
/// Cargo compiles again when an embedded file changes, but does not notice a **new** file by itself. A `build.rs`
/// makes it look:
///
/// ```
/// println!("cargo:rerun-if-changed=migrations");
/// ```
#[macro_export]
macro_rules! embed {
    ($($given:tt)*) => {
        $crate::embed_by!(($crate) $($given)*)
    };
}
