//! Finds definitions of the schema that call functions which are only there for a time. Reads only.

use std::fmt;

use rusqlite::Connection;

use crate::sql::{self, Token};

/// A view, a trigger, or a table by the default of one of its columns.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Caller {
    kind: String,
    name: String,
    function: String,
    definition: String,
}

impl fmt::Display for Caller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, function) = (self.name.escape_debug(), &self.function);
        match self.kind.as_str() {
            "table" => write!(formatter, "a DEFAULT of the table {name} calls {function}"),
            kind => write!(formatter, "the {kind} {name} calls {function}"),
        }
    }
}

/// Finds a table or an index whose definition calls one of these functions by any of its parts, also as an operator.
pub(super) fn in_tables(connection: &Connection, functions: &[String]) -> rusqlite::Result<Option<(String, String)>> {
    let mut statement = connection.prepare(
        "SELECT name, sql FROM (SELECT type, name, sql FROM main.sqlite_schema \
                                UNION ALL SELECT type, name, sql FROM temp.sqlite_schema) \
         WHERE type IN ('table', 'index') AND sql IS NOT NULL AND sql NOT LIKE 'CREATE VIRTUAL%'",
    )?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let (name, definition): (String, String) = (row.get(0)?, row.get(1)?);
        let tokens: Vec<Token<'_>> = sql::tokens(&definition).filter(Token::is_significant).collect();
        if let Some(function) = expressions(&tokens).find_map(|inside| use_of(inside, functions)) {
            return Ok(Some((name, function)));
        }
    }
    Ok(None)
}

/// Returns what stands in inner parentheses, and what stands behind the outermost: names with types and keys are beside them. Of
/// an index everything is an expression that is not its table.
fn expressions<'a, 't>(tokens: &'a [Token<'t>]) -> impl Iterator<Item = &'a [Token<'t>]> {
    let is_table = tokens.iter().take_while(|token| token.text != "(").any(|token| token.is_word("TABLE"));
    let outer = if is_table { 1 } else { 0 };
    let mut found = Vec::new();
    let (mut depth, mut begins) = (0_usize, None);
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "(" => {
                depth += 1;
                if depth == outer + 1 {
                    begins = Some(at + 1);
                }
            }
            ")" => {
                if depth == outer + 1 {
                    found.extend(begins.take().map(|begins| &tokens[begins..at]));
                }
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
    }
    if !is_table {
        // The condition of an index.
        found.extend(tokens.iter().position(|token| token.is_word("WHERE")).map(|at| &tokens[at..]));
    }
    found.into_iter()
}

/// Finds what calls one of these functions, whose names are in small letters. SQLite itself keeps them out of the
/// indexes, checks and generated columns of tables.
pub(super) fn find(connection: &Connection, functions: &[String]) -> rusqlite::Result<Vec<Caller>> {
    let mut statement = connection.prepare(
        "SELECT type, name, sql FROM main.sqlite_schema WHERE type IN ('table', 'trigger', 'view') AND sql IS NOT NULL \
         UNION ALL SELECT type, name, sql FROM temp.sqlite_schema WHERE type IN ('table', 'trigger', 'view') AND sql IS NOT NULL",
    )?;
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (kind, name, definition): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if let Some(function) = called(&kind, &definition, functions) {
            found.push(Caller { kind, name, function, definition });
        }
    }
    Ok(found)
}

