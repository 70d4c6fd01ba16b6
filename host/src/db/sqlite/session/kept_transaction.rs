//! The part of a session that keeps code of the program from ending the transaction it is lent.

use super::SqliteSession;
use crate::db::sqlite::asking;

impl SqliteSession {
    /// Has SQLite refuse whatever begins or ends a transaction, or not any more; returns the first thing it refused.
    pub(super) fn refuse_ends(&mut self, refused: bool) -> Option<String> {
        // What stands prepared, such as the host's own COMMIT, asks nobody any more.
        self.forget_prepared();
        let by_rules = self.is_restricted() || refused;
        self.be_asked(by_rules);
        // SQLite ends it by itself at `OR ROLLBACK` and `RAISE(ROLLBACK)`, and what comes then would commit on its own.
        // A lent connection may have such a hook of its owner's, which could not be put back.
        if self.return_to.is_none() {
            asking::refuse_commits(self.connection(), refused);
        }
        let mut gate = self.watch.gate();
        gate.keeps_transaction = refused;
        gate.refused_end.take()
    }
}
