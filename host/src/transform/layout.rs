//! Holds a `[transform]` against the live schema and settles what is read and written. Changes nothing.

use super::computed::computed_from;
use super::error::LayoutProblem;
use super::statements;
use super::table::{self, Key, KeyColumn, Table};
use crate::db::{DbError, Session, quote_identifier};
use crate::model::{Chunk, RowSource, Target, TransformSpec, WriteMode};
use crate::sql;

/// What a transform reads and writes on this database: columns found, key settled, statements made.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Where rows come from, for messages.
    pub(super) source: String,
    /// Where rows go, for messages.
    pub(super) into: String,
    pub(super) in_place: bool,
    /// Rows are ordered by the rowid, whichever column is another name of it.
    pub(super) by_rowid: bool,
    /// They go into a view, whose triggers put them wherever they like: the database does not count such rows.
    pub(super) into_view: bool,
    /// A statement that fails may leave a part of what it did.
    pub(super) stops_halfway: bool,
    /// What stands behind FROM.
    pub(super) from: String,
    pub(super) filter: Option<String>,
    /// What is selected, as SQL.
    pub(super) selected: Vec<String>,
    /// By what rows are ordered and found again: SQL, and where it is among those selected.
    pub(super) scan: Vec<(String, usize)>,
    /// By what a row is named to people.
    pub(super) shown: Vec<(String, usize)>,
    /// What the guest is given.
    pub(super) read: Vec<usize>,
    /// What is in the columns that are written; empty when rows go into another table.
    pub(super) current: Vec<usize>,
    pub(super) read_names: Vec<String>,
    pub(super) write_names: Vec<String>,
    /// Writes one row: the columns written, then in place the scan key.
    pub(super) write: String,
    /// Finds a row whose scan key is NULL; none where that cannot be.
    pub(super) null_key: Option<String>,
    /// Finds a key that several rows have; none where that cannot be.
    pub(super) same_key: Option<String>,
}

/// Problems found, or why the schema cannot be read.
pub(super) enum Unfit {
    Problems(Vec<LayoutProblem>),
    Db(DbError),
}

impl From<DbError> for Unfit {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

impl From<LayoutProblem> for Unfit {
    fn from(problem: LayoutProblem) -> Self {
        Self::Problems(vec![problem])
    }
}

pub(super) fn problem(message: String, hint: impl Into<Option<String>>) -> LayoutProblem {
    LayoutProblem { message, hint: hint.into() }
}

impl Layout {
    /// Holds a `[transform]` against the schema; reports everything that does not fit.
    pub fn find(session: &mut dyn Session, spec: &TransformSpec) -> Result<Result<Self, Vec<LayoutProblem>>, DbError> {
        match settle(session, spec) {
            Ok(layout) => Ok(Ok(layout)),
            Err(Unfit::Problems(problems)) => Ok(Err(problems)),
            Err(Unfit::Db(error)) => Err(error),
        }
    }

    /// Returns the names of the columns that the guest is given.
    pub fn read(&self) -> &[String] {
        &self.read_names
    }

