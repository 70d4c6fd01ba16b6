//! What a statement touches although the database does not report it. Pure; a part of the rules.
//!
//! SQLite's authorizer is silent about the functions that a DEFAULT calls (before 3.54), about the columns of `JOIN … USING` and
//! `NATURAL JOIN`, about what generated columns and CHECK constraints are made from, about rows that REPLACE deletes, about the
//! keys by which an upsert without a target finds a row, about the tables that REFERENCES names, and about what a full-text table
//! is asked or told in its hidden columns.

use std::collections::{BTreeMap, BTreeSet};

use super::needs::is_table_function;
use super::{Action, FunctionGrant, Need, Reference, Request, Schema, Statement, StatementKind, Table, Verb};

/// Something a statement touches, as the database reported it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Touched {
    /// What is done; `None` when only the view or trigger is known.
    pub what: Option<(Verb, String, String)>,
    /// The trigger, view or subquery it comes from.
    pub accessor: Option<String>,
}

impl Touched {
    /// Keeps of a request what matters for the statement as a whole.
    pub fn from(request: &Request<'_>) -> Option<Self> {
        let what = match request.action {
            Action::Read { table, column } => Some((Verb::Read, table, column)),
            Action::Insert { table } => Some((Verb::Insert, table, "")),
            Action::Update { table, column } => Some((Verb::Update, table, column)),
            Action::Delete { table } => Some((Verb::Delete, table, "")),
            _ => None,
        };
        if what.is_none() && request.accessor.is_none() {
            return None;
        }
        Some(Self {
            what: what.map(|(verb, table, column)| (verb, table.to_ascii_lowercase(), column.to_ascii_lowercase())),
            accessor: request.accessor.map(str::to_ascii_lowercase),
        })
    }
}

/// Returns what a statement needs beyond what each of its actions needs.
pub(super) fn implied(statement: &Statement, schema: &Schema, touched: &[Touched]) -> Vec<Need> {
    let mut needs = BTreeSet::new();
    let mut updated: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (touch, (verb, table, column)) in touched.iter().filter_map(|touch| Some((touch, touch.what.as_ref()?))) {
        let Some(known) = schema.tables.get(table) else { continue };
        match verb {
            Verb::Read => needs.extend(sources(known, column).into_iter().map(|source| read(table, source))),
            Verb::Update => {
                updated.entry(table).or_default().insert(column);
            }
            _ => {}
        }
        if matches!(verb, Verb::Insert | Verb::Update) && replaces(statement, schema, known, touch) {
            needs.insert(Need::object(Verb::Delete, table));
        }
        // Which row is updated tells that it holds a value.
        if *verb == Verb::Insert && text_of(statement, schema, touch).is_some_and(|text| text.upserts_by_any_key) {
            let keys = known.unique.iter().map(String::as_str);
            needs
                .extend(keys.clone().chain(keys.flat_map(|key| sources(known, key))).map(|column| read(table, column)));
        }
    }
    for (table, columns) in updated {
        needs.extend(checked(&schema.tables[table], &columns).into_iter().map(|column| read(table, column)));
    }
    for text in texts(statement, schema, touched) {
        for need in joined(text, schema) {
            if let Need::On { object, column, .. } = &need
                && let Some(known) = schema.tables.get(object)
            {
                needs.extend(sources(known, column).into_iter().map(|source| read(object, source)));
            }
            needs.insert(need);
        }
        needs.extend(searched(text, schema));
    }
    needs.extend(ordered(statement, schema));
    needs.extend(of_definition(statement, schema));
    needs.extend(of_statistics(statement, schema));
    needs.into_iter().collect()
}

pub(super) fn read(table: &str, column: &str) -> Need {
    Need::On { verb: Verb::Read, object: table.to_owned(), column: column.to_owned() }
}

/// Returns what a generated column is made from, through other generated columns too.
pub(super) fn sources<'a>(table: &'a Table, column: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = vec![column];
    while let Some(column) = open.pop() {
        for source in table.generated.get(column).into_iter().flatten() {
            if found.insert(source.as_str()) {
                open.push(source);
            }
        }
    }
    found
}

