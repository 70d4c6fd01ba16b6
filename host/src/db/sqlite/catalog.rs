//! Reads from a database what the rules on grants have to know of its schema.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::OnceLock;

use rusqlite::Connection;

use super::{comparison, statement_kind};
use crate::grants::{Order, Schema, Statement, Table, Trigger};
use crate::sql::{self, Token, TokenKind};

/// The longest definition whose expressions make no program that matters: they have no queries inside of them.
const SHORT: usize = 2_000;

/// Reads the schema; only for the host, without any restriction in force.
pub(super) fn read(connection: &Connection, foreign_functions: &HashSet<String>) -> rusqlite::Result<Schema> {
    let mut schema = Schema { foreign_functions: foreign_functions.clone(), ..Schema::default() };
    let mut statement = connection.prepare("SELECT type, name, tbl_name, sql, rootpage FROM main.sqlite_schema")?;
    let mut rows = statement.raw_query();
    let mut indexes = Vec::new();
    // Tables without a rowid: their key is the end of every index of theirs.
    let mut keyed = HashSet::new();
    while let Some(row) = rows.next()? {
        let text = |column: usize| row.get::<_, Option<String>>(column).map(Option::unwrap_or_default);
        let (kind, name, table, sql) = (text(0)?, text(1)?, text(2)?, text(3)?);
        let root: i64 = row.get::<_, Option<i64>>(4)?.unwrap_or_default();
        let (name, table) = (name.to_ascii_lowercase(), table.to_ascii_lowercase());
        match kind.as_str() {
            "table" => {
                let (table, has_rowid) = read_table(&sql);
                if !has_rowid {
                    let order = Order { table: name.clone(), index: None, columns: table.primary.clone() };
                    schema.orders.insert(root, order);
                    keyed.insert(name.clone());
                }
                schema.tables.insert(name, table);
            }
            "view" => {
                schema.views.insert(name, statement_kind::read(&sql));
            }
            "trigger" => {
                schema.triggers.insert(name, Trigger { table, text: statement_kind::read(&sql) });
            }
            "index" => {
                indexes.push((name.clone(), table.clone(), sql, root));
                schema.indexes.insert(name, table);
            }
            _ => {}
        }
    }
    for (name, owner, sql, root) in indexes {
        let Some(table) = schema.tables.get_mut(&owner) else { continue };
        table.long |= sql.len() > SHORT;
        if let Some(group) = expression_columns(&sql, table) {
            table.checked.push(group);
        }
        let mut columns =
            if sql.is_empty() { columns_of(connection, &name)? } else { index_columns(&sql, &table.columns) };
        if keyed.contains(&owner) {
            columns
                .extend(table.primary.iter().filter(|column| !columns.contains(column)).cloned().collect::<Vec<_>>());
        }
        if sql.is_empty() || is_unique(&sql) {
            table.unique.extend(columns.iter().cloned());
        }
        schema.orders.insert(root, Order { table: owner, index: Some(name), columns });
    }
    Ok(schema)
}

/// Returns the functions that a program has added to its connection: neither SQLite's nor the host's.
pub(super) fn foreign_functions(connection: &Connection) -> rusqlite::Result<HashSet<String>> {
    let all = functions(connection)?;
    let own = own_functions()?;
    Ok(all.difference(own).cloned().collect())
}

/// Tells whether SQLite itself has a function of this name, in small letters.
pub fn has_function(name: &str) -> bool {
    own_functions().is_ok_and(|own| own.contains(name))
}

fn own_functions() -> rusqlite::Result<&'static HashSet<String>> {
    static OWN: OnceLock<HashSet<String>> = OnceLock::new();
    if let Some(own) = OWN.get() {
        return Ok(own);
    }
    let own = functions(&Connection::open_in_memory()?)?;
    Ok(OWN.get_or_init(|| own))
}

/// Returns the names of all functions of a connection.
pub(super) fn functions(connection: &Connection) -> rusqlite::Result<HashSet<String>> {
    let mut statement = connection.prepare("SELECT DISTINCT lower(name) FROM pragma_function_list")?;
    let names = statement.query_map([], |row| row.get(0))?;
    names.collect()
}