    /// Returns where rows come from, for messages.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns the names of the columns that name a row.
    pub fn key(&self) -> Vec<String> {
        self.shown.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Returns the table that rows go into, or none when they are updated in place.
    pub fn into(&self) -> Option<&str> {
        (!self.in_place).then_some(self.into.as_str())
    }

    /// Returns the names of the columns that are written.
    pub fn write(&self) -> &[String] {
        &self.write_names
    }
}

fn settle(session: &mut dyn Session, spec: &TransformSpec) -> Result<Layout, Unfit> {
    let mut draft = match &spec.source {
        RowSource::Table(name) => of_table(session, spec, name)?,
        RowSource::Query(query) => of_query(session, spec, query)?,
    };
    match &spec.target {
        Target::InPlace => {}
        Target::Into { table, mode } => into_table(session, spec, table, *mode, &mut draft)?,
    }
    draft.stops_halfway = table::stops_halfway(session)?;
    // Only the database itself knows whether the filter can be read.
    let scan = statements::scan(&draft, false);
    let checked = session.prepare(&scan).map(|statement| session.close_statement(statement));
    if let Err(error) = checked {
        let what = if draft.filter.is_some() { "`where`" } else { "the rows" };
        return Err(problem(format!("{what} of the transform cannot be read: {error}"), None).into());
    }
    Ok(draft)
}

/// Adds to what is selected, once.
fn select(selected: &mut Vec<String>, sql: String) -> usize {
    match selected.iter().position(|known| *known == sql) {
        Some(index) => index,
        None => {
            selected.push(sql);
            selected.len() - 1
        }
    }
}

fn of_table(session: &mut dyn Session, spec: &TransformSpec, name: &str) -> Result<Layout, Unfit> {
    let table = existing(session, name, "table")?;
    if table.is_view {
        let hint = format!("write `query = \"SELECT … FROM {name}\"` with a `key`, and `into`");
        return Err(problem(format!("{name} is a view, not a table"), hint).into());
    }
    let mut problems = Vec::new();
    let known = |column: &String| match table.column(column) {
        Some(column) => Ok(column),
        None => Err(unknown_column(column, &table)),
    };
    let in_place = spec.target == Target::InPlace;
    let written: &[String] = if in_place { &spec.write } else { &[] };
    for column in spec.key.iter().chain(&spec.read).chain(written) {
        match known(column) {
            Err(unknown) if !problems.contains(&unknown) => problems.push(unknown),
            _ => {}
        }
    }
    for column in written.iter().filter_map(|column| table.column(column)) {
        if column.generated {
            let message = format!("column {} of {} is computed, so it cannot be written", column.name, table.name);
            problems.push(problem(message, None));
        }
    }
    if !problems.is_empty() {
        return Err(Unfit::Problems(problems));
    }
    let key = key(&table, &spec.key)?;
    let shown: Vec<String> = match key {
        Some(key) => key.columns.iter().map(|column| column.name.clone()).collect(),
        None => Vec::new(),
    };
    if in_place && let Some(column) = shown.iter().find(|key| written.iter().any(|name| name.eq_ignore_ascii_case(key)))
    {
        return Err(problem(format!("the transform writes {column}, which is the key of {}", table.name), None).into());
    }
    if in_place {
        computed_key(session, &table, &shown, written)?;
    }
    // The rowid is the shortest way through a table; but VACUUM may change it between two chunks.
    let by_rowid = table.rowid.filter(|_| spec.chunk == Chunk::Whole || key.is_some_and(|key| key.is_rowid));
    let mut selected = Vec::new();
    let (scan, from, null_key) = match (by_rowid, key) {
        (Some(rowid), _) => {
            // Where a column is another name of it, that one may be among those read, too.
            let alias = table.keys.iter().find(|key| key.is_rowid).and_then(|key| key.columns.first());
            let rowid = alias.map_or_else(|| rowid.to_owned(), |column| quote_identifier(&column.name));
            let index = select(&mut selected, rowid.clone());
            (vec![(rowid, index)], format!("{} NOT INDEXED", quote_identifier(&table.name)), None)
        }
        (None, Some(key)) => by_key(&table, key, &mut selected),
        (None, None) => {
            let message = format!("{} has no key by which a run that was stopped can go on", table.name);
            let hint = "give it a PRIMARY KEY or a UNIQUE index, or write `chunk = \"whole\"`".to_owned();
            return Err(problem(message, hint).into());
        }
    };
    let mut index = |name: &String| {
        let name = &table.column(name).map_or(name, |column| &column.name);
        select(&mut selected, quote_identifier(name))
    };
    let read: Vec<usize> = spec.read.iter().map(&mut index).collect();
    let current: Vec<usize> = written.iter().map(&mut index).collect();
    let shown = if shown.is_empty() {
        vec![(scan[0].0.clone(), scan[0].1)]
    } else {
        shown.iter().map(|name| (name.clone(), index(name))).collect()
    };
    Ok(Layout {
        source: table.name.clone(),
        into: table.name.clone(),
        in_place,
        by_rowid: by_rowid.is_some(),
        into_view: false,
        stops_halfway: false,
        filter: spec.filter.clone(),
        write: statements::update(&table.name, &spec.write, &scan),
        from,
        selected,
        scan,
        shown,
        read,
        current,
        read_names: spec.read.clone(),
        write_names: spec.write.clone(),
        null_key,
        same_key: None,
    })
}

/// Refuses a key that changes with what is written: a row that moves in it would be met again and again.
fn computed_key(session: &mut dyn Session, table: &Table, key: &[String], written: &[String]) -> Result<(), Unfit> {
    let is_generated = |name: &&String| table.column(name).is_some_and(|column| column.generated);
    let generated: Vec<&String> = key.iter().filter(is_generated).collect();
    if generated.is_empty() {
        return Ok(());
    }
    let definition = table::definition(session, table)?;
    for key in generated {
        if let Some(column) = computed_from(&definition, key, written) {
            let name = &table.name;
            let message = format!("the transform writes {column}, from which {key} is computed, the key of {name}");
            return Err(problem(message, None).into());
        }
    }
    Ok(())
}

type Scan = (Vec<(String, usize)>, String, Option<String>);

fn by_key(table: &Table, key: &Key, selected: &mut Vec<String>) -> Scan {
    let scan: Vec<(String, usize)> = key
        .columns
        .iter()
        .map(|column| {
            let name = quote_identifier(&column.name);
            let index = select(selected, name.clone());
            (format!("{name} COLLATE {}", quote_identifier(&column.collation)), index)
        })
        .collect();
    let quoted = quote_identifier(&table.name);
    // The rows of a table WITHOUT ROWID are in the order of its key already.
    let from = match &key.index {
        Some(index) if table.rowid.is_some() => format!("{quoted} INDEXED BY {}", quote_identifier(index)),
        _ => quoted,
    };
    let nullable: Vec<&KeyColumn> = key.columns.iter().filter(|column| column.nullable).collect();
    let null_key = (!nullable.is_empty()).then(|| {
        let tests: Vec<String> =
            nullable.iter().map(|column| format!("{} IS NULL", quote_identifier(&column.name))).collect();
        tests.join(" OR ")
    });
    (scan, from, null_key)
}

/// Finds the key: the one that is named, or else the primary key.
fn key<'t>(table: &'t Table, named: &[String]) -> Result<Option<&'t Key>, Unfit> {
    if named.is_empty() {
        return Ok(table.keys.first().filter(|key| key.primary));
    }
    let fits = |key: &&Key| {
        key.columns.len() == named.len()
            && named.iter().all(|name| key.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name)))
    };
    if let Some(key) = table.keys.iter().find(fits) {
        return Ok(Some(key));
    }
    let keys: Vec<String> = table.keys.iter().map(names).collect();
    let hint = match keys.as_slice() {
        [] => "leave `key` out: the rowid names a row".to_owned(),
        keys => format!("keys are {}", keys.join("; ")),
    };
    let message = format!("{} is no key of {}: no PRIMARY KEY or UNIQUE index is on it", named.join(", "), table.name);
    Err(problem(message, hint).into())
}

