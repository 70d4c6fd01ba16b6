//! The part of a session that holds a guest to its grants where a statement changes the schema.
//!
//! What such a statement leaves behind is looked at before it stays: a trigger or view is [compiled](super::definitions), so that
//! everything it reaches is known, and ALTER TABLE must not have rewritten what is not the guest's to change.

use std::sync::Arc;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension};

use super::SqliteSession;
use super::strings::is_requoted;
use crate::db::sqlite::authorizer;
use crate::db::sqlite::catalog;
use crate::db::sqlite::error::translate;
use crate::db::sqlite::full_text::{self, Content};
use crate::db::sqlite::handles::{Handles, Open};
use crate::db::sqlite::planner;
use crate::db::sqlite::run::RunError;
use crate::db::{DbError, Session, StatementId, Value, quote_identifier};
use crate::grants::{
    Action, Denied, Need, Reference, Request, Restriction, Schema, Statement, StatementKind, Verb, decide,
};

/// One row of the schema: rowid, type, name, table, definition.
type Definition = (i64, String, String, String, Option<String>);

impl SqliteSession {
    /// Tells whether a guest's rules are in force.
    pub(super) fn is_restricted(&self) -> bool {
        self.watch.gate().restriction.is_some()
    }

    /// Puts rules in force, together with SQLite's own defences; `None` restores what was before.
    pub(super) fn put_in_force(&mut self, restriction: Option<Arc<Restriction>>) {
        let held = restriction.as_ref().is_some_and(|restriction| restriction.grants.is_some());
        self.be_asked(restriction.is_some());
        let before = self.watch.gate().config_before.take();
        if let Err(error) = self.defend(restriction.is_some(), held, before) {
            tracing::warn!("SQLite's own defences stay as they are: {error}");
        }
        self.watch.gate().restrict(None);
        let functions = if restriction.is_some() {
            let mut functions = catalog::foreign_functions(self.connection()).unwrap_or_default();
            // Those it brings itself it may call.
            functions.retain(|name| !self.brings(name));
            functions
        } else {
            Default::default()
        };
        let mut gate = self.watch.gate();
        gate.foreign_functions = Arc::new(functions);
        gate.restrict(restriction);
    }

    /// Has SQLite ask about accesses as long as there are rules: for a script of many statements it does so about ten
    /// times each, which costs something whatever is answered. Open handles end, since they borrow the connection.
    pub(super) fn be_asked(&mut self, by_rules: bool) {
        let gate = self.watch.gate();
        let (wanted, is_asked) = (by_rules || gate.recording, gate.is_asked);
        drop(gate);
        if wanted == is_asked {
            return;
        }
        let handles = self.handles.take().expect("the handles are there until drop");
        // What was registered on the connection stays there.
        let has_bulk = handles.with_dependent(|_, open| open.has_bulk);
        let connection = handles.into_owner();
        let asked = self.watch.ask(&connection, wanted);
        self.handles = Some(Handles::new(connection, |_| Open::with_bulk(has_bulk)));
        if let Err(error) = asked {
            // Without it, no statement under rules is run: `guard::before`.
            tracing::warn!("SQLite's authorizer stays as it is: {error}");
        }
    }

    /// DEFENSIVE keeps statements from the schema and from shadow tables; without TRUSTED_SCHEMA, a definition somebody
    /// left behind calls none of a program's own functions. With QPSG a statement is not planned anew for other
    /// parameters, so that it takes the same way each time it is run. Without DQS_DDL a word in double quotes that names no column
    /// is no string in a definition: programs that take none there could alter no other table beside it.
    fn defend(&self, guest: bool, held: bool, before: Option<[bool; 4]>) -> rusqlite::Result<()> {
        let (defensive, trusted) = (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA);
        let (stable, quoted) = (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, DbConfig::SQLITE_DBCONFIG_DQS_DDL);
        let configs = [defensive, trusted, stable, quoted];
        let connection = self.connection();
        let mut now = [false; 4];
        for (is, config) in now.iter_mut().zip(configs) {
            *is = connection.db_config(config)?;
        }
        let before = before.unwrap_or(now);
        let now = if guest { [true, before[1] && !held, true, before[3] && !held] } else { before };
        for (config, wanted) in configs.into_iter().zip(now) {
            connection.set_db_config(config, wanted)?;
        }
        // Where what it uses is told, it takes the way that it takes where it is held to that.
        let recorded = guest && self.watch.gate().recording;
        planner::walk_covering_indexes(connection, !held && !recorded);
        if guest {
            self.watch.gate().config_before = Some(before);
        }
        Ok(())
    }

    /// Tells whether a guest's statement changes the schema when it is run.
    pub(super) fn changes_schema(&self, sql: &str) -> bool {
        self.watch.gate().changes_schema(sql)
    }

