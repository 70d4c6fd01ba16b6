//! What a table of the database looks like: columns, keys, collations. Reads the schema only.

use crate::db::{DbError, Session, Value, for_each_row};

/// A table as the database has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Table {
    /// Its name as the schema writes it.
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// Sets of columns that name a row; the primary key comes first.
    pub(super) keys: Vec<Key>,
    /// A name by which the rowid can be had; none in a table without, and where columns hide it.
    pub(super) rowid: Option<&'static str>,
    pub(super) is_view: bool,
}

/// A column.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    /// Computed, so it cannot be written.
    pub(super) generated: bool,
    pub(super) not_null: bool,
}

/// A set of columns that names a row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Key {
    pub(super) columns: Vec<KeyColumn>,
    pub(super) primary: bool,
    /// The index that keeps it; none for the rowid itself.
    pub(super) index: Option<String>,
    /// The one column is another name of the rowid.
    pub(super) is_rowid: bool,
}

/// A column of a key, with the collation under which it is unique.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct KeyColumn {
    pub(super) name: String,
    pub(super) collation: String,
    pub(super) nullable: bool,
}

impl Table {
    /// Finds a column, by any case of its name.
    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }
}

/// A table or view, and whether its primary key has no index, but is the table: then it has no rowid. (`pragma_table_list`
/// would tell, too, and compile every view of the database for that.)
const WHAT: &str = "SELECT o.name, iif(o.type = 'table' AND o.rootpage = 0, 'virtual', o.type), \
    EXISTS (SELECT 1 FROM pragma_index_list(o.name, 'main') l WHERE l.origin = 'pk' \
        AND NOT EXISTS (SELECT 1 FROM main.sqlite_schema i WHERE i.type = 'index' AND i.name = l.name)) \
    FROM main.sqlite_schema o WHERE o.type IN ('table', 'view') AND o.name = ? COLLATE NOCASE";

/// Looks at a table; `None` when there is none of this name.
pub(super) fn read(session: &mut dyn Session, name: &str) -> Result<Option<Table>, DbError> {
    let found = rows(session, WHAT, &[name.into()])?;
    let Some([Value::Text(name), Value::Text(kind), without_rowid]) = found.first().map(Vec::as_slice) else {
        return Ok(None);
    };
    let without_rowid = *without_rowid == Value::Integer(1);
    let is_view = kind == "view";
    let listed = rows(
        session,
        "SELECT name, type, \"notnull\", pk, hidden FROM pragma_table_xinfo(?)",
        &[name.as_str().into()],
    )?;
    let mut columns = Vec::new();
    let mut primary: Vec<(i64, String, String)> = Vec::new();
    for row in listed {
        let [Value::Text(name), kind, Value::Integer(not_null), Value::Integer(pk), Value::Integer(hidden)] =
            row.as_slice()
        else {
            continue;
        };
        if *hidden == 1 {
            continue;
        }
        if *pk > 0 {
            let kind = if let Value::Text(kind) = kind { kind.clone() } else { String::new() };
            primary.push((*pk, name.clone(), kind));
        }
        columns.push(Column { name: name.clone(), generated: *hidden > 1, not_null: *not_null != 0 });
    }
    primary.sort();
    let mut table = Table { name: name.clone(), columns, keys: Vec::new(), rowid: None, is_view };
    table.keys = unique_indexes(session, &table)?;
    if let [(_, column, kind)] = primary.as_slice()
        && !without_rowid
        && kind.eq_ignore_ascii_case("INTEGER")
        && !table.keys.iter().any(|key| key.primary)
    {
        let column = KeyColumn { name: column.clone(), collation: "BINARY".into(), nullable: false };
        table.keys.insert(0, Key { columns: vec![column], primary: true, index: None, is_rowid: true });
    }
    table.keys.sort_by_key(|key| !key.primary);
    if !without_rowid && !is_view && kind == "table" {
        table.rowid = ["rowid", "_rowid_", "oid"].into_iter().find(|name| table.column(name).is_none());
    }
    Ok(Some(table))
}

/// Returns the text that made a table, as the schema keeps it.
pub(super) fn definition(session: &mut dyn Session, table: &Table) -> Result<String, DbError> {
    let sql = "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE";
    let found = rows(session, sql, &[table.name.as_str().into()])?;
    match found.into_iter().flatten().next() {
        Some(Value::Text(sql)) => Ok(sql),
        _ => Ok(String::new()),
    }
}

fn unique_indexes(session: &mut dyn Session, table: &Table) -> Result<Vec<Key>, DbError> {
    let sql = "SELECT name, origin FROM pragma_index_list(?) WHERE \"unique\" = 1 AND partial = 0 ORDER BY seq DESC";
    let mut keys = Vec::new();
    for index in rows(session, sql, &[table.name.as_str().into()])? {
        let [Value::Text(name), Value::Text(origin)] = index.as_slice() else { continue };
        let sql = "SELECT cid, name, coll FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno";
        let mut columns = Vec::new();
        let mut plain = true;
        for part in rows(session, sql, &[name.as_str().into()])? {
            match part.as_slice() {
                [Value::Integer(0..), Value::Text(column), Value::Text(collation)] => {
                    let nullable = !table.column(column).is_some_and(|column| column.not_null);
                    columns.push(KeyColumn { name: column.clone(), collation: collation.clone(), nullable });
                }
                // An expression names no column.
                _ => plain = false,
            }
        }
        if plain && !columns.is_empty() {
            let primary = origin == "pk";
            keys.push(Key { columns, primary, index: Some(name.clone()), is_rowid: false });
        }
    }
    Ok(keys)
}

/// Tells whether a statement may fail and leave a part of what it did. That takes a RAISE(FAIL) or an OR FAIL, be it in a
/// trigger of another table that its own triggers write.
pub(super) fn stops_halfway(session: &mut dyn Session) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM (SELECT sql FROM main.sqlite_schema UNION ALL SELECT sql FROM temp.sqlite_schema)
        WHERE sql LIKE '%FAIL%' LIMIT 1";
    Ok(!rows(session, sql, &[])?.is_empty())
}

/// Names the tables and views of the database.
pub(super) fn names(session: &mut dyn Session) -> Result<Vec<String>, DbError> {
    let sql =
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let found = rows(session, sql, &[])?;
    Ok(found
        .into_iter()
        .filter_map(|row| match row.into_iter().next() {
            Some(Value::Text(name)) => Some(name),
            _ => None,
        })
        .collect())
}

/// Returns all rows of a small query.
pub(super) fn rows(session: &mut dyn Session, sql: &str, params: &[Value]) -> Result<Vec<Vec<Value>>, DbError> {
    let mut rows = Vec::new();
    for_each_row(session, sql, params, &mut |row| {
        rows.push(row.to_vec());
        Ok(())
    })?;
    Ok(rows)
}
