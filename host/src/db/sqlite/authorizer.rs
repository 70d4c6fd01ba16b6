//! Holds SQLite's authorizer against the rules in `grants`. Called while a statement is prepared, never per row.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use rusqlite::ffi;
use rusqlite::hooks::{self, Authorization};

use super::plain;
use super::probe::Probe;
use super::question::{Question, Words};
use super::reach::Reach;
use super::remembered::Remembered;
use super::texts::{Text, Texts};
use crate::db::{DbError, ErrorCode, KEYS_OFF};
use crate::grants::{self, Action, Denied, Need, Observed, Request, Restriction, Schema, Statement, Touched};

/// The longest text in which queries inside of each other can make no program that matters: each takes some twenty letters.
const SHORT: usize = 160;

/// What actions belong to.
#[derive(Clone)]
enum Subject {
    /// A statement whose text tells nothing, so that hardly any action asks what does.
    Plain(Text),
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

/// What a statement that was prepared is about to do with rows that SQLite tells nobody of.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The table it writes first.
    pub(super) writes: Option<(hooks::Action, String)>,
    /// Triggers that put rows somewhere.
    pub(super) triggers: BTreeSet<String>,
    /// The table it makes; none where that is there already.
    pub(super) made: Option<String>,
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
    /// What was seen since the last [`Gate::open`], to count rows by.
    pub(super) seen: Seen,
    /// What the statement being prepared touches of the database itself, as long as somebody wants to know.
    pub(super) wanted: Option<BTreeSet<Touched>>,
    /// Whatever begins or ends a transaction is refused.
    pub(super) keeps_transaction: bool,
    /// The first statement that was refused for that.
    pub(super) refused_end: Option<String>,
    /// Foreign keys are enforced, and a statement that would have them off is refused: inside a transaction it does nothing.
    pub(super) keeps_keys: bool,
    /// What restricted code was seen to use.
    pub(super) observed: Option<Observed>,
    /// The schema, as soon as it is needed and until it changes.
    pub(super) schema: Option<Arc<Schema>>,
    /// Functions a program has added, as long as a restriction is in force.
    pub(super) foreign_functions: Arc<HashSet<String>>,
    /// A view or trigger that was just created is being looked into.
    pub(super) probe: Option<Probe>,
    /// What of a view or trigger that is looked into would be refused, where all of that is wanted and nothing refused.
    pub(super) beyond: Option<Vec<Denied>>,
    /// What views and triggers reached beyond the rules before a guest changed what they name.
    pub(super) reach: Reach,
    /// What DEFENSIVE, TRUSTED_SCHEMA and ENABLE_QPSG were before a guest came.
    pub(super) config_before: Option<[bool; 4]>,
    /// Counts changes of the rules and of the schema.
    epoch: u64,
    subject: Subject,
    /// Some rows are in an order that code may not see; as soon as it was looked for.
    hidden_orders: Option<bool>,
    /// Whether the schema puts something long in for a short name, once that is known.
    expands: Option<bool>,
    /// The statement was found to be allowed before.
    allowed: bool,
    /// The statement being prepared has asked for something.
    asked: bool,
    touched: BTreeSet<Touched>,
    texts: Texts,
    remembered: Remembered,
    dropping: bool,
    /// The table that the statement being prepared is about to make.
    making: Option<String>,
}

impl Gate {
    /// Forgets what the last statement was about, before the next one is prepared.
    pub(super) fn open(&mut self) {
        self.denied = None;
        self.seen = Seen::default();
        self.making = None;
        self.dropping = false;
        self.asked = false;
        self.touched.clear();
        self.remembered.begin(false);
    }

    /// Puts rules in force, or lifts them.
    pub(super) fn restrict(&mut self, restriction: Option<Arc<Restriction>>) {
        self.restriction = restriction;
        self.schema_changed();
        self.texts.forget();
        self.subject = Subject::default();
        if self.restriction.is_some() {
            self.observed.get_or_insert_default();
        }
    }

