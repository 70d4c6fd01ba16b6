//! The part of a session that looks into views and triggers: what they reach when a guest makes them, and whether they still
//! reach no more when it has changed what they name.

use std::sync::Arc;

use rusqlite::Connection;

use super::SqliteSession;
use crate::db::sqlite::authorizer;
use crate::db::sqlite::guard;
use crate::db::sqlite::probe::Probe;
use crate::db::sqlite::reach::{self, Before, Reach};
use crate::db::sqlite::run::RunError;
use crate::db::sqlite::watch::Watch;
use crate::db::{DbError, ErrorCode, Session, quote_identifier};
use crate::grants::{Denied, Restriction, Statement, StatementKind};

impl SqliteSession {
    /// Compiles a new trigger or view under the rules in force.
    pub(super) fn look_into(&mut self, statement: &Statement) -> Result<(), DbError> {
        let Some(what) = reach::name(&statement.kind) else { return Ok(()) };
        match self.compile(statement, false, guard::after) {
            Ok(_) => {
                if self.is_held() {
                    // Where one of the name was there already, nothing was made, and it is held to the rules all the same.
                    self.watch.gate().reach.made(statement);
                }
                Ok(())
            }
            Err(error) if error.code == ErrorCode::Denied => {
                Err(DbError { message: format!("{what} is not made: {}", error.message), ..error })
            }
            // What cannot be compiled yet would reach later, unseen, what has the missing name by then.
            Err(error) if self.is_held() => {
                Err(DbError { message: format!("{what} is not made: {}", error.message), ..error })
            }
            Err(_) => Ok(()),
        }
    }

    /// Notes what views and triggers reach before a guest that is held to grants first takes something away that they may rest on, or
    /// makes it something else.
    pub(super) fn note_reach(&mut self, change: &StatementKind) -> Result<(), DbError> {
        let is_change = matches!(change, StatementKind::Drop { .. } | StatementKind::Alter { .. });
        if !is_change || !self.is_held() || self.watch.gate().reach.is_complete() {
            return Ok(());
        }
        self.know_schema()?;
        let schema = self.watch.gate().schema.clone().unwrap_or_default();
        let unknown = self.watch.gate().reach.unknown(&schema);
        let mut noted = Vec::with_capacity(unknown.len());
        for (name, text) in unknown {
            let before = match self.beyond(text) {
                Ok(beyond) => Before::Beyond(beyond),
                Err(error) if is_stopped(&error) => return Err(error),
                Err(_) => Before::NoSense,
            };
            noted.push((name, before));
        }
        self.watch.gate().reach.complete(noted);
        Ok(())
    }

    /// Refuses what a guest has left behind where views and triggers reach further than they did before, beyond the rules it was
    /// held to, or make no sense any more.
    pub(super) fn check_reach(&mut self, restriction: Arc<Restriction>) -> Result<(), DbError> {
        let before = std::mem::take(&mut self.watch.gate().reach);
        if !before.is_complete() {
            return Ok(());
        }
        self.restrict(Some(restriction));
        let compared = self.compare_reach(before);
        self.restrict(None);
        compared
    }

    fn compare_reach(&mut self, before: Reach) -> Result<(), DbError> {
        self.know_schema()?;
        let schema = self.watch.gate().schema.clone().unwrap_or_default();
        for (what, before, text) in before.into_those_in(&schema) {
            let (before, made_sense) = match before {
                Before::Beyond(before) => (before, true),
                Before::NoSense => (Vec::new(), false),
            };
            match self.beyond(&text) {
                Ok(now) => {
                    if let Some(more) = now.iter().find(|denied| !before.contains(denied)) {
                        let error = authorizer::refusal(more);
                        let message = format!("{what} would mean something else than before: {}", error.message);
                        return Err(DbError { message, ..error });
                    }
                }
                Err(error) if is_stopped(&error) => return Err(error),
                Err(error) if made_sense => {
                    let message = format!("{what} makes no sense any more: {}", error.message);
                    return Err(DbError { message, code: ErrorCode::Syntax, ..error });
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Tells whether grants are in force.
    pub(super) fn is_held(&self) -> bool {
        self.watch.gate().restriction.as_ref().is_some_and(|restriction| restriction.grants.is_some())
    }

    fn know_schema(&mut self) -> Result<(), DbError> {
        let known = self.with_watch(|watch, connection, _| guard::know_schema(watch, connection));
        known.map_err(|error| self.failed(error))
    }

    /// Returns what of a view or trigger the rules would refuse.
    fn beyond(&mut self, text: &Statement) -> Result<Vec<Denied>, DbError> {
        let found = self.compile(text, true, |watch, _, _| Ok(watch.gate().take_beyond()));
        // It is left where it could not be compiled.
        self.watch.gate().beyond = None;
        found.map(Option::unwrap_or_default)
    }

    /// Compiles what uses a view or trigger, and looks at what that has told. With `all` nothing is refused, and all noted that would
    /// be. Nothing where it is used by nothing.
    fn compile<T>(
        &mut self,
        statement: &Statement,
        all: bool,
        look: impl FnOnce(&Watch, &Connection, &str) -> Result<T, RunError>,
    ) -> Result<Option<T>, DbError> {
        let columns = self.columns_of(&statement.kind);
        let compiled = self.with_watch(|watch, connection, _| {
            guard::know_schema(watch, connection)?;
            let mut gate = watch.gate();
            let schema = gate.schema.clone().unwrap_or_default();
            let Some((probe, sql)) = Probe::of(&statement.kind, &schema, &columns) else { return Ok(None) };
            gate.open();
            // With the names that stand in the definition, since it is the definition that is looked at.
            let mut text = Statement { kind: StatementKind::Data, ..statement.clone() };
            if let StatementKind::CreateView { view } = &statement.kind {
                text.names.remove(&view.to_ascii_lowercase());
            }
            gate.enter(text);
            gate.probe = Some(probe);
            gate.beyond = all.then(Vec::new);
            drop(gate);
            let prepared = guard::bounded(watch, &sql, false, || connection.prepare(&sql).map(drop));
            watch.gate().probe = None;
            prepared?;
            look(watch, connection, &sql).map(Some)
        });
        compiled.map_err(|error| self.failed(error))
    }

    /// Returns the columns of the table that a trigger on UPDATE is on.
    fn columns_of(&mut self, kind: &StatementKind) -> Vec<String> {
        let StatementKind::CreateTrigger { table, .. } = kind else { return Vec::new() };
        let sql = format!("SELECT * FROM main.{}", quote_identifier(table));
        self.unrestricted(|session| {
            // It may be a view.
            let statement = guard::bounded(&session.watch, &sql, false, || session.connection().prepare(&sql));
            let Ok(statement) = statement else { return Vec::new() };
            let name = |column| statement.column_name(column).ok().map(str::to_owned);
            (0..statement.column_count()).filter_map(name).collect()
        })
    }
}

/// Tells whether it is no word on what was compiled.
fn is_stopped(error: &DbError) -> bool {
    matches!(error.code, ErrorCode::Interrupted | ErrorCode::Limit)
}
