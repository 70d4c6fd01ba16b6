//! Holds what a guest has changed against what it was granted; written without the host's rules, on purpose.

use whimbrel::grants::{TableGrant, Verb};

use crate::input::Case;
use crate::snapshot::{Content, Object, Snapshot};
use crate::world::{TABLES, Table};

/// Tables in which fts5 and rtree keep rows end with these.
const BEHIND: [&str; 8] = ["_data", "_idx", "_content", "_docsize", "_config", "_node", "_rowid", "_parent"];

fn means(grant: &TableGrant, table: &str) -> bool {
    let (table, own) = (table.to_ascii_lowercase(), grant.table.to_ascii_lowercase());
    own.strip_suffix('*').map_or(own == table, |prefix| table.starts_with(prefix))
}

/// Tells whether something is granted on an object.
fn can(case: &Case, verb: Verb, object: &str) -> bool {
    case.grants.of(verb).iter().any(|grant| means(grant, object))
}

fn can_column(case: &Case, verb: Verb, table: &str, column: &str) -> bool {
    case.grants.of(verb).iter().any(|grant| {
        let listed = || grant.columns.iter().any(|own| own.eq_ignore_ascii_case(column));
        means(grant, table) && (grant.columns.is_empty() || listed())
    })
}

/// Tells whether a column of the setup may be read.
pub(crate) fn is_readable(case: &Case, table: &Table, column: &str) -> bool {
    if table.name.starts_with("_whimbrel") {
        return false;
    }
    // A search looks into all columns, and the rank is made of all.
    let searched = table.generated.contains(&"rank");
    let whole = |name: &&&str| can_column(case, Verb::Read, table.name, name);
    let behind = |name: &str| {
        let grants = case.grants.of(Verb::Read).iter();
        grants.filter(|grant| !grant.table.ends_with('*')).any(|grant| {
            let own = grant.table.to_ascii_lowercase();
            BEHIND.iter().any(|suffix| own == format!("{name}{suffix}"))
        })
    };
    can_column(case, Verb::Read, table.name, column)
        || (searched && table.generated.iter().find(whole).is_some())
        || behind(table.name)
}

/// Returns what was changed without a grant.
pub(crate) fn changes(before: &Snapshot, after: &Snapshot, case: &Case) -> Vec<String> {
    let mut wrong = Vec::new();
    if before.settings != after.settings {
        wrong.push(format!("settings: {:?} {:?}", before.settings, after.settings));
    }
    for (key, object) in &after.objects {
        let old = before.objects.get(key);
        if old != Some(object) && !may_make(case, key, old, object) {
            wrong.push(format!("{} {} was made or changed: {object:?}", key.0, key.1));
        }
    }
    for (key, object) in &before.objects {
        if !after.objects.contains_key(key) && !may_drop(case, key, object) {
            wrong.push(format!("{} {} was dropped", key.0, key.1));
        }
    }
    for (name, old) in &before.contents {
        if let Some(new) = after.contents.get(name) {
            wrong.extend(rows_changed(case, name, old, new).into_iter().map(|what| format!("{name}: {what}")));
        }
    }
    let history = "_whimbrel_history";
    if before.contents.get(history) != after.contents.get(history) {
        wrong.push("the host's own table was changed".to_owned());
    }
    wrong
}

/// Tells whether an object may be new or have a new definition.
fn may_make(case: &Case, (kind, name): &(String, String), old: Option<&Object>, new: &Object) -> bool {
    let can = |verb, object: &str| can(case, verb, object);
    let on = |verb| can(verb, &new.table) || old.is_some_and(|old| can(verb, &old.table));
    match kind.as_str() {
        "table" if name.starts_with("sqlite_stat") => !case.grants.alter.is_empty(),
        "table" if name == "sqlite_sequence" => !case.grants.create.is_empty(),
        "table" if old.is_some() => can(Verb::Alter, name) || (can(Verb::Drop, name) && can(Verb::Create, name)),
        "table" => can(Verb::Create, name) || behind(name).is_some_and(|owner| can(Verb::Create, owner)),
        // Those that SQLite makes for UNIQUE have no text.
        "index" if new.sql.is_none() => on(Verb::Create) || on(Verb::Alter),
        "index" if old.is_some() => on(Verb::Alter) || on(Verb::Create),
        "index" => can(Verb::Create, name) && (on(Verb::Alter) || on(Verb::Create)),
        "view" => can(Verb::View, name),
        // A table takes its triggers with it when it gets another name.
        _ => on(Verb::Trigger) || (old.is_some() && on(Verb::Alter)),
    }
}

/// Returns the virtual table that keeps rows in this one, by the name.
fn behind(name: &str) -> Option<&str> {
    BEHIND.iter().find_map(|suffix| name.strip_suffix(suffix))
}

fn may_drop(case: &Case, (kind, name): &(String, String), object: &Object) -> bool {
    let can = |verb, object: &str| can(case, verb, object);
    match kind.as_str() {
        "table" => {
            let gone = |name: &str| can(Verb::Drop, name) || can(Verb::Alter, name);
            gone(name) || behind(name).is_some_and(gone)
        }
        "index" => can(Verb::Drop, name) || can(Verb::Drop, &object.table) || can(Verb::Alter, &object.table),
        "view" => can(Verb::View, name),
        _ => [Verb::Trigger, Verb::Drop, Verb::View, Verb::Alter].into_iter().any(|verb| can(verb, &object.table)),
    }
}

