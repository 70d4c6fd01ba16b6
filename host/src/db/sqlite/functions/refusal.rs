//! Says why a function was refused, and which part of the schema called it when the statement itself does not.

use rusqlite::Connection;

use crate::db::{DbError, ErrorCode};
use crate::grants::{Denied, FunctionGrant, Grant};
use crate::sql::{self, Token};

/// Makes the refusal of a call, such as `random()` or `CURRENT_TIMESTAMP`.
pub(super) fn denied(grant: FunctionGrant, call: &str) -> Denied {
    let what = match grant {
        FunctionGrant::Random => "it would be different in every run",
        FunctionGrant::Now => "it tells the time",
        FunctionGrant::LocalTime => "it depends on the time zone of the machine",
    };
    let reason = format!("a code migration may not use {call} without the grant functions = [\"{grant}\"]: {what}");
    let grant = Some(Grant::Function(grant.to_string()));
    Denied { action: "function".to_owned(), object: call.to_owned(), reason, grant }
}

/// Adds to a refused function which column's default called it, or that the schema did. Only reads the schema.
pub(in crate::db::sqlite) fn explain(connection: &Connection, statement: &str, error: &mut DbError) {
    let detail = |name: &str| error.details.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if error.code != ErrorCode::Denied || detail("action") != Some("function") {
        return;
    }
    let Some(function) = detail("object").map(|call| call.split('(').next().unwrap_or(call).to_owned()) else { return };
    let tokens: Vec<Token<'_>> = sql::tokens(statement).filter(Token::is_significant).collect();
    if tokens.is_empty() || tokens.iter().any(|token| token.is_word(&function)) {
        return;
    }
    let filled = target(&tokens).and_then(|(table, given)| {
        let columns = columns_with_default(connection, &table, &function).ok()?;
        let column = columns.into_iter().find(|column| !given.iter().any(|name| name.eq_ignore_ascii_case(column)))?;
        Some((table, column))
    });
    match filled {
        Some((table, column)) => {
            error
                .message
                .push_str(&format!("; it is the default of column {column} of table {table}: give it a value"));
            error.details.push(("column".to_owned(), format!("{table}.{column}")));
        }
        None => error.message.push_str("; a trigger, a view or the table itself calls it"),
    }
}

/// Returns the table an INSERT or REPLACE names, and the columns it names.
fn target(tokens: &[Token<'_>]) -> Option<(String, Vec<String>)> {
    let into = tokens.iter().position(|token| token.is_word("INTO"))?;
    let mut rest = tokens[into + 1..].iter().peekable();
    let mut table = rest.next()?;
    if rest.next_if(|token| token.text == ".").is_some() {
        table = rest.next()?;
    }
    if rest.next_if(|token| token.is_word("AS")).is_some() {
        rest.next();
    }
    let mut columns = Vec::new();
    if rest.next_if(|token| token.text == "(").is_some() {
        let names = rest.take_while(|token| token.text != ")").filter(|token| token.text != ",");
        columns.extend(names.map(name));
    }
    Some((name(table), columns))
}

fn name(token: &Token<'_>) -> String {
    token.name().unwrap_or_else(|| token.text.to_owned())
}

fn columns_with_default(connection: &Connection, table: &str, function: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name, dflt_value FROM pragma_table_info(?)")?;
    let rows = statement.query_map([table], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?)))?;
    let rows: Vec<(String, Option<String>)> = rows.collect::<Result<_, _>>()?;
    let calls = |default: &str| sql::tokens(default).any(|token| token.is_word(function));
    Ok(rows.into_iter().filter(|(_, default)| default.as_deref().is_some_and(calls)).map(|(name, _)| name).collect())
}
