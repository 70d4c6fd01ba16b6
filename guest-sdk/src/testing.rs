//! Runs a migration's code natively, against a real SQLite, in `cargo test`. No Wasm is involved.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use whimbrel::Interrupt;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::db::{Backend, OpenOptions};
use whimbrel::grants::Restriction;
use whimbrel_packed::Cell;

use crate::backend::{self, native};
use crate::context::Context;
use crate::error::{Error, Result, SqlError};
use crate::export::{self, Migration, Reversible, Verified};
use crate::log::Level;
use crate::transaction::Transaction;
pub use crate::transform::testing::Transforming;

/// A SQLite database in memory to run migrations on.
pub struct Database {
    session: native::Shared,
    context: Context,
    log: Vec<(Level, String)>,
}

impl Database {
    /// Opens an empty database.
    ///
    /// # Panics
    /// When SQLite cannot open one.
    pub fn new() -> Self {
        let options = OpenOptions { lock_timeout: Duration::ZERO, interrupt: Interrupt::new(), record: false };
        let session = Sqlite::file("").open_scratch(&options).expect("SQLite opens a database in memory");
        let context = Context {
            chain: "test".to_owned(),
            version: "1".to_owned(),
            name: "test".to_owned(),
            started_at: 1_700_000_000_000,
            seed: 1,
            ..Context::default()
        };
        Self { session: Rc::new(RefCell::new(session)), context, log: Vec::new() }
    }

    /// Gives what the manifest would give under `[params]`.
    #[must_use]
    pub fn param(mut self, name: &str, value: &str) -> Self {
        self.context.params.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs every statement of a script.
    pub fn execute_script(&mut self, script: &str) -> Result<()> {
        self.session.borrow_mut().execute_script(script).map_err(|failed| SqlError::from(failed.error).into())
    }

    /// Runs a query and returns all its rows. Values compare with plain Rust values.
    pub fn query(&mut self, sql: &str) -> Result<Vec<Vec<Value>>> {
        let tx = Transaction::new(backend::Transaction(Rc::clone(&self.session)));
        let rows = tx.query(sql, &[])?;
        rows.into_iter().map(|row| Ok(row?.cells().map(Value::from).collect())).collect()
    }

    /// Runs a query and returns a line for each row: its values with `|` between them.
    ///
    /// ```
    /// use whimbrel_guest::testing::Database;
    ///
    /// let mut db = Database::new();
    /// assert_eq!(db.lines("SELECT 1, 'Ada', NULL, 1.5, x'00ff'")?, ["1|Ada|NULL|1.5|x'00ff'"]);
    /// # Ok::<(), whimbrel_guest::Error>(())
    /// ```
    pub fn lines(&mut self, sql: &str) -> Result<Vec<String>> {
        let line = |row: Vec<Value>| row.iter().map(ToString::to_string).collect::<Vec<_>>().join("|");
        Ok(self.query(sql)?.into_iter().map(line).collect())
    }

    /// Runs a migration upwards, in a transaction that an error rolls back.
    pub fn up<M: Migration>(&mut self) -> Result<()> {
        self.run(M::up)
    }

    /// Runs a migration downwards, in a transaction that an error rolls back.
    pub fn down<M: Reversible>(&mut self) -> Result<()> {
        self.run(M::down)
    }

    /// Asks a migration, or a transform, whether it did what it should. As in the host it can only read.
    ///
    /// ```
    /// use whimbrel_guest::testing::Database;
    /// use whimbrel_guest::{Context, Result, Transaction, Verified, ensure, params};
    ///
    /// struct Named;
    ///
    /// impl Verified for Named {
    ///     fn verify(tx: &Transaction, _ctx: &Context) -> Result<()> {
    ///         let left: i64 = tx.query_value("SELECT count(*) FROM person WHERE name IS NULL", params![])?;
    ///         ensure!(left == 0, "{left} people have no name");
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let mut db = Database::new();
    /// db.execute_script("CREATE TABLE person (name); INSERT INTO person VALUES ('Ada')")?;
    /// db.verify::<Named>()?;
    /// db.execute_script("INSERT INTO person VALUES (NULL)")?;
    /// assert_eq!(db.verify::<Named>().unwrap_err().to_string(), "1 people have no name");
    /// # Ok::<(), whimbrel_guest::Error>(())
    /// ```
    pub fn verify<V: Verified>(&mut self) -> Result<()> {
        let session = Rc::clone(&self.session);
        // Only what the migration asks is held to it, not the transaction around that.
        self.run_with(|tx, context| {
            let reading = Restriction { read_only: true, ..Restriction::default() };
            session.borrow_mut().restrict(Some(Arc::new(reading)));
            let verified = V::verify(tx, context);
            session.borrow_mut().restrict(None);
            verified
        })
    }

    /// Runs any code with a transaction that is committed when it returns `Ok`.
    pub fn run(&mut self, work: fn(&Transaction, &Context) -> Result<()>) -> Result<()> {
        self.run_with(work)
    }

    /// Runs a closure with a transaction that is committed when it returns `Ok`.
    pub(crate) fn run_with(&mut self, work: impl FnOnce(&Transaction, &Context) -> Result<()>) -> Result<()> {
        self.session.borrow_mut().begin().map_err(SqlError::from)?;
        native::take_log();
        let tx = Transaction::new(backend::Transaction(Rc::clone(&self.session)));
        let result = export::run(work, &tx, &self.context);
        self.log = native::take_log();
        let mut session = self.session.borrow_mut();
        let ended = if result.is_ok() { session.commit() } else { session.rollback() };
        result.and(ended.map_err(|error| Error::from(SqlError::from(error))))
    }

    pub(crate) fn set_functions(
        &mut self,
        functions: &[whimbrel::db::Function],
    ) -> std::result::Result<(), whimbrel::db::DbError> {
        self.session.borrow_mut().set_functions(functions)
    }

    /// Returns what the last run logged.
    pub fn log(&self) -> &[(Level, String)] {
        &self.log
    }
}

impl Default for Database {
    fn default() -> Self {
        Self::new()
    }
}

/// A value that a query gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// An integer.
    Integer(i64),
    /// A float.
    Real(f64),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl From<Cell<'_>> for Value {
    fn from(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Boolean(value) => Self::Integer(i64::from(value)),
            Cell::Integer(value) => Self::Integer(value),
            Cell::Real(value) => Self::Real(value),
            Cell::Text(value) => Self::Text(value.to_owned()),
            Cell::Blob(value) => Self::Blob(value.to_owned()),
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Integer(value) => value.fmt(f),
            Self::Real(value) => write!(f, "{value:?}"),
            Self::Text(value) => f.write_str(value),
            Self::Blob(value) => {
                f.write_str("x'")?;
                value.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str("'")
            }
        }
    }
}

impl PartialEq<&str> for Value {
    fn eq(&self, other: &&str) -> bool {
        matches!(self, Self::Text(value) if value == other)
    }
}

impl PartialEq<i64> for Value {
    fn eq(&self, other: &i64) -> bool {
        matches!(self, Self::Integer(value) if value == other)
    }
}

impl PartialEq<f64> for Value {
    fn eq(&self, other: &f64) -> bool {
        matches!(self, Self::Real(value) if value == other)
    }
}

impl<T> PartialEq<Option<T>> for Value
where
    Self: PartialEq<T>,
{
    fn eq(&self, other: &Option<T>) -> bool {
        match other {
            Some(other) => self == other,
            None => matches!(self, Self::Null),
        }
    }
}
