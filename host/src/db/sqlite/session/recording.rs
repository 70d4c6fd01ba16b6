//! The part of a session that notes what statements do, for a dry run.

use super::SqliteSession;
use crate::db::{RecordedStatement, Recording};

/// Statements a recording keeps, and the bytes it keeps of each.
const RECORDED_STATEMENTS: usize = 1000;
const RECORDED_BYTES: usize = 2000;

impl SqliteSession {
    pub(super) fn record(&mut self, sql: &str, changed: u64) {
        let Some(recording) = &mut self.recording else { return };
        if let Some((action, table)) = self.writes.get(sql) {
            // Tables WITHOUT ROWID do not call the update hook.
            if changed > 0 && self.watch.rows_counted() == self.rows_seen {
                self.watch.count(*action, "main", table, changed);
            }
        }
        self.rows_seen = self.watch.rows_counted();
        let kept = &sql[..sql.floor_char_boundary(RECORDED_BYTES)];
        if let Some(last) = recording.statements.last_mut()
            && last.sql == kept
        {
            last.times += 1;
            last.rows_changed += changed;
        } else if recording.statements.len() < RECORDED_STATEMENTS {
            recording.statements.push(RecordedStatement { sql: kept.to_owned(), times: 1, rows_changed: changed });
        } else {
            recording.statements_left_out += 1;
        }
    }

    /// Notes which table a statement just prepared is going to write.
    pub(super) fn note_writes(&mut self, sql: &str) {
        if self.recording.is_some()
            && let Some(writes) = self.watch.gate().writes.take()
        {
            self.writes.insert(sql.to_owned(), writes);
        }
    }

    /// Begins to note what statements do.
    pub(super) fn begin_recording(&mut self) {
        self.forget_prepared();
        self.writes.clear();
        self.watch.take_tables();
        self.rows_seen = 0;
        self.watch.gate().take_observed();
        self.recording = Some(Recording::default());
    }

    /// Returns what was noted.
    pub(super) fn end_recording(&mut self) -> Recording {
        let mut recording = self.recording.take().unwrap_or_default();
        recording.tables = self.watch.take_tables();
        recording.observed = self.watch.gate().take_observed();
        recording
    }
}