    /// Returns the text of a prepared statement that changes the schema when it is run.
    pub(super) fn prepared_change(&mut self, statement: StatementId) -> Option<String> {
        if !self.is_restricted() {
            return None;
        }
        self.with(|_, open| {
            let statement = open.statements.get(&statement.0)?;
            statement.changes_schema.then(|| statement.sql.clone())
        })
    }

    /// Forgets what may be run for many rows at once.
    pub(super) fn forget_bulk(&mut self) {
        self.with(|_, open| open.forget_bulk());
    }

    /// Forgets what is known of the schema; statements prepared under it are checked again.
    pub(super) fn forget_schema(&mut self) {
        if self.is_restricted() {
            self.forget_prepared();
            self.watch.gate().schema_changed();
        }
    }

    /// Runs a guest's statement that changes the schema, and undoes it if what it leaves behind is not allowed.
    pub(super) fn change_schema(&mut self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        let statement = self.watch.gate().facts(sql);
        let savepoint = self.open_savepoint()?;
        let before = self.definitions(&statement)?;
        if let Err(error) = self.note_reach(&statement.kind) {
            let _ = self.rollback_to(savepoint);
            return Err(error);
        }
        let done = self.with_old_strings(&statement, |session| session.run_one(sql, params, false));
        self.forget_schema();
        let verified = done.and_then(|changed| self.verify(sql, &statement, before.as_ref()).map(|()| changed));
        match verified {
            Ok(changed) => {
                self.release(savepoint)?;
                Ok(changed)
            }
            Err(error) => {
                // The first error is the one to tell; a failed undo leaves the step to be rolled back as a whole.
                let _ = self.rollback_to(savepoint);
                Err(error)
            }
        }
    }

    fn verify(
        &mut self,
        sql: &str,
        statement: &Statement,
        before: Option<&(Schema, Vec<Definition>)>,
    ) -> Result<(), DbError> {
        match &statement.kind {
            StatementKind::CreateTrigger { .. } | StatementKind::CreateView { .. } => self.look_into(statement),
            StatementKind::Alter { table, .. } => {
                if let Some((schema, before)) = before {
                    self.compare(table, schema, before)?;
                    let old = before.iter().find(|old| old.1 == "table" && old.2.eq_ignore_ascii_case(table));
                    self.check_strings(table, old.and_then(|old| old.4.as_deref()))?;
                }
                self.check_references(statement, table)
            }
            StatementKind::CreateTable { table, .. } => self.check_references(statement, table),
            StatementKind::CreateVirtualTable { table } => self.check_content(sql, table),
            _ => Ok(()),
        }
    }

    /// Refuses a full-text table that shows rows of another table, as a view does, to somebody who may not make that view. Those of
    /// a table that is the code's own to make it may show.
    fn check_content(&mut self, sql: &str, table: &str) -> Result<(), DbError> {
        let Some(restriction) = self.watch.gate().restriction.clone() else { return Ok(()) };
        let own = format!("{table}_content");
        let has_own = self.unrestricted(|session| session.has_table(&own))?;
        let shown = match full_text::content(sql).filter(|_| !has_own) {
            None | Some(Content::Nowhere) => return Ok(()),
            Some(Content::Of(name)) => name,
            Some(Content::Unclear) => {
                let reason = "a code migration may not make a full-text table of which cannot be told whose rows it shows: name the \
                              table of `content` without comments";
                return Err(authorizer::refusal(&Denied::never("create", table, reason)));
            }
        };
        if restriction.protects(&shown) {
            let reason = "a full-text table may not show tables of the host's own";
            return Err(authorizer::refusal(&Denied::never("create", table, reason)));
        }
        let on =
            |verb, object: &str, column: &str| Need::On { verb, object: object.to_owned(), column: column.to_owned() };
        let makes = on(Verb::Create, &shown, "");
        let needs = vec![on(Verb::Read, &shown, "*"), on(Verb::View, table, "")];
        let lacking = restriction.grants.as_ref().and_then(|grants| {
            let is_own = makes.is_met_by(grants) && !shown.to_ascii_lowercase().starts_with("sqlite_");
            needs.iter().find(|need| !is_own && !need.is_met_by(grants))
        });
        if let Some(need) = lacking {
            let denied = Denied::lacking(need);
            let reason = format!("{}: the full-text table shows its rows to whoever reads it", denied.reason);
            return Err(authorizer::refusal(&Denied { reason, ..denied }));
        }
        self.observe(needs);
        Ok(())
    }

