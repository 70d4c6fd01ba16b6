//! Holds SQLite's authorizer against the rules in `grants`. Called while a statement is prepared, never per row.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use rusqlite::hooks::{self, AuthAction, AuthContext, Authorization};

use super::probe::Probe;
use super::remembered::Remembered;
use super::statement_kind;
use crate::db::{DbError, ErrorCode};
use crate::grants::{self, Action, Denied, Observed, Request, Restriction, Schema, Statement, Touched};

/// Statements whose texts are remembered.
const KNOWN: usize = 512;

/// A statement that was looked at before.
struct Known {
    text: Arc<str>,
    /// Its text tells nothing.
    plain: bool,
    /// What its text tells, as soon as that is asked for.
    statement: Option<Arc<Statement>>,
    /// The state of the schema under which it was found to be allowed.
    allowed_in: Option<u64>,
}

impl Known {
    fn read(sql: &str) -> Self {
        Self { text: Arc::from(sql), plain: statement_kind::is_plain(sql), statement: None, allowed_in: None }
    }
}

/// What actions belong to.
#[derive(Clone)]
enum Subject {
    /// A statement whose text tells nothing, so that hardly any action asks what does.
    Plain(Arc<str>),
    /// A statement, or the text of a view or trigger, that was read.
    Read(Arc<Statement>),
}

impl Default for Subject {
    fn default() -> Self {
        Self::Read(Arc::default())
    }
}

/// Says that a statement was found to be allowed, under which rules and schema.
pub(super) struct Ticket {
    subject: Subject,
    epoch: u64,
}

/// What statements may do, and what the one just prepared is about to do.
#[derive(Default)]
pub(super) struct Gate {
    /// The rules in force; `None` allows everything.
    pub(super) restriction: Option<Arc<Restriction>>,
    /// Row counts are wanted, so DELETE must visit each row.
    pub(super) recording: bool,
    /// SQLite asks about accesses.
    pub(super) is_asked: bool,
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
    subject: Subject,
    /// The statement was found to be allowed before.
    allowed: bool,
    /// The statement being prepared has asked for something.
    asked: bool,
    touched: BTreeSet<Touched>,
    /// The statement that is run once, and not looked for again.
    passing: Option<Known>,
    known: Vec<Known>,
    /// Where in `known` a text is.
    places: HashMap<Arc<str>, usize, foldhash::fast::RandomState>,
    /// The one that was looked at last.
    last: Option<usize>,
    remembered: Remembered,
    dropping: bool,
}

impl Gate {
    /// Forgets what the last statement was about, before the next one is prepared.
    pub(super) fn open(&mut self) {
        self.denied = None;
        self.writes = None;
        self.dropping = false;
        self.asked = false;
        self.touched.clear();
        self.remembered.begin(false);
    }

    /// Puts rules in force, or lifts them.
    pub(super) fn restrict(&mut self, restriction: Option<Arc<Restriction>>) {
        self.restriction = restriction;
        self.schema_changed();
        self.forget_texts();
        self.subject = Subject::default();
        if self.restriction.is_some() {
            self.observed.get_or_insert_default();
        }
    }

    /// Returns what the text of a statement tells.
    pub(super) fn facts(&mut self, sql: &str) -> Arc<Statement> {
        let known = self.look(sql);
        Arc::clone(known.statement.get_or_insert_with(|| Arc::new(statement_kind::read(sql))))
    }

    /// Tells whether a statement changes the schema when it is run.
    pub(super) fn changes_schema(&mut self, sql: &str) -> bool {
        if self.look(sql).plain {
            return false;
        }
        let statement = self.facts(sql);
        statement.kind.changes_schema() && !statement.explains
    }

    /// Says that the text of a statement is not likely to come again.
    pub(super) fn pass(&mut self, sql: &str) {
        self.passing = Some(Known::read(sql));
    }

    /// Looks at the text of a statement, once.
    fn look(&mut self, sql: &str) -> &mut Known {
        // Most statements are asked about several times in a row.
        if self.passing.as_ref().is_some_and(|passing| &*passing.text == sql) {
            return self.passing.as_mut().expect("it is there");
        }
        let found = match self.last {
            Some(last) if &*self.known[last].text == sql => last,
            _ => self.find(sql),
        };
        self.last = Some(found);
        &mut self.known[found]
    }

    fn find(&mut self, sql: &str) -> usize {
        if let Some(place) = self.places.get(sql) {
            return *place;
        }
        if self.known.len() >= KNOWN {
            self.forget_texts();
        }
        let known = Known::read(sql);
        self.places.insert(Arc::clone(&known.text), self.known.len());
        self.known.push(known);
        self.known.len() - 1
    }