fn called(kind: &str, definition: &str, functions: &[String]) -> Option<String> {
    let tokens: Vec<Token<'_>> = sql::tokens(definition).filter(Token::is_significant).collect();
    let of = |tokens: &[Token<'_>]| use_of(tokens, functions);
    match kind {
        "table" => defaults(&tokens).find_map(of),
        _ => of(&tokens),
    }
}

/// Finds a call, or an operator that is a function of its name.
fn use_of(tokens: &[Token<'_>], functions: &[String]) -> Option<String> {
    let operator = || {
        let word = ["regexp", "match"].into_iter().find(|word| tokens.iter().any(|token| token.is_word(word)))?;
        functions.iter().find(|function| *function == word).cloned()
    };
    call(tokens, functions).or_else(operator)
}

/// Finds a name with arguments behind it. What follows these words is the name of a table with its columns, or of a type with
/// its length.
fn call(tokens: &[Token<'_>], functions: &[String]) -> Option<String> {
    const NO_CALL: [&str; 7] = ["INTO", "WITH", "RECURSIVE", "VIEW", "EXISTS", "REFERENCES", "AS"];
    let is_other = |before: &Token<'_>| before.text == "." || NO_CALL.iter().any(|word| before.is_word(word));
    tokens.windows(2).enumerate().filter(|(_, pair)| pair[1].text == "(").find_map(|(at, pair)| {
        let name = pair[0].name()?.to_ascii_lowercase();
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        let is_call = functions.contains(&name) && !before.is_some_and(is_other) && !is_query(&tokens[at + 1..]);
        is_call.then_some(name)
    })
}

/// Tells whether a parenthesis holds the columns of a query that WITH names: `(x) AS (SELECT …)`.
fn is_query(tokens: &[Token<'_>]) -> bool {
    let mut depth = 0_usize;
    let closes = tokens.iter().position(|token| {
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    });
    let rest = closes.map_or(&[][..], |at| &tokens[at + 1..]);
    // The words may be names, too: of a column, say.
    let begins = |words: &[&str]| {
        let opens = rest.get(words.len()).is_some_and(|token| token.text == "(");
        opens && rest.iter().zip(words).all(|(token, word)| token.is_word(word))
    };
    begins(&["AS"]) || begins(&["AS", "MATERIALIZED"]) || begins(&["AS", "NOT", "MATERIALIZED"])
}

/// Returns the expressions in parentheses behind DEFAULT.
fn defaults<'a, 't>(tokens: &'a [Token<'t>]) -> impl Iterator<Item = &'a [Token<'t>]> {
    let begins = tokens.windows(2).enumerate().filter(|(_, pair)| pair[0].is_word("DEFAULT") && pair[1].text == "(");
    begins.map(|(at, _)| {
        let rest = &tokens[at + 1..];
        let mut depth = 0_usize;
        let end = rest.iter().position(|token| {
            match token.text {
                "(" => depth += 1,
                ")" => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        &rest[..end.unwrap_or(rest.len())]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_calls_in_its_expressions_only() {
        let functions: Vec<String> = ["slug", "match", "money"].map(str::to_owned).into();
        let cases = [
            ("CREATE TABLE slug (id); CREATE TABLE p (s REFERENCES slug (id) MATCH FULL, price money(10, 2))", None),
            ("CREATE TABLE p (x, y AS (CAST(x AS money(10))))", None),
            ("CREATE TABLE p (x CHECK (slug(x) > 1))", Some("p")),
            ("CREATE TABLE p (x, y AS (upper(slug(x))) STORED)", Some("p")),
            ("CREATE TABLE p (x CHECK (x MATCH 'a'))", Some("p")),
            ("CREATE TABLE slug (x); CREATE INDEX i ON slug (x)", None),
            ("CREATE TABLE p (x); CREATE INDEX i ON p (slug(x))", Some("i")),
            ("CREATE TABLE p (x); CREATE INDEX i ON p (x) WHERE slug(x) > 1", Some("i")),
        ];
        for (schema, expected) in cases {
            let connection = Connection::open_in_memory().unwrap();
            for (name, arity) in [("slug", 1), ("match", 2)] {
                let flags = rusqlite::functions::FunctionFlags::SQLITE_DETERMINISTIC;
                connection.create_scalar_function(name, arity, flags, |_| Ok(1)).unwrap();
            }
            connection.execute_batch(schema).expect(schema);
            let found = in_tables(&connection, &functions).unwrap().map(|(name, _)| name);
            assert_eq!(found.as_deref(), expected, "{schema}");
        }
    }

    #[test]
    fn finds_calls_and_no_names_of_tables() {
        let functions = ["slug".to_owned()];
        let cases = [
            ("trigger", "CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET x = Slug(x); END", true),
            ("trigger", "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT \"slug\" /* */ (x) FROM t; END", true),
            ("trigger", "CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO slug (x) VALUES (1); END", false),
            (
                "trigger",
                "CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO main.slug (x) VALUES ('slug(1)'); END",
                false,
            ),
            ("view", "CREATE VIEW v AS SELECT slug(x) FROM t", true),
            ("view", "CREATE VIEW v AS SELECT slug(x) AS y FROM t", true),
            ("view", "CREATE VIEW v AS SELECT slug(x) AS materialized FROM t", true),
            ("view", "CREATE VIEW v AS WITH slug (y) AS NOT MATERIALIZED (SELECT 2) SELECT y FROM slug", false),
            (
                "view",
                "CREATE VIEW v AS WITH a (x) AS (SELECT 1), slug (y) AS (SELECT 2) SELECT x, y FROM a, slug",
                false,
            ),
            ("view", "CREATE VIEW v AS SELECT x FROM t WHERE x REGEXP 'a'", false),
            ("view", "CREATE VIEW slug (x) AS WITH slug (y) AS (SELECT 1) SELECT slug FROM slug -- slug(x)", false),
            ("table", "CREATE TABLE t (x TEXT DEFAULT (upper(slug('a'))))", true),
            ("table", "CREATE TABLE slug (x slug(3) DEFAULT (1 + (2)) REFERENCES slug (x))", false),
            ("table", "CREATE TABLE t (x DEFAULT (", false),
        ];
        for (kind, definition, calls) in cases {
            assert_eq!(called(kind, definition, &functions).is_some(), calls, "{definition}");
        }
        let operator = "CREATE VIEW v AS SELECT x FROM t WHERE x REGEXP 'a'";
        assert_eq!(called("view", operator, &["regexp".to_owned()]).as_deref(), Some("regexp"));
    }
}
