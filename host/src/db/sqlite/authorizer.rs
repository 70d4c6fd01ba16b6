//! Holds SQLite's authorizer against the rules in `grants`. Called while a statement is prepared, never per row.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use rusqlite::hooks::{self, AuthAction, AuthContext, Authorization};

use super::probe::Probe;
use super::statement_kind;
use crate::db::{DbError, ErrorCode};
use crate::grants::{self, Action, Denied, Observed, Request, Restriction, Schema, Statement, Touched};

/// Statements whose texts are remembered.
const KNOWN: usize = 512;

/// A statement that was looked at before.
struct Known {
    statement: Arc<Statement>,
    /// The state of the schema under which it was found to be allowed.
    allowed_in: Option<u64>,
}

/// Says that a statement was found to be allowed, under which rules and schema.
pub(super) struct Ticket {
    statement: Arc<Statement>,
    epoch: u64,
}

/// What statements may do, and what the one just prepared is about to do.
#[derive(Default)]
pub(super) struct Gate {
    /// The rules in force; `None` allows everything.
    pub(super) restriction: Option<Arc<Restriction>>,
    /// Row counts are wanted, so DELETE must visit each row.
    pub(super) recording: bool,
    /// The first refusal since the last [`Gate::open`].
    pub(super) denied: Option<Denied>,
    /// The first write to a table since the last [`Gate::open`].
    pub(super) writes: Option<(hooks::Action, String)>,
    /// What restricted code was seen to use.
    pub(super) observed: Option<Observed>,
    /// The schema, as soon as it is needed and until it changes.
    pub(super) schema: Option<Arc<Schema>>,
    /// Functions a program has added, as long as a restriction is in force.
    pub(super) foreign_functions: Arc<HashSet<String>>,
    /// A view or trigger that was just created is being looked into.
    pub(super) probe: Option<Probe>,
    /// What DEFENSIVE, TRUSTED_SCHEMA and ENABLE_QPSG were before a guest came.
    pub(super) config_before: Option<[bool; 3]>,
    /// Counts changes of the rules and of the schema.
    epoch: u64,
    statement: Arc<Statement>,
    /// The statement was found to be allowed before.
    allowed: bool,
    touched: BTreeSet<Touched>,
    known: HashMap<String, Known>,
    dropping: bool,
}

impl Gate {
    /// Forgets what the last statement was about, before the next one is prepared.
    pub(super) fn open(&mut self) {
        self.denied = None;
        self.writes = None;
        self.dropping = false;
        self.touched.clear();
    }

    /// Puts rules in force, or lifts them.
    pub(super) fn restrict(&mut self, restriction: Option<Arc<Restriction>>) {
        self.restriction = restriction;
        self.schema_changed();
        self.known.clear();
        self.statement = Arc::default();
        if self.restriction.is_some() {
            self.observed.get_or_insert_default();
        }
    }

    /// Returns what the text of a statement tells.
    pub(super) fn facts(&mut self, sql: &str) -> Arc<Statement> {
        if let Some(known) = self.known.get(sql) {
            return Arc::clone(&known.statement);
        }
        if self.known.len() >= KNOWN {
            self.known.clear();
        }
        let statement = Arc::new(statement_kind::read(sql));
        self.known.insert(sql.to_owned(), Known { statement: Arc::clone(&statement), allowed_in: None });
        statement
    }

    /// Says which statement the next actions belong to. Returns whether it was found to be allowed since the schema last
    /// changed.
    pub(super) fn begin(&mut self, sql: &str) -> Result<bool, Denied> {
        let statement = self.facts(sql);
        check_text(self, &statement)?;
        self.statement = statement;
        self.allowed = self.known.get(sql).is_some_and(|known| known.allowed_in == Some(self.epoch));
        Ok(self.allowed)
    }

    /// Returns what lets the statement just looked at run again, if it may.
    pub(super) fn ticket(&self) -> Option<Ticket> {
        let allowed = self.allowed || self.restriction.is_none();
        allowed.then(|| Ticket { statement: Arc::clone(&self.statement), epoch: self.epoch })
    }

