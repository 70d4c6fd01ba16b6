//! Compares schemas: by their text, or by what they mean. Writes one as text that does not depend on how it came about.

use rusqlite::Connection;

use super::{Difference, Differences, is_one_of, shorten};
use crate::sql::{self, Token, TokenKind};

// SQLite looks at every table for each row that it joins with `pragma_table_list`, so that is read once.
const OBJECTS: &str = "WITH l AS MATERIALIZED (SELECT name, type FROM pragma_table_list WHERE schema = 'main') \
    SELECT s.type, s.name, s.tbl_name, s.sql, coalesce(l.type, '') = 'shadow' FROM sqlite_schema s \
    LEFT JOIN l ON l.name = s.tbl_name ORDER BY s.type, s.name";
const COLUMNS: &str =
    "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid";

/// A table, index, view or trigger.
#[derive(Debug, Eq, PartialEq)]
struct Object {
    kind: String,
    name: String,
    table: String,
    sql: Option<String>,
    is_shadow: bool,
}

impl Object {
    fn title(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }

    /// Tells whether SQLite makes it itself: where numbers, statistics and virtual tables are kept, indexes of
    /// constraints.
    fn is_sqlites(&self) -> bool {
        self.is_shadow || self.name.to_ascii_lowercase().starts_with("sqlite_")
    }
}

fn objects(connection: &Connection, leave_out: &[String]) -> rusqlite::Result<Vec<Object>> {
    let mut statement = connection.prepare(OBJECTS)?;
    let rows = statement.query_map([], |row| {
        let (kind, name, table) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Object { kind, name, table, sql: row.get(3)?, is_shadow: row.get(4)? })
    })?;
    let objects: Vec<Object> = rows.collect::<rusqlite::Result<_>>()?;
    Ok(objects.into_iter().filter(|object| !is_one_of(&object.table, leave_out)).collect())
}

/// Finds the first object whose text is not the same.
pub(super) fn first(
    first: &Connection,
    second: &Connection,
    leave_out: &[String],
) -> rusqlite::Result<Option<Difference>> {
    let (first, second) = (objects(first, leave_out)?, objects(second, leave_out)?);
    let same = first.iter().zip(&second).take_while(|(one, other)| one == other).count();
    let side = |side: &[Object], object: &str| {
        let found = side.iter().find(|one| one.title() == object);
        found.map(|found| shorten(found.sql.as_deref().unwrap_or_default()))
    };
    let differing = first.get(same).into_iter().chain(second.get(same)).map(Object::title).min();
    Ok(differing.map(|object| Difference::Schema {
        first: side(&first, &object),
        second: side(&second, &object),
        object,
    }))
}

/// Finds everything that does not mean the same.
pub(super) fn differences(
    first: &Connection,
    second: &Connection,
    leave_out: &[String],
) -> rusqlite::Result<Differences> {
    let (one, other) = (objects(first, leave_out)?, objects(second, leave_out)?);
    let find = |side: &[Object], object: &Object| {
        side.iter().position(|found| found.kind == object.kind && found.name.eq_ignore_ascii_case(&object.name))
    };
    let mut found = Differences::default();
    for object in one.iter().filter(|object| !object.is_sqlites()) {
        match find(&other, object).map(|index| &other[index]) {
            Some(same) => object.differences(first, same, second, &mut found.named)?,
            None => found.named.push(Difference::Schema {
                object: object.title(),
                first: Some(shorten(object.sql.as_deref().unwrap_or_default())),
                second: None,
            }),
        }
    }
    let added = other.iter().filter(|object| !object.is_sqlites() && find(&one, object).is_none());
    found.named.extend(added.map(|object| Difference::Schema {
        object: object.title(),
        first: None,
        second: Some(shorten(object.sql.as_deref().unwrap_or_default())),
    }));
    Ok(found)
}

impl Object {
    fn differences(
        &self,
        first: &Connection,
        other: &Self,
        second: &Connection,
        found: &mut Vec<Difference>,
    ) -> rusqlite::Result<()> {
        let (one, two) = (self.sql.as_deref().unwrap_or_default(), other.sql.as_deref().unwrap_or_default());
        let Some((one, two)) = apart(one, two) else { return Ok(()) };
        let before = found.len();
        if self.kind == "table" {
            columns(&self.name, (first, &self.name), (second, &other.name), found)?;
        }
        // What the columns say is said; the rest is somewhere in the text.
        if found.len() == before {
            found.push(Difference::Schema { object: self.title(), first: Some(one), second: Some(two) });
        }
        Ok(())
    }
}