/// Returns what changed in the rows of a table without a grant.
fn rows_changed(case: &Case, name: &str, old: &Content, new: &Content) -> Vec<String> {
    let can = |verb| can(case, verb, name);
    let mut wrong = Vec::new();
    if old == new || (can(Verb::Drop) && can(Verb::Create)) {
        return wrong;
    }
    let Some(table) = TABLES.iter().find(|table| table.name == name) else {
        let writes = [Verb::Insert, Verb::Update, Verb::Delete, Verb::Alter, Verb::Drop, Verb::Create];
        let on = |object: &str| writes.into_iter().any(|verb| self::can(case, verb, object));
        let own = match name {
            // What was inserted last, and statistics: any such grant may be the reason.
            "sqlite_sequence" => true,
            _ => on(name) || behind(name).is_some_and(on),
        };
        if !own {
            wrong.push(format!("{old:?} {new:?}"));
        }
        return wrong;
    };
    if old.columns != new.columns {
        if !can(Verb::Alter) {
            wrong.push(format!("has other columns: {:?}", new.columns));
        }
        return wrong;
    }
    let key = [table.key, "rowid"].into_iter().any(|column| can_column(case, Verb::Update, name, column));
    if key {
        let (less, more) = (new.rows.len() < old.rows.len(), new.rows.len() > old.rows.len());
        if (less && !can(Verb::Delete)) || (more && !can(Verb::Insert)) {
            wrong.push(format!("{} rows are {} now", old.rows.len(), new.rows.len()));
        }
        return wrong;
    }
    for (key, cells) in &old.rows {
        match new.rows.get(key) {
            None if !can(Verb::Delete) => wrong.push(format!("row {key} is gone")),
            Some(_) if (can(Verb::Delete) && can(Verb::Insert)) || can(Verb::Alter) => {}
            Some(changed) => {
                for (column, (cell, changed)) in old.columns.iter().zip(cells.iter().zip(changed)) {
                    let own =
                        table.generated.contains(&column.as_str()) || can_column(case, Verb::Update, name, column);
                    if cell != changed && !own {
                        wrong.push(format!("row {key}: {column} was {cell} and is {changed}"));
                    }
                }
            }
            None => {}
        }
    }
    if let Some(key) = new.rows.keys().find(|key| !old.rows.contains_key(*key)).filter(|_| !can(Verb::Insert)) {
        wrong.push(format!("row {key} is new"));
    }
    wrong
}

/// Returns where what was left behind depends on what may not be read.
pub(crate) fn differences(before: &Snapshot, left: &Snapshot, right: &Snapshot, case: &Case) -> Vec<String> {
    let mut told = Vec::new();
    if left.objects != right.objects {
        told.push(format!("objects: {:?} {:?}", left.objects, right.objects));
    }
    // With another name or other columns, a table takes along what may not be read.
    let kept = TABLES.iter().all(|table| {
        let columns = |snapshot: &Snapshot| snapshot.contents.get(table.name).map(|content| content.columns.clone());
        columns(left).is_some() && columns(left) == columns(before)
    });
    for (name, content) in &left.contents {
        let Some(other) = right.contents.get(name) else { continue };
        match TABLES.iter().find(|table| table.name == name) {
            Some(table) => told.extend(readable_differences(case, table, content, other)),
            None if !kept || name.starts_with("sqlite_") || before.contents.contains_key(name) => {}
            None if lends_rows(left, name) => {}
            None if content != other => told.push(format!("{name}: {content:?} {other:?}")),
            None => {}
        }
    }
    told
}

/// Tells whether a table shows rows of another one: fts5 with content of its own does not, and reads for whoever asks.
fn lends_rows(snapshot: &Snapshot, name: &str) -> bool {
    let object = snapshot.objects.get(&("table".to_owned(), name.to_owned()));
    let sql = object.and_then(|object| object.sql.as_deref()).unwrap_or_default().to_ascii_lowercase();
    sql.contains("virtual") && sql.contains("content")
}

fn readable_differences(case: &Case, table: &Table, left: &Content, right: &Content) -> Vec<String> {
    let mut told = Vec::new();
    if left.columns != right.columns || !left.rows.keys().eq(right.rows.keys()) {
        told.push(format!("{}: {left:?} {right:?}", table.name));
        return told;
    }
    for (key, cells) in &left.rows {
        let others = &right.rows[key];
        for (column, (cell, other)) in left.columns.iter().zip(cells.iter().zip(others)) {
            let known = table.own.iter().any(|(name, _)| name == column) || table.shared.contains(&column.as_str());
            let shared = table.shared.contains(&column.as_str()) || is_readable(case, table, column);
            if cell != other && known && shared {
                told.push(format!("{}, row {key}: {column} is {cell} or {other}", table.name));
            }
        }
    }
    told
}
