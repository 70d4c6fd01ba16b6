//! The part of a session that asks the connection about itself and about the database.

use super::SqliteSession;
use crate::db::DbError;
use crate::db::sqlite::error::translate;

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
        result.map_err(|error| translate(&self.watch, error))
    }

    /// Names rows without a parent.
    pub(super) fn violations(&mut self, limit: usize) -> Result<Vec<String>, DbError> {
        let connection = self.connection();
        let result = (|| {
            let mut statement =
                connection.prepare("SELECT \"table\", rowid, parent FROM pragma_foreign_key_check LIMIT ?")?;
            let rows = statement.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
                let (table, rowid, parent): (String, Option<i64>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
                let rowid = rowid.map(|rowid| format!(" with rowid {rowid}")).unwrap_or_default();
                Ok(format!("a row of {table}{rowid} has no parent in {parent}"))
            })?;
            rows.collect()
        })();
        let result: rusqlite::Result<Vec<String>> = result;
        result.map_err(|error| translate(&self.watch, error))
    }

    /// Returns a number that changes with every commit of another connection.
    pub(super) fn version_of_data(&mut self) -> Result<i64, DbError> {
        let connection = self.connection();
        let version = connection
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)));
        version.map(|version: i64| version - self.keep.own_versions).map_err(|error| translate(&self.watch, error))
    }

    /// Tells whether there is a table.
    pub(super) fn has_table(&mut self, table: &str) -> Result<bool, DbError> {
        let connection = self.connection();
        let exists = connection
            .prepare_cached("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE")
            .and_then(|mut statement| statement.exists([table]));
        exists.map_err(|error| translate(&self.watch, error))
    }
}