/// Returns the columns that decide together with the updated ones whether a row is allowed: success or failure tells
/// about them.
fn checked<'a>(table: &'a Table, updated: &BTreeSet<&str>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    for group in &table.checked {
        let mut columns: BTreeSet<&str> = group.iter().map(String::as_str).collect();
        columns.extend(group.iter().flat_map(|column| sources(table, column)));
        if columns.iter().any(|column| updated.contains(column)) {
            found.extend(columns.into_iter().filter(|column| !updated.contains(column)));
        }
    }
    found
}

fn replaces(statement: &Statement, schema: &Schema, table: &Table, touch: &Touched) -> bool {
    text_of(statement, schema, touch).is_some_and(|text| text.replaces) || table.replaces
}

/// Returns the text that does something: the statement, or a view or trigger.
fn text_of<'a>(statement: &'a Statement, schema: &'a Schema, touch: &Touched) -> Option<&'a Statement> {
    match &touch.accessor {
        None => Some(statement),
        Some(accessor) => schema.text_of(accessor),
    }
}

/// Returns the statement and every view and trigger that takes part in it.
fn texts<'a>(statement: &'a Statement, schema: &'a Schema, touched: &'a [Touched]) -> Vec<&'a Statement> {
    let mut texts = Vec::new();
    let queries = matches!(statement.kind, StatementKind::Data | StatementKind::CreateTable { .. });
    if queries {
        texts.push(statement);
    }
    let accessors = touched.iter().filter_map(|touch| touch.accessor.as_deref());
    let read = touched.iter().filter_map(|touch| touch.what.as_ref()).map(|(_, table, _)| table.as_str());
    let mentioned = statement.names.iter().filter(|_| queries).map(String::as_str);
    let mut open: Vec<&str> = accessors.chain(read).chain(mentioned).collect();
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        if let Some(text) = schema.text_of(name).filter(|_| seen.insert(name)) {
            texts.push(text);
            open.extend(text.names.iter().map(String::as_str));
        }
    }
    texts
}

/// Returns the columns by which a text joins tables without naming them in a comparison.
fn joined(text: &Statement, schema: &Schema) -> BTreeSet<Need> {
    let mut needs = BTreeSet::new();
    if text.using.is_empty() && !text.natural {
        return needs;
    }
    let own = |name: &str| matches!(&text.kind, StatementKind::CreateView { view } if view.eq_ignore_ascii_case(name));
    let named = text.names.iter().map(String::as_str).filter(|name| schema.has(name) && !own(name));
    let named: Vec<&str> = named.collect();
    let columns = |name: &str| schema.tables.get(name).map_or(&[][..], |table| &table.columns);
    let with_query = may_join_query(text, schema);
    for name in &named {
        let own = columns(name);
        if text.natural {
            if own.is_empty() {
                needs.insert(read(name, "*"));
            }
            // A table that is joined with itself shares all its columns, and one that is joined with a query may share any.
            let any = with_query || text.repeated.contains(*name);
            let shared = |column: &&String| {
                any || named
                    .iter()
                    .any(|other| other != name && (columns(other).is_empty() || columns(other).contains(*column)))
            };
            needs.extend(own.iter().filter(shared).map(|column| read(name, column)));
        }
        needs.extend(
            text.using.iter().filter(|column| own.is_empty() || own.contains(*column)).map(|column| read(name, column)),
        );
    }
    needs
}

/// Tells whether there may be something in a text to join with whose columns are not known: a query inside the query, one
/// from WITH, rows of VALUES, a table that is called like a function.
fn may_join_query(text: &Statement, schema: &Schema) -> bool {
    let says = |word: &str| text.names.contains(word);
    // Other words with a parenthesis behind them are functions and parts of the language; none of them is a table.
    let is_table = |name: &String| schema.has(name) || is_table_function(name);
    text.repeated.contains("select") || says("values") || says("with") || text.called.iter().any(is_table)
}

