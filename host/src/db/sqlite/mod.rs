//! SQLite: files, and connections a program already has.

mod access;
mod asking;
mod authorizer;
mod autoincrement;
mod bulk;
mod callers;
mod catalog;
mod compare;
mod comparison;
mod copy;
mod disk;
mod error;
mod fill;
mod full_text;
mod functions;
mod guard;
mod handles;
mod heap;
mod keyless;
mod lent;
mod limits;
mod looking;
mod meter;
mod moved;
mod orphans;
mod plain;
mod planner;
mod probe;
mod question;
mod raw_function;
mod raw_statement;
mod reach;
mod remembered;
mod run;
mod run_lock;
mod session;
mod shadows;
mod statement_kind;
#[cfg(test)]
mod tests;
mod texts;
mod unread;
mod walks;
mod watch;
mod write;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::db::{Access, Backend, DbError, ErrorCode, OpenOptions, RunLockState, Session};
use crate::shown::Shown;
pub use catalog::has_function;
pub use compare::{Difference, Differences, compare, differences, schema_differences, snapshot};
pub use fill::{Fill, FillError, fill};
pub(crate) use lent::lend;
#[cfg(test)]
pub(crate) use lent::with_connection;
use session::SqliteSession;
pub(crate) use shadows::Shadows;

/// A SQLite database file.
#[derive(Clone, Debug)]
pub struct Sqlite {
    path: PathBuf,
    /// `None` where nobody has said it.
    foreign_keys: Option<bool>,
    opening: Opening,
}

/// What may be done with a file when it is opened.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Opening {
    /// It is created where it is not there.
    #[default]
    Create,
    /// It must be there.
    Existing,
    /// It must be there, and is not written.
    ReadOnly,
}

impl Sqlite {
    /// Names a database file; it is created by the first migration.
    ///
    /// It must be a file: what SQLite makes of `:memory:` and of an empty name would be gone as soon as a run ends, so
    /// opening these is refused. It is a path and no URI: `file:app.db` is a file of that name. A database in memory is
    /// the caller's own connection, and [`Migrator::on`](crate::Migrator::on) takes that.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), foreign_keys: None, opening: Opening::Create }
    }

    /// Enforces foreign keys while migrations run, or not. Unless this is called they are enforced, but while a script runs
    /// whose tool has them off, as its layout says; the rows that lose their parents in such a script are refused.
    #[must_use]
    pub fn foreign_keys(mut self, enforced: bool) -> Self {
        self.foreign_keys = Some(enforced);
        self
    }

    /// Says what may be done with the file when it is opened; it is created unless said otherwise.
    #[must_use]
    pub fn opening(mut self, opening: Opening) -> Self {
        self.opening = opening;
        self
    }

    fn connect(&self, flags: OpenFlags, options: &OpenOptions) -> Result<Box<dyn Session>, DbError> {
        self.connect_to(&literal(&self.path), flags, options)
    }

    /// Opens the file by another name that it has for SQLite.
    fn connect_to(&self, name: &Path, flags: OpenFlags, options: &OpenOptions) -> Result<Box<dyn Session>, DbError> {
        let connection = self.open_file(name, flags)?;
        self.session_on(connection, flags, options)
    }

    /// Opens the file; reads nothing yet.
    fn open_file(&self, name: &Path, flags: OpenFlags) -> Result<Connection, DbError> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(name, flags).map_err(|error| self.cannot_open(&error))
    }

    fn session_on(
        &self,
        connection: Connection,
        flags: OpenFlags,
        options: &OpenOptions,
    ) -> Result<Box<dyn Session>, DbError> {
        let mut session = SqliteSession::new(connection, options, None)?;
        session.opened_by(&self.path);
        session.set_foreign_keys(self.foreign_keys.unwrap_or(true))?;
        session.let_layouts_decide(self.foreign_keys.is_none());
        // The first read is where SQLite notices that a file is no database.
        let read = session.table_exists("sqlite_schema").map_err(|error| run_lock::name_holder(error, &self.path));
        read.map_err(|error| self.needs_more(error))?;
        let writes = flags.contains(OpenFlags::SQLITE_OPEN_READ_WRITE);
        tracing::debug!(database = ?self.describe(), writes, "database opened");
        Ok(Box::new(session))
    }

    /// Opens the file for who only looks, and leaves nothing beside it that was not there.
    fn look(&self, options: &OpenOptions) -> Result<Box<dyn Session>, DbError> {
        if looking::makes_files(&self.path) {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
            match self.open_file(&literal(&self.path), flags) {
                // SQLite has opened a file that may not be written for reading only. A log and its index made by who
                // may not write would stay, and be in the way of who may.
                Ok(connection) if connection.is_readonly(c"main").unwrap_or(true) => {
                    if looking::is_whole(&self.path) {
                        return self.look_at_it_alone(options);
                    }
                }
                Ok(connection) => {
                    if let Ok(session) = self.session_on(connection, flags, options) {
                        return Ok(session);
                    }
                }
                Err(_) => {}
            }
        }
        match self.connect(OpenFlags::SQLITE_OPEN_READ_ONLY, options) {
            // No log can be made beside it, and nothing is in one.
            Err(error) if is_in_the_way(&error) && looking::is_whole(&self.path) => self.look_at_it_alone(options),
            result => result,
        }
    }

    /// Opens the file as the database by itself. Who writes it all the same, with more rights, writes into a log first.
    fn look_at_it_alone(&self, options: &OpenOptions) -> Result<Box<dyn Session>, DbError> {
        let name = looking::immutable(&self.path).map_err(|error| {
            let reason = format!("cannot open the database {}: {error}", Shown(&self.describe()));
            DbError::new(ErrorCode::CannotOpen, reason)
        })?;
        self.connect_to(&name, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI, options)
    }

    /// Says which file cannot be opened, since the database's own is open already.
    fn needs_more(&self, error: DbError) -> DbError {
        if error.code != ErrorCode::CannotOpen {
            return error;
        }
        let files =
            ["-wal", "-shm", "-journal"].map(|ending| format!("{}{ending}", Shown(&self.describe()))).join(", ");
        DbError {
            message: format!("it can be read only with the files beside it, and they cannot be opened: {files}"),
            ..error
        }
    }

    /// Refuses what SQLite would take as a database of this connection only: it would be migrated, and gone.
    fn check_stays(&self) -> Result<(), DbError> {
        let message = match self.path.to_str() {
            Some("") => "a database without a name would vanish with the connection",
            Some(":memory:") => "a database in memory would vanish with the connection",
            _ => return Ok(()),
        };
        let message = format!("{message}; name a file, or use `on` with a connection of your own");
        Err(DbError::new(ErrorCode::CannotOpen, message))
    }

    fn cannot_open(&self, error: &rusqlite::Error) -> DbError {
        let reason = if self.path.is_dir() {
            "it is a folder".to_owned()
        } else if self.path.parent().is_some_and(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
            "its folder does not exist".to_owned()
        } else {
            error.to_string()
        };
        DbError::new(ErrorCode::CannotOpen, format!("cannot open the database {}: {reason}", Shown(&self.describe())))
    }
}

