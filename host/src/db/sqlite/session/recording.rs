//! The part of a session that notes what statements do, for a dry run.

use rusqlite::hooks::Action;

use super::SqliteSession;
use crate::db::sqlite::authorizer::Seen;
use crate::db::{RecordedStatement, Recording, TableChanges, quote_identifier};
use crate::sql;

/// Statements a recording keeps, and the bytes it keeps of each.
const RECORDED_STATEMENTS: usize = 1000;
const RECORDED_BYTES: usize = 2000;

/// What a recorded statement does with rows that SQLite tells nobody of.
#[derive(Default)]
pub(super) struct Written {
    /// The table it writes first.
    first: Option<(Action, String)>,
    /// A trigger that it fires asks for REPLACE.
    by_trigger: bool,
}

impl SqliteSession {
    pub(super) fn record(&mut self, sql: &str, changed: u64) {
        if self.recording.is_none() || self.left_out.is_some() {
            return;
        }
        // SQLite tells nobody of the rows with which a table is made.
        let changed = changed + self.made.take().map_or(0, |table| self.count_made(&table));
        let Some(recording) = &mut self.recording else { return };
        let written = self.writes.get(sql);
        if let Some((action, table)) = written.and_then(|written| written.first.as_ref()) {
            // Tables WITHOUT ROWID do not call the update hook.
            if changed > 0 && self.watch.rows_counted() == self.rows_seen {
                self.watch.count(*action, "main", table, changed);
            }
        }
        let rows = self.watch.rows_counted();
        // What a trigger writes in the place of a view counts as no change.
        let replaces = sql::replaces(sql) || written.is_some_and(|written| written.by_trigger);
        recording.replaces |= replaces && (changed > 0 || rows > self.rows_seen);
        self.rows_seen = rows;
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

    /// Counts the rows of a table that a statement has made.
    fn count_made(&mut self, table: &str) -> u64 {
        let sql = format!("SELECT count(*) FROM main.{}", quote_identifier(table));
        let rows: i64 =
            self.unrestricted(|session| session.connection().query_row(&sql, [], |row| row.get(0)).unwrap_or(0));
        let rows = rows.unsigned_abs();
        if rows > 0 {
            self.watch.count(Action::SQLITE_INSERT, "main", table, rows);
        }
        rows
    }

    /// Tells whether a table says that its new rows take the place of others.
    fn is_table_replacing(&mut self, table: &str) -> bool {
        self.definition("main", "table", table).is_some_and(|text| sql::replaces(&text))
    }

    /// Tells whether a trigger puts rows in the place of others.
    fn is_trigger_replacing(&mut self, trigger: &str) -> bool {
        // To look into the temporary database makes one, so only where it must be there.
        let text = self.definition("main", "trigger", trigger).or_else(|| self.definition("temp", "trigger", trigger));
        text.is_some_and(|text| sql::replaces(&text))
    }

    fn definition(&mut self, database: &str, kind: &str, name: &str) -> Option<String> {
        let sql = format!("SELECT sql FROM {database}.sqlite_schema WHERE type = ? AND name = ?");
        self.unrestricted(|session| session.connection().query_row(&sql, [kind, name], |row| row.get(0)))
            .unwrap_or_default()
    }

    /// Notes which table a statement just prepared is going to write, or makes.
    pub(super) fn note_writes(&mut self, sql: &str) {
        let seen = std::mem::take(&mut self.watch.gate().seen);
        self.note_seen(sql, seen);
    }

    /// Notes what was seen of a statement.
    pub(super) fn note_seen(&mut self, sql: &str, seen: Seen) {
        if self.recording.is_some() {
            self.made = seen.made;
            // What stands prepared already is not seen again.
            if seen.writes.is_some() || !seen.triggers.is_empty() {
                let by_trigger = seen.triggers.iter().any(|name| self.is_trigger_replacing(name));
                self.writes.insert(sql.to_owned(), Written { first: seen.writes, by_trigger });
            }
        }
    }

    /// Leaves statements out, or not any more.
    pub(super) fn leave_out(&mut self, held: bool) {
        if self.recording.is_none() || held == self.left_out.is_some() {
            return;
        }
        match self.left_out.take() {
            None => self.left_out = Some(self.watch.counted()),
            Some(counted) => {
                self.watch.count_again_from(counted);
                self.rows_seen = self.watch.rows_counted();
            }
        }
    }

    /// Leaves statements and operations out of the counts, or not any more.
    pub(super) fn leave_uncounted(&mut self, held: bool) {
        if held == self.uncounted.is_some() {
            return;
        }
        match self.uncounted.take() {
            None => self.uncounted = Some((self.counters.statements, self.watch.meter.operations())),
            Some((statements, operations)) => {
                self.counters.statements = statements;
                self.watch.meter.count_again_from(operations);
            }
        }
    }

    /// Begins to note what statements do.
    pub(super) fn begin_recording(&mut self) {
        self.forget_prepared();
        self.writes.clear();
        self.watch.take_tables();
        self.rows_seen = 0;
        self.made = None;
        self.watch.gate().take_observed();
        self.recording = Some(Recording::default());
    }

    /// Returns what was noted.
    pub(super) fn end_recording(&mut self) -> Recording {
        self.leave_out(false);
        let mut recording = self.recording.take().unwrap_or_default();
        recording.tables = self.watch.take_tables();
        let takes_places = |changes: &TableChanges| changes.inserted + changes.updated > 0;
        let mut written = recording.tables.iter().filter(|changes| takes_places(changes));
        recording.replaces |= written.any(|changes| self.is_table_replacing(&changes.table));
        recording.observed = self.watch.gate().take_observed();
        recording
    }
}