    /// Returns what the text of a statement tells.
    pub(super) fn facts(&mut self, sql: &str) -> Arc<Statement> {
        self.texts.statement(sql)
    }

    /// Tells whether a statement of restricted code changes the schema when it is run.
    pub(super) fn changes_schema(&mut self, sql: &str) -> bool {
        if self.restriction.is_none() || self.texts.facts(sql).plain {
            return false;
        }
        let statement = self.facts(sql);
        statement.kind.changes_schema() && !statement.explains
    }

    /// As [`changes_schema`](Self::changes_schema), for a statement whose text is not likely to come again.
    pub(super) fn pass(&mut self, sql: &str) -> bool {
        let plain = self.texts.pass(sql);
        // If that was the subject, it is another text now.
        self.subject = Subject::Plain(Text::Passing);
        !plain && self.changes_schema(sql)
    }

    /// Says which statement the next actions belong to. Returns whether it was found to be allowed since the schema
    /// last changed.
    pub(super) fn begin(&mut self, sql: &str) -> Result<bool, Denied> {
        let epoch = self.epoch;
        let (text, facts) = self.texts.look(sql);
        let (plain, allowed) = (facts.plain, facts.allowed_in == Some(epoch));
        if plain {
            self.subject = Subject::Plain(text);
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
        match &self.subject {
            Subject::Plain(text) => self.texts.statement_of(text),
            Subject::Read(statement) => Arc::clone(statement),
        }
    }

    /// Returns what lets the statement just looked at run again, if it may.
    pub(super) fn ticket(&self) -> Option<Ticket> {
        let allowed = self.allowed || self.restriction.is_none();
        let passes = matches!(self.subject, Subject::Plain(Text::Passing));
        (allowed && !passes).then(|| Ticket { subject: self.subject.clone(), epoch: self.epoch })
    }

    /// Lets a statement run again, unless rules or schema have changed since it was looked at.
    pub(super) fn admit(&mut self, ticket: &Ticket) -> bool {
        if ticket.epoch != self.epoch {
            return false;
        }
        self.open();
        match (&self.subject, &ticket.subject) {
            (Subject::Plain(current), Subject::Plain(wanted)) if current.is(wanted) => {}
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

    /// Tells whether a program may become much longer than its text says: by a query inside of another, or by what the schema puts in.
    pub(super) fn may_grow(&mut self, sql: &str) -> bool {
        let Some(schema) = &self.schema else { return true };
        let is_long = sql.len() > SHORT && plain::may_have_query(sql);
        is_long || *self.expands.get_or_insert_with(|| schema.expands())
    }

    /// Tells whether the statement just prepared could show an order of rows that it may not see.
    pub(super) fn wants_orders(&mut self) -> bool {
        if self.allowed && !self.asked {
            return false;
        }
        let (Some(restriction), Some(schema)) = (self.restriction.clone(), self.schema.clone()) else { return false };
        let is_told = self.recording;
        if !is_told && !*self.hidden_orders.get_or_insert_with(|| grants::has_hidden_orders(&restriction, &schema)) {
            return false;
        }
        let touched: Vec<Touched> = self.all_touched();
        let walks = touched.iter().any(|touch| touch.what.as_ref().is_some_and(|(verb, ..)| grants::walks(*verb)));
        walks && grants::shows_order(&self.statement(), &schema, &touched)
    }

    /// Decides on the orders in which the statement just prepared walks rows.
    pub(super) fn settle_orders(&mut self, walked: &BTreeSet<i64>) -> Result<(), Denied> {
        let statement = self.statement();
        let (Some(restriction), Some(schema)) = (&self.restriction, &self.schema) else { return Ok(()) };
        let needs = grants::decide_orders(restriction, schema, &statement, &self.all_touched(), walked)?;
        self.observe(needs);
        Ok(())
    }

    fn all_touched(&self) -> Vec<Touched> {
        self.touched.iter().chain(self.remembered.touched()).cloned().collect()
    }

    /// Decides on the statement just prepared as a whole.
    pub(super) fn settle(&mut self, sql: &str) -> Result<(), Denied> {
        if (self.allowed && !self.asked) || self.restriction.is_none() || self.schema.is_none() {
            return Ok(());
        }
        let epoch = self.epoch;
        if self.remembered.knows_together() {
            self.texts.facts(sql).allowed_in = Some(epoch);
            return Ok(());
        }
        let statement = self.statement();
        let (Some(restriction), Some(schema)) = (&self.restriction, &self.schema) else { return Ok(()) };
        let mut touched = std::mem::take(&mut self.touched);
        touched.extend(self.remembered.touched().cloned());
        let touched: Vec<Touched> = touched.into_iter().collect();
        let needs = grants::decide_whole(restriction, &statement, schema, &touched)?;
        self.remembered.add_together(schema);
        self.observe(needs);
        self.texts.facts(sql).allowed_in = Some(epoch);
        Ok(())
    }

    /// Returns what would be refused of the view or trigger just looked into, one action after the other and as a whole.
    pub(super) fn take_beyond(&mut self) -> Vec<Denied> {
        let mut beyond = self.beyond.take().unwrap_or_default();
        let statement = self.statement();
        if let (Some(restriction), Some(schema)) = (&self.restriction, &self.schema) {
            beyond.extend(grants::refused_as_a_whole(restriction, &statement, schema, &self.all_touched()));
        }
        beyond
    }

    /// Notes what restricted code was seen to use, where somebody is going to ask.
    pub(super) fn observe(&mut self, needs: Vec<Need>) {
        if self.recording {
            self.observed.get_or_insert_default().add(needs);
        }
    }

    /// Takes what restricted code was seen to use; what it uses from now on is seen anew.
    pub(super) fn take_observed(&mut self) -> Option<Observed> {
        self.remembered.forget();
        self.observed.take()
    }

    /// Forgets the schema, which has changed or may have.
    pub(super) fn schema_changed(&mut self) {
        self.schema = None;
        self.hidden_orders = None;
        self.expands = None;
        self.remembered.forget();
        self.epoch += 1;
    }
}

/// Decides on one action of the statement being prepared.
#[inline]
pub(super) fn authorize(gate: &mut Gate, question: &Question<'_>) -> Authorization {
    if let Some(wanted) = &mut gate.wanted {
        return question.words().map_or(Authorization::Deny, |words| note(wanted, words));
    }
    if gate.keeps_transaction && question.code == ffi::SQLITE_TRANSACTION {
        refuse_end(gate, question);
        return Authorization::Deny;
    }
    if gate.keeps_keys && question.code == ffi::SQLITE_PRAGMA && question.words().is_some_and(has_keys_off) {
        let reason = "PRAGMA foreign_keys does nothing inside the transaction of a step";
        gate.denied.get_or_insert(Denied::never("pragma", "foreign_keys", reason.to_owned()));
        gate.refused_end.get_or_insert_with(|| KEYS_OFF.to_owned());
        return Authorization::Deny;
    }
    if gate.restriction.is_some() {
        gate.asked = true;
        if !gate.remembered.knows(question) && !decide(gate, question) {
            return Authorization::Deny;
        }
    }
    if gate.recording {
        return question.words().map_or(Authorization::Deny, |words| record(gate, words));
    }
    Authorization::Allow
}

fn decide(gate: &mut Gate, question: &Question<'_>) -> bool {
    let Some(words) = question.words() else { return false };
    let Some(restriction) = gate.restriction.clone() else { return true };
    let (statement, schema) = (gate.statement(), gate.schema.clone().unwrap_or_default());
    let request = words.request(&statement, &schema);
    if gate.probe.as_mut().is_some_and(|probe| probe.is_own(&request)) {
        return true;
    }
    match (grants::decide(&restriction, &request), &mut gate.beyond) {
        (Ok(_), Some(_)) => {}
        (Err(denied), Some(beyond)) => beyond.push(denied),
        (Ok(needs), None) => gate.observe(needs),
        (Err(denied), None) => {
            gate.denied.get_or_insert(denied);
            return false;
        }
    }
    let touched = Touched::from(&request);
    gate.remembered.add(question, &words, &schema, touched.as_ref());
    gate.touched.extend(touched);
    true
}

/// Tells whether a PRAGMA is to switch foreign keys off.
fn has_keys_off(words: Words<'_>) -> bool {
    let is_on = |value: &str| ["on", "true", "yes", "1"].iter().any(|on| value.eq_ignore_ascii_case(on));
    words.first.is_some_and(|name| name.eq_ignore_ascii_case("foreign_keys"))
        && words.second.is_some_and(|value| !is_on(value))
}

fn refuse_end(gate: &mut Gate, question: &Question<'_>) {
    let statement = question.words().and_then(|words| words.first).unwrap_or("COMMIT");
    let reason = format!("{statement} is for the host to say: the transaction is the step's");
    gate.denied.get_or_insert(Denied::never("transaction", statement, reason));
    gate.refused_end.get_or_insert_with(|| statement.to_owned());
}

/// Notes what a statement touches that is prepared only to be looked into.
fn note(wanted: &mut BTreeSet<Touched>, words: Words<'_>) -> Authorization {
    if words.database == Some("main") {
        let (statement, schema) = (Statement::default(), Schema::default());
        wanted.extend(Touched::from(&words.request(&statement, &schema)));
    }
    Authorization::Allow
}

fn record(gate: &mut Gate, words: Words<'_>) -> Authorization {
    if matches!(words.code, ffi::SQLITE_INSERT | ffi::SQLITE_UPDATE) {
        gate.seen.triggers.extend(words.accessor.map(str::to_owned));
    }
    // Inside a trigger or a view the action is not the statement's own.
    let own = words.accessor.is_none();
    let mut write = |action, table: &str| {
        if own && gate.seen.writes.is_none() {
            gate.seen.writes = Some((action, table.to_owned()));
        }
    };
    match (words.code, words.first) {
        (ffi::SQLITE_INSERT, Some(table)) => write(hooks::Action::SQLITE_INSERT, table),
        (ffi::SQLITE_UPDATE, Some(table)) => {
            write(hooks::Action::SQLITE_UPDATE, table);
            // Its definition is put into the schema, which happens only to one that is not there yet.
            if own && table == "sqlite_master" {
                gate.seen.made = gate.making.take().or(gate.seen.made.take());
            }
        }
        (ffi::SQLITE_CREATE_TABLE, Some(table)) if words.database == Some("main") => {
            gate.making = Some(table.to_owned());
        }
        (ffi::SQLITE_DELETE, Some(table)) => {
            write(hooks::Action::SQLITE_DELETE, table);
            // "Ignore" on DELETE means: delete, but row by row, so that each is counted. In a DROP it would
            // skip the drop. https://sqlite.org/c3ref/set_authorizer.html
            if !gate.dropping && !table.starts_with("sqlite_") {
                return Authorization::Ignore;
            }
        }
        (
            ffi::SQLITE_DROP_TABLE
            | ffi::SQLITE_DROP_TEMP_TABLE
            | ffi::SQLITE_DROP_VIEW
            | ffi::SQLITE_DROP_TEMP_VIEW
            | ffi::SQLITE_DROP_VTABLE,
            _,
        ) => gate.dropping = true,
        _ => {}
    }
    Authorization::Allow
}

/// Decides by its first words on a statement that SQLite's authorizer may not be asked about: VACUUM, EXPLAIN, triggers
/// in the temporary database, and what stands prepared in the cache because the host has run the same text.
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
        _ if statement.explains_program => Action::Explain,
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
