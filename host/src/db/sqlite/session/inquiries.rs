//! The part of a session that asks the connection about itself and about the database.

use std::time::{Duration, Instant};

use super::SqliteSession;
use crate::db::sqlite::error::translate;
use crate::db::sqlite::keyless::ForeignKeys;
use crate::db::sqlite::orphans;
use crate::db::{DbError, ErrorCode, Orphans};

/// How long the rows of a table are checked whose foreign keys are computed.
const PATIENCE: Duration = Duration::from_secs(30);

impl SqliteSession {
    /// Enforces foreign keys or not; returns what was before.
    pub(super) fn enforce_foreign_keys(&mut self, enforced: bool) -> Result<bool, DbError> {
        let connection = self.connection();
        let read = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, bool>(0));
        let result = (|| {
            let before = read("PRAGMA foreign_keys")?;
            if before != enforced {
                connection.execute_batch(&format!("PRAGMA foreign_keys = {}", i32::from(enforced)))?;
            }
            Ok(before)
        })();
        let before = result.map_err(|error| translate(&self.watch, error))?;
        self.before.foreign_keys.get_or_insert(before);
        Ok(before)
    }

    /// Lets the layout of a script say whether foreign keys are enforced while it runs, since nobody else has; or not.
    pub(in crate::db::sqlite) fn let_layouts_decide(&mut self, decide: bool) {
        self.keys_follow_layout = decide;
    }

    /// Finds rows without parents, table by table.
    pub(super) fn without_parents(&mut self) -> Result<Vec<Orphans>, DbError> {
        let tables = orphans::with_foreign_keys(self.connection()).map_err(|error| translate(&self.watch, error))?;
        let mut found = Vec::new();
        for (table, is_computed) in tables {
            let of_table = if is_computed { self.compute_orphans(&table, PATIENCE) } else { self.orphans_of(&table) };
            match of_table {
                Ok(mut of_table) => found.append(&mut of_table),
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    fn orphans_of(&mut self, table: &str) -> Result<Vec<Orphans>, DbError> {
        match orphans::of(self.connection(), table).map_err(|error| translate(&self.watch, error)) {
            Err(error) if error.is_mismatch() => self.orphans_by_key(table),
            found => found,
        }
    }

    /// As [`orphans_of`](Self::orphans_of), of a table of whose foreign keys one is to no key: SQLite looks at none of them then.
    fn orphans_by_key(&mut self, table: &str) -> Result<Vec<Orphans>, DbError> {
        let keys = self.foreign_keys()?;
        let mut found: Vec<Orphans> = Vec::new();
        for (key, sql) in keys.sound_of(table) {
            let rows: i64 = (self.connection().query_row(&sql, [], |row| row.get(0)))
                .map_err(|error| translate(&self.watch, error))?;
            let rows = rows.unsigned_abs();
            match found.iter_mut().find(|of| of.parent.eq_ignore_ascii_case(&key.parent)) {
                _ if rows == 0 => {}
                Some(of) => of.rows += rows,
                None => {
                    let (table, parent) = (key.table.clone(), key.parent.clone());
                    found.push(Orphans { table, parent, rows, rowid: None, keys: None });
                }
            }
        }
        Ok(found)
    }

    /// Reads all foreign keys.
    pub(super) fn foreign_keys(&mut self) -> Result<ForeignKeys, DbError> {
        ForeignKeys::read(self.connection()).map_err(|error| translate(&self.watch, error))
    }

    /// As [`orphans_of`](Self::orphans_of), of a table whose keys are computed for it, by an expression that need not be the
    /// owner's: for so long at most.
    fn compute_orphans(&mut self, table: &str, patience: Duration) -> Result<Vec<Orphans>, DbError> {
        let until = Instant::now() + patience;
        let before = self.watch.deadline();
        self.watch.set_deadline(Some(before.map_or(until, |before| before.min(until))));
        let found = self.orphans_of(table);
        self.watch.set_deadline(before);
        found.map_err(|error| match error.code {
            ErrorCode::Limit if before.is_none_or(|before| until < before) => {
                let message = format!(
                    "the foreign keys of {} are not checked after {} s: one is on a column that is computed, for each row anew; \
                     drop the table or make the column a stored one",
                    table.escape_debug(),
                    patience.as_secs()
                );
                DbError { message, code: ErrorCode::Database, ..error }
            }
            _ => error,
        })
    }

    /// Returns a number that changes with every commit of another connection.
    pub(super) fn version_of_data(&mut self) -> Result<i64, DbError> {
        let version = self.ask_when_free(|connection| {
            connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
        });
        version.map(|version: i64| version - self.keep.own_versions).map_err(|error| translate(&self.watch, error))
    }

    /// Tells whether there is a table.
    pub(super) fn has_table(&mut self, table: &str) -> Result<bool, DbError> {
        let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE";
        let exists = self.ask_when_free(|connection| connection.prepare_cached(sql)?.exists([table]));
        exists.map_err(|error| translate(&self.watch, error))
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::db::{OpenOptions, Session};
    use crate::interrupt::Interrupt;

    fn session(sql: &str) -> SqliteSession {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
        let options = OpenOptions { lock_timeout: Duration::ZERO, interrupt: Interrupt::new(), record: false };
        SqliteSession::new(connection, &options, None).unwrap()
    }

    #[test]
    fn does_not_compute_foreign_keys_without_an_end() {
        let mut session = session(
            "CREATE TABLE p (id INTEGER PRIMARY KEY);
             CREATE TABLE slow (x, p AS (length(printf('%*c', 1000000 + x, 'x'))) REFERENCES p(id));
             WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r LIMIT 3000) INSERT INTO slow SELECT x FROM r;",
        );
        let began = Instant::now();
        let error = session.compute_orphans("slow", Duration::from_millis(200)).unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        assert!(error.message.starts_with("the foreign keys of slow are not checked after 0 s"), "{error}");
        session.execute("CREATE TABLE t (x)", &[]).unwrap();
    }
}