impl Backend for Sqlite {
    fn describe(&self) -> String {
        self.path.display().to_string()
    }

    fn open(&self, options: &OpenOptions) -> Result<Box<dyn Session>, DbError> {
        self.check_stays()?;
        match self.opening {
            Opening::Create => self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE, options),
            Opening::Existing => self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE, options),
            Opening::ReadOnly => self.connect(OpenFlags::SQLITE_OPEN_READ_ONLY, options),
        }
    }

    fn open_existing(&self, access: Access, options: &OpenOptions) -> Result<Option<Box<dyn Session>>, DbError> {
        self.check_stays()?;
        if !exists(&self.path).map_err(|error| {
            DbError::new(
                ErrorCode::CannotOpen,
                format!("cannot open the database {}: {error}", Shown(&self.describe())),
            )
        })? {
            return match self.opening {
                Opening::Create => Ok(None),
                Opening::Existing | Opening::ReadOnly => {
                    let message =
                        format!("cannot open the database {}: there is no such file", Shown(&self.describe()));
                    Err(DbError::new(ErrorCode::CannotOpen, format!("{message}, and its mode creates none")))
                }
            };
        }
        match (access, self.opening) {
            (Access::Read, Opening::ReadOnly) => return self.look(options).map(Some),
            (Access::Write, Opening::ReadOnly) => {
                return self.connect(OpenFlags::SQLITE_OPEN_READ_ONLY, options).map(Some);
            }
            (Access::Read, Opening::Create | Opening::Existing) => match self.look(options) {
                // A database that was left in the middle of a transaction, or whose log needs its index, cannot be
                // read without a little writing.
                Err(error) if is_in_the_way(&error) => {}
                result => return result.map(Some),
            },
            (Access::Write, Opening::Create | Opening::Existing) => {}
        }
        // What a script attaches is opened in the same way, and is to be created whether this file was there or not. A
        // trial creates nothing.
        let creates = self.opening == Opening::Create && access == Access::Write && !options.record;
        let create = if creates { OpenFlags::SQLITE_OPEN_CREATE } else { OpenFlags::empty() };
        self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE | create, options).map(Some)
    }

    fn open_scratch(&self, options: &OpenOptions) -> Result<Box<dyn Session>, DbError> {
        let scratch = Self { path: PathBuf::from(":memory:"), ..self.clone() };
        scratch.connect(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_MEMORY, options)
    }

    fn run_lock(&self) -> RunLockState {
        run_lock::state(&self.path)
    }
}

/// Tells whether a file could not be read for want of some right to write.
fn is_in_the_way(error: &DbError) -> bool {
    matches!(error.code, ErrorCode::ReadOnly | ErrorCode::CannotOpen)
}

fn exists(path: &Path) -> std::io::Result<bool> {
    path.try_exists()
}

/// Returns a path that SQLite takes for one: a name that begins with `file:` would be a URI to it, and another file.
fn literal(path: &Path) -> Cow<'_, Path> {
    match path.as_os_str().as_encoded_bytes().starts_with(b"file:") {
        true => Cow::Owned(Path::new(".").join(path)),
        false => Cow::Borrowed(path),
    }
}