    /// Lets a statement run again, unless rules or schema have changed since it was looked at.
    pub(super) fn admit(&mut self, ticket: &Ticket) -> bool {
        if ticket.epoch != self.epoch {
            return false;
        }
        self.open();
        if !Arc::ptr_eq(&self.statement, &ticket.statement) {
            self.statement = Arc::clone(&ticket.statement);
        }
        self.allowed = true;
        true
    }

    /// Says what the next actions belong to, which is no statement of the guest itself.
    pub(super) fn enter(&mut self, statement: Statement) {
        self.statement = Arc::new(statement);
        self.allowed = false;
    }

    /// Decides on the statement just prepared as a whole.
    pub(super) fn settle(&mut self, sql: &str) -> Result<(), Denied> {
        if self.allowed && self.touched.is_empty() {
            return Ok(());
        }
        let (Some(restriction), Some(schema)) = (&self.restriction, &self.schema) else { return Ok(()) };
        let touched: Vec<Touched> = std::mem::take(&mut self.touched).into_iter().collect();
        let needs = grants::decide_whole(restriction, &self.statement, schema, &touched)?;
        self.observed.get_or_insert_default().add(needs);
        if let Some(known) = self.known.get_mut(sql) {
            known.allowed_in = Some(self.epoch);
        }
        Ok(())
    }

    /// Forgets the schema, which has changed or may have.
    pub(super) fn schema_changed(&mut self) {
        self.schema = None;
        self.epoch += 1;
    }
}

/// Decides on one action of the statement being prepared.
pub(super) fn authorize(gate: &mut Gate, context: &AuthContext<'_>) -> Authorization {
    if let Some(restriction) = gate.restriction.clone() {
        let (statement, schema) = (Arc::clone(&gate.statement), gate.schema.clone().unwrap_or_default());
        let request = request(context, &statement, &schema);
        if gate.probe.as_mut().is_some_and(|probe| probe.is_own(&request)) {
            return Authorization::Allow;
        }
        match grants::decide(&restriction, &request) {
            Ok(needs) => gate.observed.get_or_insert_default().add(needs),
            Err(denied) => {
                gate.denied.get_or_insert(denied);
                return Authorization::Deny;
            }
        }
        gate.touched.extend(Touched::from(&request));
    }
    if gate.recording {
        return record(gate, context);
    }
    Authorization::Allow
}

fn record(gate: &mut Gate, context: &AuthContext<'_>) -> Authorization {
    // Inside a trigger or a view the action is not the statement's own.
    let own = context.accessor.is_none();
    let mut write = |action, table: &str| {
        if own && gate.writes.is_none() {
            gate.writes = Some((action, table.to_owned()));
        }
    };
    match context.action {
        AuthAction::Insert { table_name } => write(hooks::Action::SQLITE_INSERT, table_name),
        AuthAction::Update { table_name, .. } => write(hooks::Action::SQLITE_UPDATE, table_name),
        AuthAction::Delete { table_name } => {
            write(hooks::Action::SQLITE_DELETE, table_name);
            // "Ignore" on DELETE means: delete, but row by row, so that each is counted. In a DROP it would
            // skip the drop. https://sqlite.org/c3ref/set_authorizer.html
            if !gate.dropping && !table_name.starts_with("sqlite_") {
                return Authorization::Ignore;
            }
        }
        AuthAction::DropTable { .. }
        | AuthAction::DropTempTable { .. }
        | AuthAction::DropView { .. }
        | AuthAction::DropTempView { .. }
        | AuthAction::DropVtable { .. } => gate.dropping = true,
        _ => {}
    }
    Authorization::Allow
}

/// Decides by its first words on a statement that SQLite's authorizer may not be asked about: VACUUM, triggers in the
/// temporary database, and what stands
/// prepared in the cache because the host has run the same text.
fn check_text(gate: &Gate, statement: &Statement) -> Result<(), Denied> {
    use grants::StatementKind::{Savepoint, Transaction, Vacuum};
    let Some(restriction) = &gate.restriction else { return Ok(()) };
    let action = match statement.kind {
        _ if statement.temporary.is_some() => {
            Action::Temporary { object: statement.temporary.as_deref().unwrap_or("") }
        }
        Transaction => Action::Transaction,
        Savepoint => Action::Savepoint,
        Vacuum => Action::Vacuum,
        _ => return Ok(()),
    };
    let schema = Schema::default();
    let request = Request { action, database: None, accessor: None, statement, schema: &schema };
    grants::decide(restriction, &request).map(drop)
}