    /// Refuses a foreign key to columns that are no key: every statement that deletes there or changes them would fail.
    /// Whoever may alter the other table can still make it one.
    fn check_references(&mut self, statement: &Statement, table: &str) -> Result<(), DbError> {
        let Some(restriction) = self.watch.gate().restriction.clone() else { return Ok(()) };
        let Some(grants) = &restriction.grants else { return Ok(()) };
        if !statement.references.is_empty() {
            self.check_keys(table)?;
        }
        let other = |reference: &Reference| {
            let alter = Need::On { verb: Verb::Alter, object: reference.table.clone(), column: String::new() };
            !reference.table.eq_ignore_ascii_case(table) && !alter.is_met_by(grants)
        };
        let Some(other) = statement.references.iter().find(|reference| other(reference)) else { return Ok(()) };
        // It compares when it is prepared, and looks at rows only when it is run.
        let sql = format!("PRAGMA main.foreign_key_check({})", quote_identifier(table));
        let fits = self.unrestricted(|session| session.connection().prepare(&sql).map(drop));
        match fits.map_err(|error| translate(&self.watch, error)) {
            Err(error) if error.is_mismatch() => {
                let message = error.message;
                let reason = format!(
                    "{message}: it refers to columns that are no key, and would hold up all that is done there"
                );
                Err(authorizer::refusal(&Denied::never("reference", &other.table, reason)))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a foreign key on a column that is computed: whoever checks all foreign keys later would compute it,
    /// however long that takes.
    fn check_keys(&mut self, table: &str) -> Result<(), DbError> {
        const COMPUTED: &str = "SELECT x.name FROM pragma_foreign_key_list(?1, 'main') k \
                                JOIN pragma_table_xinfo(?1, 'main') x ON x.name = k.\"from\" COLLATE NOCASE \
                                WHERE x.hidden IN (2, 3)";
        let computed = self.unrestricted(|session| {
            let found = session.connection().query_row(COMPUTED, [table], |row| row.get::<_, String>(0));
            found.optional()
        });
        match computed.map_err(|error| self.failed(RunError::Sqlite(error)))? {
            None => Ok(()),
            Some(column) => {
                let reason = format!("a code migration may not put a foreign key on {column}, which is computed");
                Err(authorizer::refusal(&Denied::never("reference", table, reason)))
            }
        }
    }

    /// Reads the schema before a table is altered by a guest that is held to grants.
    fn definitions(&mut self, statement: &Statement) -> Result<Option<(Schema, Vec<Definition>)>, DbError> {
        if !self.is_held() || !matches!(statement.kind, StatementKind::Alter { .. }) {
            return Ok(None);
        }
        let read = self.unrestricted(|session| {
            let functions = session.watch.gate().foreign_functions.clone();
            let schema = catalog::read(session.connection(), &functions)?;
            Ok((schema, definitions(session.connection())?))
        });
        read.map(Some).map_err(|error| self.failed(RunError::Sqlite(error)))
    }

    /// Refuses a rewritten definition of something that is not the guest's to change.
    fn compare(&mut self, table: &str, schema: &Schema, before: &[Definition]) -> Result<(), DbError> {
        let after = self.unrestricted(|session| definitions(session.connection()));
        let after = after.map_err(|error| self.failed(RunError::Sqlite(error)))?;
        let Some(restriction) = self.watch.gate().restriction.clone() else { return Ok(()) };
        for old in before.iter().filter(|old| !after.contains(old)) {
            let (row, kind, name, owner, text) = old;
            let new = after.iter().find(|new| (new.0, &new.1, &new.2, &new.3) == (*row, kind, name, owner));
            if let (Some(text), Some(new)) = (text, new.and_then(|new| new.4.as_ref()))
                && is_requoted(text, new)
            {
                continue;
            }
            let own = |name: &str| {
                name.eq_ignore_ascii_case(table)
                    || schema.owner_of_shadow(name).is_some_and(|name| name.eq_ignore_ascii_case(table))
            };
            if own(owner) {
                continue;
            }
            let action = match kind.as_str() {
                "view" => Action::View { view: name },
                "trigger" => Action::Trigger { table: owner },
                _ => Action::AlterTable { table: owner },
            };
            let text = Statement::default();
            let request = Request { action, database: Some("main"), accessor: None, statement: &text, schema };
            let needs = decide(&restriction, &request).map_err(|denied| rewritten(table, kind, name, &denied))?;
            self.observe(needs);
        }
        Ok(())
    }

    fn observe(&mut self, needs: Vec<Need>) {
        self.watch.gate().observe(needs);
    }
}

fn rewritten(table: &str, kind: &str, name: &str, denied: &Denied) -> DbError {
    let error = authorizer::refusal(denied);
    DbError { message: format!("altering {table} would rewrite the {kind} {name}: {}", error.message), ..error }
}

fn definitions(connection: &Connection) -> rusqlite::Result<Vec<Definition>> {
    let mut statement = connection.prepare("SELECT rowid, type, name, tbl_name, sql FROM main.sqlite_schema")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?;
    rows.collect()
}
