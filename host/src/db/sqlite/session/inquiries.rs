//! The part of a session that asks the connection about itself and about the database.

use super::SqliteSession;
use crate::db::sqlite::error::translate;
use crate::db::{DbError, Orphans};

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

    /// Finds rows without parents.
    pub(super) fn without_parents(&mut self) -> Result<Vec<Orphans>, DbError> {
        let connection = self.connection();
        let result = (|| {
            let sql = "SELECT \"table\", parent, count(*), min(rowid) FROM pragma_foreign_key_check GROUP BY 1, 2";
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map([], |row| {
                let rows: i64 = row.get(2)?;
                Ok(Orphans { table: row.get(0)?, parent: row.get(1)?, rows: rows.unsigned_abs(), rowid: row.get(3)? })
            })?;
            rows.collect()
        })();
        let result: rusqlite::Result<Vec<Orphans>> = result;
        result.map_err(|error| translate(&self.watch, error))
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