/// Returns what two definitions say from where they mean different things; `None` when they never do.
fn apart(one: &str, other: &str) -> Option<(String, String)> {
    let significant = |sql: &str| -> Vec<(usize, TokenKind, String)> {
        let tokens = sql::tokens(sql).filter(Token::is_significant);
        tokens.map(|token| (token.start, token.kind, token.name().unwrap_or_else(|| token.text.to_owned()))).collect()
    };
    let is_name = |kind: TokenKind| matches!(kind, TokenKind::Word | TokenKind::QuotedIdentifier);
    let same = |one: &(usize, TokenKind, String), other: &(usize, TokenKind, String)| match (one.1, other.1) {
        // SQLite takes what is quoted for a text where it knows no such name.
        (TokenKind::QuotedIdentifier, TokenKind::QuotedIdentifier) => one.2 == other.2,
        (first, second) if is_name(first) && is_name(second) => one.2.eq_ignore_ascii_case(&other.2),
        (first, second) => first == second && one.2 == other.2,
    };
    let (first, second) = (significant(one), significant(other));
    let equal = first.iter().zip(&second).take_while(|(one, other)| same(one, other)).count();
    if equal == first.len() && equal == second.len() {
        return None;
    }
    let rest = |sql: &str, tokens: &[(usize, TokenKind, String)]| match tokens.get(equal) {
        Some((0, ..)) => shorten(sql),
        Some((start, ..)) => format!("…{}", shorten(&sql[*start..])),
        None => "…".to_owned(),
    };
    Some((rest(one, &first), rest(other, &second)))
}

/// A column as it is declared: name and declaration.
type Column = (String, String);

fn declared(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Column>> {
    let mut statement = connection.prepare(COLUMNS)?;
    let rows = statement.query_map([table], |row| {
        let name: String = row.get(0)?;
        let mut words = vec![row.get::<_, String>(1)?];
        words.extend(row.get::<_, bool>(2)?.then(|| "NOT NULL".to_owned()));
        words.extend(row.get::<_, Option<String>>(3)?.map(|default| format!("DEFAULT {default}")));
        words.extend((row.get::<_, i64>(4)? > 0).then(|| "PRIMARY KEY".to_owned()));
        words.extend((row.get::<_, i64>(5)? > 1).then(|| "GENERATED".to_owned()));
        words.retain(|word| !word.is_empty());
        let declaration = if words.is_empty() { "no type".to_owned() } else { words.join(" ") };
        Ok((name, declaration))
    })?;
    rows.collect()
}

/// Names the columns that are not declared in the same way, or else their order.
fn columns(
    table: &str,
    (first, in_first): (&Connection, &str),
    (second, in_second): (&Connection, &str),
    found: &mut Vec<Difference>,
) -> rusqlite::Result<()> {
    let (one, other) = (declared(first, in_first)?, declared(second, in_second)?);
    let find = |side: &[Column], name: &str| {
        side.iter().find(|(column, _)| column.eq_ignore_ascii_case(name)).map(|(_, declaration)| declaration.clone())
    };
    let before = found.len();
    let added = other.iter().filter(|(column, _)| find(&one, column).is_none());
    for (column, _) in one.iter().chain(added) {
        let (first, second) = (find(&one, column), find(&other, column));
        let same = match (&first, &second) {
            (Some(first), Some(second)) => first.eq_ignore_ascii_case(second),
            (first, second) => first == second,
        };
        if !same {
            let (table, column) = (table.to_owned(), column.clone());
            found.push(Difference::Column { table, column, first, second });
        }
    }
    let names = |side: &[Column]| side.iter().map(|(column, _)| column.as_str()).collect::<Vec<_>>().join(", ");
    let (first, second) = (names(&one), names(&other));
    if found.len() == before && !first.eq_ignore_ascii_case(&second) {
        found.push(Difference::Order { table: table.to_owned(), first, second });
    }
    Ok(())
}

/// Writes the schema as text: tables by name, each with its indexes and triggers, then views; without the tables named
/// and without what SQLite makes itself.
pub(super) fn snapshot(connection: &Connection, leave_out: &[String]) -> rusqlite::Result<String> {
    let mut objects = objects(connection, leave_out)?;
    objects.retain(|object| object.sql.is_some() && !object.is_sqlites());
    let views: Vec<String> =
        objects.iter().filter(|object| object.kind == "view").map(|view| view.name.to_ascii_lowercase()).collect();
    let rank = |object: &Object| match object.kind.as_str() {
        "table" | "view" => 0,
        "index" => 1,
        _ => 2,
    };
    objects.sort_by_cached_key(|object| {
        let owner = object.table.to_ascii_lowercase();
        (views.contains(&owner), owner, rank(object), object.name.to_ascii_lowercase())
    });
    let text =
        |object: &Object| object.sql.as_deref().unwrap_or_default().trim_end_matches([';', ' ', '\n']).to_owned();
    let mut script = String::new();
    for object in &objects {
        if !script.is_empty() {
            script.push('\n');
        }
        script.push_str(&text(object));
        script.push_str(";\n");
    }
    Ok(script)
}