/// Reads a definition; tells as well whether the table has a rowid.
fn read_table(sql: &str) -> (Table, bool) {
    let tokens: Vec<Token<'_>> = sql::tokens(sql).filter(Token::is_significant).collect();
    let statement: Statement = statement_kind::read(sql);
    if let Some(module) = module(&tokens) {
        return (Table { module: Some(module), ..Table::default() }, true);
    }
    let mut primary = Vec::new();
    let mut columns = Vec::new();
    let mut sources: Vec<(String, BTreeSet<String>)> = Vec::new();
    let mut checks: Vec<BTreeSet<String>> = Vec::new();
    for part in parts(&tokens) {
        let is_constraint = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];
        let column = part.first().filter(|first| !is_constraint.iter().any(|word| first.is_word(word)));
        let column = column.and_then(Token::name).map(|name| name.to_ascii_lowercase());
        checks.extend(groups(part, "CHECK"));
        if let Some(at) = part.iter().position(|token| token.is_word("PRIMARY")) {
            match &column {
                Some(column) => primary.push(column.clone()),
                None => primary.extend(list_in(&part[at..])),
            }
        }
        if let Some(column) = column {
            sources.extend(groups(part, "AS").map(|group| (column.clone(), group)));
            columns.push(column);
        }
    }
    let own = |group: BTreeSet<String>| columns.iter().filter(|column| group.contains(*column)).cloned().collect();
    let defaults = tokens.windows(2).any(|pair| pair[0].is_word("DEFAULT") && pair[1].text == "(");
    let has_rowid = !tokens.windows(2).any(|pair| pair[0].is_word("WITHOUT") && pair[1].is_word("ROWID"));
    let table = Table {
        generated: sources.into_iter().map(|(column, group)| (column, own(group))).collect::<HashMap<_, Vec<_>>>(),
        long: sql.len() > SHORT && (!checks.is_empty() || defaults),
        checked: checks.into_iter().map(own).collect(),
        unique: primary.clone(),
        primary,
        replaces: statement.replaces,
        module: None,
        columns,
    };
    (table, has_rowid)
}