/// Returns what a search rests on that is written as the argument of a full-text table: the columns it names are told to
/// the table, not to the database.
fn searched(text: &Statement, schema: &Schema) -> Vec<Need> {
    if matches!(text.kind, StatementKind::CreateVirtualTable { .. }) {
        return Vec::new();
    }
    text.called.iter().filter(|name| schema.is_virtual(name)).map(|name| read(name, "*")).collect()
}

/// Returns what an order to a full-text table needs, which is given as a row for its hidden columns: it may delete all there
/// is, or say how the owner's searches go from then on. <https://sqlite.org/fts5.html#special_insert_commands>
fn ordered(statement: &Statement, schema: &Schema) -> Vec<Need> {
    let gives_order = |name: &&String| {
        schema.is_virtual(name) && (statement.inserted.contains(*name) || statement.inserted.contains("rank"))
    };
    let tables = statement.names.iter().filter(gives_order);
    tables.flat_map(|name| [Verb::Delete, Verb::Alter].map(|verb| Need::object(verb, name))).collect()
}

/// Returns what the definition of a table rests on: other tables through REFERENCES, columns in expressions that are
/// checked against the rows there are, and chance, in which a DEFAULT is asked about by newer versions of SQLite only.
fn of_definition(statement: &Statement, schema: &Schema) -> Vec<Need> {
    let own = match &statement.kind {
        StatementKind::CreateTable { table, .. } | StatementKind::Alter { table, .. } => table,
        _ => return Vec::new(),
    };
    let others = statement.references.iter().filter(|reference| !reference.table.eq_ignore_ascii_case(own));
    let mut needs: Vec<Need> = others.flat_map(|reference| referred(reference, schema)).collect();
    // A table can have a function's name, and its columns stand behind it like arguments.
    let is_table = |name: &str| {
        name.eq_ignore_ascii_case(own)
            || statement.references.iter().any(|known| known.table.eq_ignore_ascii_case(name))
    };
    let called = statement.called.iter().filter(|name| !is_table(name));
    let functions = called.filter_map(|name| FunctionGrant::of_function(name));
    needs.extend(functions.map(|grant| Need::Function(grant.as_str().to_owned())));
    if let StatementKind::Alter { .. } = statement.kind
        && statement.expressions
        && let Some(table) = schema.table(own)
    {
        needs.extend(
            table.columns.iter().filter(|column| statement.names.contains(*column)).map(|column| read(own, column)),
        );
    }
    needs
}

/// Returns what a foreign key needs: to read what it refers to, because its success tells about it, and to refer to it,
/// because it can hold up whoever changes it.
fn referred(reference: &Reference, schema: &Schema) -> Vec<Need> {
    let table = &reference.table;
    let columns = match schema.table(table) {
        _ if !reference.columns.is_empty() => reference.columns.clone(),
        Some(known) if !known.primary.is_empty() => known.primary.clone(),
        // It has no key that could be meant, or is not there.
        Some(_) => vec!["*".to_owned()],
        None => vec![String::new()],
    };
    let on = |verb| columns.iter().map(move |column| Need::On { verb, object: table.clone(), column: column.clone() });
    on(Verb::Read).chain(on(Verb::Reference)).collect()
}

/// Returns what ANALYZE needs where the database asks nobody: of a view, a virtual table or one of its own it gathers
/// nothing, and makes the tables for statistics all the same.
fn of_statistics(statement: &Statement, schema: &Schema) -> Option<Need> {
    const WHOLE: [&str; 5] = ["analyze", "explain", "query", "plan", "main"];
    if statement.kind != StatementKind::Analyze {
        return None;
    }
    let is_asked_about = |name: &String| {
        let ordinary = schema.tables.get(name).is_some_and(|table| table.module.is_none());
        !name.starts_with("sqlite_") && (ordinary || schema.indexes.contains_key(name))
    };
    let whole = statement.names.iter().all(|name| WHOLE.contains(&name.as_str()));
    (!whole && !statement.names.iter().any(is_asked_about)).then_some(Need::Everything(Verb::Alter))
}
