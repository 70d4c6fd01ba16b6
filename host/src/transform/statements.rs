//! The SQL that a transform's host runs. Text only.

use super::layout::Layout;
use crate::db::quote_identifier;

/// Reads the next rows in the order of the key: after a key when `after`, at most as many as the last parameter says.
pub(super) fn scan(layout: &Layout, after: bool) -> String {
    scan_of(layout, &layout.selected.join(", "), after)
}

/// Reads the keys by which people know the next rows.
pub(super) fn scan_shown(layout: &Layout, after: bool) -> String {
    let shown: Vec<&str> = layout.shown.iter().map(|(_, index)| layout.selected[*index].as_str()).collect();
    scan_of(layout, &shown.join(", "), after)
}

fn scan_of(layout: &Layout, selected: &str, after: bool) -> String {
    let keys: Vec<&str> = layout.scan.iter().map(|(sql, _)| sql.as_str()).collect();
    let mut conditions = Vec::new();
    if let Some(filter) = &layout.filter {
        // A comment at its end must not hide the parenthesis.
        conditions.push(format!("({filter}\n)"));
    }
    if after {
        conditions.push(match keys.as_slice() {
            [key] => format!("{key} > ?"),
            keys => format!("({}) > ({})", keys.join(", "), places(keys.len())),
        });
    }
    let condition = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
    let (from, order) = (&layout.from, keys.join(", "));
    format!("SELECT {selected} FROM {from}{condition} ORDER BY {order} LIMIT ?")
}

/// Reads the row with a key, if the transform would read it.
pub(super) fn one(layout: &Layout) -> String {
    let quoted = |index: usize| layout.selected[index].as_str();
    let mut conditions: Vec<String> = layout.shown.iter().map(|(_, index)| format!("{} = ?", quoted(*index))).collect();
    if let Some(filter) = &layout.filter {
        conditions.push(format!("({filter}\n)"));
    }
    let (selected, from) = (layout.selected.join(", "), layout.from.split(" INDEXED BY ").next().unwrap_or_default());
    format!("SELECT {selected} FROM {from} WHERE {} LIMIT ?", conditions.join(" AND "))
}

/// Reads the scan keys of all rows, in their order.
pub(super) fn keys(layout: &Layout) -> String {
    let selected: Vec<&str> = layout.scan.iter().map(|(_, index)| layout.selected[*index].as_str()).collect();
    let order: Vec<&str> = layout.scan.iter().map(|(key, _)| key.as_str()).collect();
    let condition = layout.filter.as_ref().map(|filter| format!(" WHERE ({filter}\n)")).unwrap_or_default();
    format!("SELECT {} FROM {}{condition} ORDER BY {}", selected.join(", "), layout.from, order.join(", "))
}

/// Reads the row with a scan key.
pub(super) fn at(layout: &Layout) -> String {
    let conditions: Vec<String> = layout.scan.iter().map(|(key, _)| format!("{key} = ?")).collect();
    format!("SELECT {} FROM {} WHERE {} LIMIT 1", layout.selected.join(", "), layout.from, conditions.join(" AND "))
}

/// Reads the key of the last row.
pub(super) fn last(layout: &Layout) -> String {
    let keys: Vec<&str> = layout.scan.iter().map(|(_, index)| layout.selected[*index].as_str()).collect();
    let order: Vec<String> = layout.scan.iter().map(|(key, _)| format!("{key} DESC")).collect();
    let condition = layout.filter.as_ref().map(|filter| format!(" WHERE ({filter}\n)")).unwrap_or_default();
    format!("SELECT {} FROM {}{condition} ORDER BY {} LIMIT 1", keys.join(", "), layout.from, order.join(", "))
}

/// Counts the rows that a transform reads.
pub(super) fn count(layout: &Layout) -> String {
    let from = &layout.from;
    match &layout.filter {
        Some(filter) => format!("SELECT count(*) FROM {from} WHERE ({filter}\n)"),
        None => format!("SELECT count(*) FROM {from}"),
    }
}

/// Writes columns of the row with a key.
pub(super) fn update(table: &str, columns: &[String], key: &[(String, usize)]) -> String {
    let set: Vec<String> = columns.iter().map(|column| format!("{} = ?", quote_identifier(column))).collect();
    let key: Vec<String> = key.iter().map(|(sql, _)| format!("{sql} = ?")).collect();
    format!("UPDATE {} SET {} WHERE {}", quote_identifier(table), set.join(", "), key.join(" AND "))
}

/// Adds a row.
pub(super) fn insert(table: &str, columns: &[String]) -> String {
    let names: Vec<String> = columns.iter().map(|column| quote_identifier(column)).collect();
    format!("INSERT INTO {} ({}) VALUES ({})", quote_identifier(table), names.join(", "), places(columns.len()))
}

/// Adds a row, or updates the one that has its key.
pub(super) fn upsert(table: &str, columns: &[String], key: &[&str]) -> String {
    let in_key = |column: &String| key.iter().any(|key| key.eq_ignore_ascii_case(column));
    let set: Vec<String> = columns
        .iter()
        .filter(|column| !in_key(column))
        .map(|column| {
            let column = quote_identifier(column);
            format!("{column} = excluded.{column}")
        })
        .collect();
    let key: Vec<String> = key.iter().map(|column| quote_identifier(column)).collect();
    let action = if set.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {}", set.join(", ")) };
    format!("{} ON CONFLICT ({}) DO {action}", insert(table, columns), key.join(", "))
}

fn places(count: usize) -> String {
    vec!["?"; count].join(", ")
}