fn names(key: &Key) -> String {
    key.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn existing(session: &mut dyn Session, name: &str, word: &str) -> Result<Table, Unfit> {
    if let Some(table) = table::read(session, name)? {
        return Ok(table);
    }
    let known = table::names(session)?;
    let hint = sql::nearest(name, known.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
    Err(problem(format!("there is no {word} {name}"), hint).into())
}

fn unknown_column(name: &str, table: &Table) -> LayoutProblem {
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let hint = match sql::nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("its columns are {}", names.join(", ")),
    };
    problem(format!("{} has no column {name}", table.name), hint)
}

fn of_query(session: &mut dyn Session, spec: &TransformSpec, query: &str) -> Result<Layout, Unfit> {
    // On a line of its own, so that a comment at its end hides nothing.
    let from = format!("({}\n)", query.trim_end().trim_end_matches(';'));
    let columns = (|| {
        let cursor = session.open_cursor(&format!("SELECT * FROM {from} LIMIT 0"), &[])?;
        let columns = session.columns(cursor);
        session.close_cursor(cursor);
        columns
    })();
    let columns =
        columns.map_err(|error| problem(format!("`query` of the transform cannot be read: {error}"), None))?;
    let mut problems: Vec<LayoutProblem> = Vec::new();
    for name in spec.key.iter().chain(&spec.read) {
        if !columns.iter().any(|column| column.eq_ignore_ascii_case(name)) {
            let hint =
                sql::nearest(name, columns.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
            let unknown = problem(format!("the query has no column {name}"), hint);
            if !problems.contains(&unknown) {
                problems.push(unknown);
            }
        }
    }
    if let Target::Into { table, .. } = &spec.target
        && sql::tokens(query).any(|token| token.text.trim_matches(['"', '[', ']', '`']).eq_ignore_ascii_case(table))
    {
        problems.push(problem(format!("the query reads {table}, into which rows are written"), None));
    }
    if !problems.is_empty() {
        return Err(Unfit::Problems(problems));
    }
    let mut selected = Vec::new();
    let mut index = |name: &String| select(&mut selected, quote_identifier(name));
    let scan: Vec<(String, usize)> = spec.key.iter().map(|name| (quote_identifier(name), index(name))).collect();
    let read = spec.read.iter().map(&mut index).collect();
    let shown = spec.key.iter().map(|name| (name.clone(), index(name))).collect();
    let nulls: Vec<String> = scan.iter().map(|(key, _)| format!("{key} IS NULL")).collect();
    let keys: Vec<&str> = scan.iter().map(|(key, _)| key.as_str()).collect();
    Ok(Layout {
        source: "the query".into(),
        into: String::new(),
        in_place: false,
        by_rowid: false,
        into_view: false,
        stops_halfway: false,
        filter: spec.filter.clone(),
        write: String::new(),
        null_key: Some(nulls.join(" OR ")),
        same_key: Some(keys.join(", ")),
        from,
        selected,
        scan,
        shown,
        read,
        current: Vec::new(),
        read_names: spec.read.clone(),
        write_names: spec.write.clone(),
    })
}

fn into_table(
    session: &mut dyn Session,
    spec: &TransformSpec,
    name: &str,
    mode: WriteMode,
    draft: &mut Layout,
) -> Result<(), Unfit> {
    let table = existing(session, name, "table")?;
    let mut problems = Vec::new();
    for column in &spec.write {
        match table.column(column) {
            None => problems.push(unknown_column(column, &table)),
            Some(column) if column.generated => {
                let message = format!("column {} of {} is computed, so it cannot be written", column.name, table.name);
                problems.push(problem(message, None));
            }
            Some(_) => {}
        }
    }
    let written = |name: &str| spec.write.iter().any(|column| column.eq_ignore_ascii_case(name));
    let covered = table.keys.iter().find(|key| key.columns.iter().all(|column| written(&column.name)));
    if mode == WriteMode::Upsert && covered.is_none() && problems.is_empty() {
        let keys: Vec<String> = table.keys.iter().map(names).collect();
        let hint = if keys.is_empty() { None } else { Some(format!("its keys are {}", keys.join("; "))) };
        let message = format!("an upsert into {} must write all columns of one of its keys", table.name);
        problems.push(problem(message, hint));
    }
    if !problems.is_empty() {
        return Err(Unfit::Problems(problems));
    }
    draft.into.clone_from(&table.name);
    draft.into_view = table.is_view;
    draft.write = match (mode, covered) {
        (WriteMode::Upsert, Some(key)) => {
            let key: Vec<&str> = key.columns.iter().map(|column| column.name.as_str()).collect();
            statements::upsert(&table.name, &spec.write, &key)
        }
        _ => statements::insert(&table.name, &spec.write),
    };
    Ok(())
}