    fn forget_texts(&mut self) {
        self.passing = None;
        self.last = None;
        self.places.clear();
        self.known.clear();
    }

    /// Says which statement the next actions belong to. Returns whether it was found to be allowed since the schema last
    /// changed.
    pub(super) fn begin(&mut self, sql: &str) -> Result<bool, Denied> {
        let epoch = self.epoch;
        let known = self.look(sql);
        let (plain, allowed) = (known.plain, known.allowed_in == Some(epoch));
        if plain {
            self.subject = Subject::Plain(Arc::clone(&known.text));
        } else {
            let statement = self.facts(sql);
            check_text(self, &statement)?;
            self.subject = Subject::Read(statement);
        }
        self.allowed = allowed;
        self.remembered.begin(plain);
        Ok(allowed)
    }

    /// Returns what the text tells that the actions belong to.
    fn statement(&mut self) -> Arc<Statement> {
        match self.subject.clone() {
            Subject::Plain(text) => self.facts(&text),
            Subject::Read(statement) => statement,
        }
    }

    /// Returns what lets the statement just looked at run again, if it may.
    pub(super) fn ticket(&self) -> Option<Ticket> {
        let allowed = self.allowed || self.restriction.is_none();
        allowed.then(|| Ticket { subject: self.subject.clone(), epoch: self.epoch })
    }

    /// Lets a statement run again, unless rules or schema have changed since it was looked at.
    pub(super) fn admit(&mut self, ticket: &Ticket) -> bool {
        if ticket.epoch != self.epoch {
            return false;
        }
        self.open();
        match (&self.subject, &ticket.subject) {
            (Subject::Plain(current), Subject::Plain(wanted)) if Arc::ptr_eq(current, wanted) => {}
            (Subject::Read(current), Subject::Read(wanted)) if Arc::ptr_eq(current, wanted) => {}
            (_, wanted) => self.subject = wanted.clone(),
        }
        self.allowed = true;
        true
    }

    /// Says what the next actions belong to, which is no statement of the guest itself.
    pub(super) fn enter(&mut self, statement: Statement) {
        self.subject = Subject::Read(Arc::new(statement));
        self.allowed = false;
        self.remembered.begin(false);
    }

    /// Decides on the statement just prepared as a whole.
    pub(super) fn settle(&mut self, sql: &str) -> Result<(), Denied> {
        if (self.allowed && !self.asked) || self.restriction.is_none() || self.schema.is_none() {
            return Ok(());
        }
        let epoch = self.epoch;
        if self.remembered.knows_together() {
            self.look(sql).allowed_in = Some(epoch);
            return Ok(());
        }
        let statement = self.statement();
        let (Some(restriction), Some(schema)) = (&self.restriction, &self.schema) else { return Ok(()) };
        let mut touched = std::mem::take(&mut self.touched);
        touched.extend(self.remembered.touched().cloned());
        let touched: Vec<Touched> = touched.into_iter().collect();
        let needs = grants::decide_whole(restriction, &statement, schema, &touched)?;
        self.remembered.add_together(schema);
        self.observed.get_or_insert_default().add(needs);
        self.look(sql).allowed_in = Some(epoch);
        Ok(())
    }

    /// Takes what restricted code was seen to use; what it uses from now on is seen anew.
    pub(super) fn take_observed(&mut self) -> Option<Observed> {
        self.remembered.forget();
        self.observed.take()
    }

    /// Forgets the schema, which has changed or may have.
    pub(super) fn schema_changed(&mut self) {
        self.schema = None;
        self.remembered.forget();
        self.epoch += 1;
    }
}

/// Decides on one action of the statement being prepared.
pub(super) fn authorize(gate: &mut Gate, context: &AuthContext<'_>) -> Authorization {
    if gate.restriction.is_some() {
        gate.asked = true;
        if !gate.remembered.knows(context) && !decide(gate, context) {
            return Authorization::Deny;
        }
    }
    if gate.recording {
        return record(gate, context);
    }
    Authorization::Allow
}

fn decide(gate: &mut Gate, context: &AuthContext<'_>) -> bool {
    let Some(restriction) = gate.restriction.clone() else { return true };
    let (statement, schema) = (gate.statement(), gate.schema.clone().unwrap_or_default());
    let request = request(context, &statement, &schema);
    if gate.probe.as_mut().is_some_and(|probe| probe.is_own(&request)) {
        return true;
    }
    match grants::decide(&restriction, &request) {
        Ok(needs) => gate.observed.get_or_insert_default().add(needs),
        Err(denied) => {
            gate.denied.get_or_insert(denied);
            return false;
        }
    }
    let touched = Touched::from(&request);
    gate.remembered.add(context, &schema, touched.as_ref());
    gate.touched.extend(touched);
    true
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
