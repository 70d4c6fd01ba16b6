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
        let operator = || {
            let word = ["regexp", "match"].into_iter().find(|word| tokens.iter().any(|token| token.is_word(word)))?;
            functions.iter().find(|function| *function == word).cloned()
        };
        // What stands before the first parenthesis is the name of the table itself.
        let inside = tokens.iter().position(|token| token.text == "(").map_or(&[][..], |at| &tokens[at..]);
        if let Some(function) = call(inside, functions).or_else(operator) {
            return Ok(Some((name, function)));
        }
    }
    Ok(None)
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
    let of = |tokens: &[Token<'_>]| call(tokens, functions);
    match kind {
        "table" => defaults(&tokens).find_map(of),
        _ => of(&tokens),
    }
}

/// Finds a name with arguments behind it. What follows these words is the name of a table with its columns.
fn call(tokens: &[Token<'_>], functions: &[String]) -> Option<String> {
    let is_table = |before: &Token<'_>| {
        before.text == "." || ["INTO", "WITH", "RECURSIVE", "VIEW", "EXISTS"].iter().any(|word| before.is_word(word))
    };
    tokens.windows(2).enumerate().filter(|(_, pair)| pair[1].text == "(").find_map(|(at, pair)| {
        let name = pair[0].name()?.to_ascii_lowercase();
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        (functions.contains(&name) && !before.is_some_and(is_table)).then_some(name)
    })
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
            ("view", "CREATE VIEW slug (x) AS WITH slug (y) AS (SELECT 1) SELECT slug FROM slug -- slug(x)", false),
            ("table", "CREATE TABLE t (x TEXT DEFAULT (upper(slug('a'))))", true),
            ("table", "CREATE TABLE slug (x slug(3) DEFAULT (1 + (2)) REFERENCES slug (x))", false),
            ("table", "CREATE TABLE t (x DEFAULT (", false),
        ];
        for (kind, definition, calls) in cases {
            assert_eq!(called(kind, definition, &functions).is_some(), calls, "{definition}");
        }
    }
}