/// Says a refusal as a database error.
pub(super) fn refusal(denied: &Denied) -> DbError {
    let mut error = DbError::new(ErrorCode::Denied, denied.reason.clone());
    error.details = vec![("action".into(), denied.action.clone()), ("object".into(), denied.object.clone())];
    error.details.extend(denied.grant.as_ref().map(|grant| ("grant".to_owned(), grant.to_string())));
    error
}

/// Says in the words of the rules what SQLite is about to do.
fn request<'a>(context: &AuthContext<'a>, statement: &'a Statement, schema: &'a Schema) -> Request<'a> {
    let mut database = context.database_name;
    let action = match context.action {
        AuthAction::Transaction { .. } => Action::Transaction,
        AuthAction::Savepoint { .. } => Action::Savepoint,
        AuthAction::Attach { .. } => Action::Attach,
        AuthAction::Detach { .. } => Action::Detach,
        AuthAction::Pragma { pragma_name, pragma_value } => Action::Pragma { name: pragma_name, value: pragma_value },
        AuthAction::Function { function_name } => Action::Function { name: function_name },
        AuthAction::Read { table_name, column_name } => Action::Read { table: table_name, column: column_name },
        AuthAction::Insert { table_name } => Action::Insert { table: table_name },
        AuthAction::Update { table_name, column_name } => Action::Update { table: table_name, column: column_name },
        AuthAction::Delete { table_name } => Action::Delete { table: table_name },
        AuthAction::CreateTable { table_name } => Action::CreateTable { table: table_name },
        AuthAction::CreateVtable { table_name, module_name } => {
            Action::CreateVirtualTable { table: table_name, module: module_name }
        }
        AuthAction::CreateIndex { index_name, table_name } => {
            Action::CreateIndex { index: index_name, table: table_name }
        }
        AuthAction::CreateTrigger { table_name, .. } | AuthAction::DropTrigger { table_name, .. } => {
            Action::Trigger { table: table_name }
        }
        AuthAction::CreateView { view_name } | AuthAction::DropView { view_name } => Action::View { view: view_name },
        AuthAction::AlterTable { database_name, table_name } => {
            // The only action with the database in the first place.
            database = Some(database_name);
            Action::AlterTable { table: table_name }
        }
        AuthAction::DropTable { table_name } | AuthAction::DropVtable { table_name, .. } => {
            Action::DropTable { table: table_name }
        }
        AuthAction::DropIndex { index_name, table_name } => Action::DropIndex { index: index_name, table: table_name },
        AuthAction::Reindex { index_name } => Action::Reindex { index: index_name },
        AuthAction::Analyze { table_name } => Action::Analyze { table: table_name },
        AuthAction::CreateTempTable { table_name: object }
        | AuthAction::CreateTempView { view_name: object }
        | AuthAction::CreateTempIndex { index_name: object, .. }
        | AuthAction::CreateTempTrigger { trigger_name: object, .. }
        | AuthAction::DropTempTable { table_name: object }
        | AuthAction::DropTempView { view_name: object }
        | AuthAction::DropTempIndex { index_name: object, .. }
        | AuthAction::DropTempTrigger { trigger_name: object, .. } => Action::Temporary { object },
        AuthAction::Select | AuthAction::Recursive => Action::Select,
        // ATTACH and DETACH with anything but a literal come without arguments.
        _ => Action::Unknown,
    };
    // `CREATE TABLE temp.t` is not reported as temporary, but it is.
    let action = match action.table() {
        Some(object) if database == Some("temp") && action.is_definition() => Action::Temporary { object },
        _ => action,
    };
    Request { action, database, accessor: context.accessor, statement, schema }
}