/// Returns the columns in the first parenthesis, in their order, without what each says of how it is sorted.
fn list_in(tokens: &[Token<'_>]) -> Vec<String> {
    let columns = parts(tokens).into_iter().filter_map(|part| part.first()?.name());
    columns.map(|name| name.to_ascii_lowercase()).collect()
}

/// Returns the module of a virtual table.
pub(super) fn module(tokens: &[Token<'_>]) -> Option<String> {
    if !tokens.get(1)?.is_word("VIRTUAL") {
        return None;
    }
    let using = tokens.iter().position(|token| token.is_word("USING"))?;
    tokens.get(using + 1)?.name()
}

/// Cuts what stands between the outermost parentheses at its commas.
pub(super) fn parts<'a, 't>(tokens: &'a [Token<'t>]) -> Vec<&'a [Token<'t>]> {
    let mut parts = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (index, token) in tokens.iter().enumerate() {
        match token.text {
            "(" => {
                depth += 1;
                if depth == 1 {
                    start = index + 1;
                }
            }
            ")" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    parts.push(&tokens[start..index]);
                    break;
                }
            }
            "," if depth == 1 => {
                parts.push(&tokens[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts
}

/// Returns the names in each parenthesis that follows a word.
fn groups<'a>(part: &'a [Token<'_>], word: &'a str) -> impl Iterator<Item = BTreeSet<String>> + 'a {
    let starts = part.windows(2).enumerate().filter(move |(_, pair)| pair[0].is_word(word) && pair[1].text == "(");
    starts.map(|(index, _)| names_in(&part[index + 1..]))
}

/// Returns the names up to the parenthesis that closes the first one.
fn names_in(tokens: &[Token<'_>]) -> BTreeSet<String> {
    let mut depth = 0_usize;
    let inside = tokens.iter().take_while(|token| {
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > 0
    });
    inside.filter_map(Token::name).map(|name| name.to_ascii_lowercase()).collect()
}

/// Returns the columns of an index that a constraint has made.
fn columns_of(connection: &Connection, index: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare_cached("SELECT lower(name) FROM pragma_index_info(?, 'main')")?;
    let columns = statement.query_map([index], |row| row.get::<_, Option<String>>(0))?;
    columns.filter_map(Result::transpose).collect()
}

/// Returns the columns that stand in the definition of an index, its condition included.
fn index_columns(sql: &str, columns: &[String]) -> Vec<String> {
    let tokens: Vec<Token<'_>> =
        sql::tokens(sql).filter(Token::is_significant).skip_while(|token| token.text != "(").collect();
    let condition = tokens.iter().position(|token| token.is_word("WHERE")).unwrap_or(tokens.len());
    // SQLite takes a string for a name where it is all that stands between two commas of the list, and nowhere else.
    let is_name = |at: &usize| tokens[*at].kind != TokenKind::String || (*at < condition && is_alone(&tokens, *at));
    let names: BTreeSet<String> = (0..tokens.len())
        .filter(is_name)
        .filter_map(|at| tokens[at].name())
        .map(|name| name.to_ascii_lowercase())
        .collect();
    columns.iter().filter(|column| names.contains(*column)).cloned().collect()
}

fn is_alone(tokens: &[Token<'_>], at: usize) -> bool {
    at > 0 && matches!(tokens[at - 1].text, "(" | ",")
}

/// Returns the columns of an index on an expression or on some rows only, if success or failure of an update tells about them:
/// where it is unique, or where computing it can fail.
fn expression_columns(sql: &str, table: &Table) -> Option<Vec<String>> {
    let tokens: Vec<Token<'_>> = sql::tokens(sql).filter(Token::is_significant).collect();
    let list = tokens.iter().position(|token| token.text == "(")?;
    let inside = &tokens[list + 1..];
    let plain = inside.iter().all(|token| {
        let listed = token.text == "," || token.text == ")" || token.name().is_some();
        listed && !token.is_word("WHERE")
    });
    if plain {
        return None;
    }
    let names: BTreeSet<String> = inside.iter().filter_map(Token::name).map(|name| name.to_ascii_lowercase()).collect();
    let computes = table.generated.keys().any(|column| names.contains(column));
    if !is_unique(sql) && !computes && comparison::only_compares(inside) {
        return None;
    }
    Some(table.columns.iter().filter(|column| names.contains(*column)).cloned().collect())
}

/// Tells whether the definition of an index says UNIQUE.
fn is_unique(sql: &str) -> bool {
    sql::tokens(sql).filter(Token::is_significant).nth(1).is_some_and(|token| token.is_word("UNIQUE"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema_of(sql: &str) -> Schema {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(sql).unwrap();
        read(&connection, &foreign_functions(&connection).unwrap()).unwrap()
    }

    #[test]
    fn reads_what_hides_in_definitions() {
        let schema = schema_of(
            "CREATE TABLE T (Id INTEGER PRIMARY KEY, a TEXT CHECK (length(a) > min), min, b AS (a || 'x') STORED,
                             \"c c\" GENERATED ALWAYS AS (b), d DECIMAL(10, 2), UNIQUE (a) ON CONFLICT REPLACE,
                             CONSTRAINT k CHECK (d > 0 AND \"c c\" <> ''));
             CREATE INDEX plain ON T (a COLLATE NOCASE DESC, d);
             CREATE INDEX upper ON T (upper(a));
             CREATE UNIQUE INDEX some ON T (a) WHERE d > 3;
             CREATE VIRTUAL TABLE f USING fts5(body);
             CREATE VIEW v AS SELECT * FROM T NATURAL JOIN f;
             CREATE TRIGGER g AFTER INSERT ON T BEGIN REPLACE INTO f VALUES (1); END;",
        );
        let table = &schema.tables["t"];
        assert_eq!(table.columns, ["id", "a", "min", "b", "c c", "d"]);
        assert_eq!(table.generated["b"], ["a"]);
        assert_eq!(table.generated["c c"], ["b"]);
        assert_eq!(table.checked, [vec!["a", "min"], vec!["c c", "d"], vec!["a"], vec!["a", "d"]]);
        assert!(table.replaces && schema.tables["f"].module.as_deref() == Some("fts5"));
        assert_eq!(schema.owner_of_shadow("F_Data"), Some("f"));
        assert_eq!(schema.owner_of_shadow("f_other"), None);
        assert_eq!(schema.indexes["some"], "t");
        assert_eq!(table.primary, ["id"]);
        let unique: BTreeSet<&str> = table.unique.iter().map(String::as_str).collect();
        assert_eq!(unique, BTreeSet::from(["id", "a", "d"]), "the condition of an index tells, too");
        let mut orders: Vec<_> = schema.orders.values().filter(|order| order.table == "t").collect();
        orders.sort_by(|one, other| one.index.cmp(&other.index));
        let orders: Vec<_> =
            orders.iter().map(|order| (order.index.as_deref().unwrap(), order.columns.join(","))).collect();
        assert_eq!(
            orders,
            [("plain", "a,d"), ("some", "a,d"), ("sqlite_autoindex_t_1", "a"), ("upper", "a")]
                .map(|(index, columns)| (index, columns.to_owned()))
        );
        assert!(schema.views["v"].natural && schema.triggers["g"].text.replaces);
        assert!(schema.foreign_functions.is_empty());
    }

    #[test]
    fn an_index_that_lets_every_row_pass_tells_nothing() {
        let told = |index: &str| {
            let table = "CREATE TABLE t (a, d, g AS (json(d)), [d \"] INT)";
            !schema_of(&format!("{table}; {index}")).tables["t"].checked.is_empty()
        };
        let cases = [
            ("CREATE INDEX i ON t (a) WHERE d IS NULL", false),
            ("CREATE INDEX i ON t (a COLLATE NOCASE DESC) WHERE NOT (d >= -1.5 AND d <> 'x''y') OR d IN (1, 2)", false),
            ("CREATE INDEX i ON t ((a = d))", false),
            ("CREATE INDEX i ON t (a) WHERE \"d\" NOT NULL AND [d \"] BETWEEN 1 AND (2) -- json(d)", false),
            ("CREATE UNIQUE INDEX i ON t (a) WHERE d IS NULL", true),
            ("CREATE INDEX i ON t (a) WHERE g IS NULL", true),
            ("CREATE INDEX i ON t (a) WHERE json(d) IS NULL", true),
            ("CREATE INDEX i ON t (a) WHERE \"json\" (d) IS NULL", true),
            ("CREATE INDEX i ON t (a) WHERE 'x' LIKE d", true),
            ("CREATE INDEX i ON t (a || d)", true),
            ("CREATE INDEX i ON t (d -> 'x')", true),
            ("CREATE INDEX i ON t (a) WHERE CAST(d AS INT) = 1", true),
        ];
        for (index, expected) in cases {
            assert_eq!(told(index), expected, "{index}");
        }
    }

    #[test]
    fn what_is_long_and_computes_may_stand_for_much() {
        let long = "AND x > 1 ".repeat(300);
        let names: String = (0..300).map(|column| format!(", column_{column}")).collect();
        let cases = [
            (format!("CREATE TABLE t (x CHECK (x > 0 {long}))"), true),
            (format!("CREATE TABLE t (x DEFAULT (1 {}))", long.replace('x', "2")), true),
            (format!("CREATE TABLE t (x); CREATE INDEX i ON t (x) WHERE x > 0 {long}"), true),
            (format!("CREATE TABLE t (x{names})"), false),
            ("CREATE TABLE t (x CHECK (x > 0)); CREATE INDEX i ON t (x) WHERE x > 0".to_owned(), false),
        ];
        for (schema, expected) in cases {
            assert_eq!(schema_of(&schema).expands(), expected, "{schema}");
        }
    }

    #[test]
    fn survives_tables_made_from_queries() {
        let schema = schema_of("CREATE TABLE x AS SELECT 1 AS a, 2 AS \"b,c\";");
        assert_eq!(schema.tables["x"].columns, ["a", "b,c"]);
    }
}
