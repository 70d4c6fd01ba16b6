//! The part of a session that begins and ends transactions, and keeps code of the program from ending the one it is lent.

use std::sync::Arc;

use rusqlite::config::DbConfig;

use super::SqliteSession;
use crate::db::sqlite::reach::Reach;
use crate::db::sqlite::{asking, moved};
use crate::db::{DbError, Session};

impl SqliteSession {
    /// Opens a transaction that may write.
    pub(super) fn begin_writing(&mut self) -> Result<(), DbError> {
        self.check_stop()?;
        self.host_execute("BEGIN IMMEDIATE").map_err(|error| self.name_holder(error))?;
        self.watch.gate().reach = Reach::default();
        self.transaction_open = true;
        Ok(())
    }

    /// Opens a transaction that only reads.
    pub(super) fn begin_to_read(&mut self) -> Result<(), DbError> {
        self.check_stop()?;
        self.host_execute("BEGIN")?;
        self.transaction_open = true;
        Ok(())
    }

    /// Makes the transaction's work durable.
    pub(super) fn commit_all(&mut self) -> Result<(), DbError> {
        self.close_handles();
        self.check_place()?;
        // Stopped at its very end, it would be done and yet reported as not done.
        Arc::clone(&self.watch).holding(|| self.host_execute("COMMIT"))?;
        self.transaction_open = false;
        self.end_note();
        // Taken away meanwhile, it is done in a file that nobody finds.
        self.check_place()
    }

    /// Refuses a file that is not where it was opened any more.
    fn check_place(&self) -> Result<(), DbError> {
        moved::check(self.connection())?;
        self.named.check(self.connection())
    }

    /// Undoes the transaction's work.
    pub(super) fn roll_back(&mut self) -> Result<(), DbError> {
        self.close_handles();
        let was_open = std::mem::take(&mut self.transaction_open);
        self.watch.forget_lost_transaction();
        if self.in_transaction() {
            self.host_execute("ROLLBACK")?;
        } else if !was_open {
            return Ok(());
        }
        self.end_note();
        // After a failed write SQLite leaves it to the next read to put the file back; until then the file is of no
        // use without its journal. When that fails, whoever reads next tries again.
        let _ = self.table_exists("sqlite_schema");
        Ok(())
    }

    /// Has SQLite refuse whatever begins or ends a transaction, or not any more; returns the first thing it refused.
    pub(super) fn refuse_ends(&mut self, refused: bool) -> Option<String> {
        // What stands prepared, such as the host's own COMMIT, asks nobody any more.
        self.forget_prepared();
        let by_rules = self.is_restricted() || refused;
        // SQLite ends it by itself at `OR ROLLBACK` and `RAISE(ROLLBACK)`. What comes then would commit on its own, and a
        // SAVEPOINT would be taken for the transaction. The hooks are handed what the connection has while it asks.
        asking::keep_transaction(self.connection(), None);
        self.be_asked(by_rules);
        if refused && self.watch.gate().is_asked {
            asking::keep_transaction(self.connection(), Some(&self.watch));
        }
        let enforced = self.connection().db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY).unwrap_or(false);
        let mut gate = self.watch.gate();
        gate.keeps_keys = refused && enforced;
        gate.keeps_transaction = refused;
        gate.refused_end.take()
    }
}
