//! The part of a session that keeps code of the program from ending the transaction it is lent.

use super::SqliteSession;
use crate::db::sqlite::asking;

impl SqliteSession {
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
        let mut gate = self.watch.gate();
        gate.keeps_transaction = refused;
        gate.refused_end.take()
    }
}
