//! Text as a script: no byte is lost, and running it window by window runs what SQLite's own parser finds in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Batch, Connection};
use whimbrel::sql::{self, Directives, Severity, Token, TokenKind, TransactionMode};

/// Something for the statements to name, since nothing is ever run.
const SCHEMA: &str = "
    CREATE TABLE t (a, b, c DEFAULT (1), d AS (a || b));
    CREATE TABLE u (id INTEGER PRIMARY KEY, t_a ANY REFERENCES t (a), x TEXT CHECK (x <> ';')) STRICT;
    CREATE INDEX i ON t (a);
    CREATE VIEW v AS SELECT a, b FROM t;
    CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE u SET x = new.a; END;
    CREATE VIRTUAL TABLE f USING fts5 (a);";

thread_local! {
    static CONNECTION: Connection = connection().expect("an empty database");
}

fn connection() -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    connection.execute_batch(SCHEMA)?;
    // Some pragmas act while they are prepared. "Ignore" makes them do nothing, so that no run leaves anything behind.
    connection.authorizer(Some(|context: AuthContext<'_>| match context.action {
        AuthAction::Pragma { .. } => Authorization::Ignore,
        _ => Authorization::Allow,
    }))?;
    Ok(connection)
}

fuzz_target!(|text: &str| {
    assert_tokens(text);
    assert_statements(text);
    let directives = assert_directives(text);
    assert_normalised(text, &directives);
    assert_findings(text, &directives);
    assert_positions(text);
    // SQLite ends at a NUL; a file with one is refused before it comes here.
    if !text.contains('\0') {
        CONNECTION.with(|connection| assert_windows(connection, text));
    }
});

fn assert_tokens(text: &str) {
    let mut end = 0;
    for token in sql::tokens(text) {
        assert_eq!(token.start, end, "tokens follow each other");
        assert!(!token.text.is_empty());
        assert_eq!(&text[token.start..token.end()], token.text);
        end = token.end();
    }
    assert_eq!(end, text.len(), "tokens reach the end");
}

fn assert_statements(text: &str) {
    let is_gap =
        |gap: &str| sql::tokens(gap).all(|token| !token.is_significant() || token.kind == TokenKind::Semicolon);
    let mut end = 0;
    for range in sql::statements(text) {
        assert!(range.start >= end && range.start < range.end, "windows are in order and not empty");
        assert!(is_gap(&text[end..range.start]), "nothing is left out before {range:?}");
        end = range.end;
    }
    assert!(blank_behind(&text[end..]), "nothing is left out at the end");
}

/// Whether this is no statement where it stands last: what Unicode calls a blank counts for one there, SQLite would take it
/// for a word.
fn blank_behind(text: &str) -> bool {
    let significant = |token: &Token<'_>| token.is_significant() && token.kind != TokenKind::Semicolon;
    sql::tokens(text).filter(significant).all(|token| token.text.chars().all(char::is_whitespace))
}

fn assert_directives(text: &str) -> Directives {
    match sql::directives(text) {
        Ok(directives) => {
            let described = directives.description.as_deref();
            assert!(described.is_none_or(|words| !words.is_empty() && words.trim() == words && !words.contains('\n')));
            assert!(!(directives.rebuild && directives.transaction == TransactionMode::None));
            directives
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "a refusal names a problem");
            for problem in problems {
                assert!(text.is_char_boundary(problem.offset), "{} is no place in the text", problem.offset);
                sql::locate(text, problem.offset);
            }
            Directives::default()
        }
    }
}

fn normalised(text: &str, directives: &Directives) -> String {
    let mut normalised = String::new();
    sql::normalise(text, directives, |piece| normalised.push_str(piece));
    normalised
}

fn significant(text: &str) -> Vec<&str> {
    sql::tokens(text).filter(Token::is_significant).map(|token| token.text).collect()
}

fn assert_normalised(text: &str, directives: &Directives) {
    // A vertical tab is no token of SQLite's where it stands first, and a blank behind another one: no script that has it
    // runs, and it is not the same when it is written with blanks around.
    if significant(text).contains(&"\u{b}") {
        return;
    }
    let once = normalised(text, &Directives::default());
    assert_eq!(significant(&once), significant(text), "the tokens stay");
    assert_eq!(normalised(&once, &Directives::default()), once, "once is enough");
    // With its directives in front it reads as itself again.
    let whole = normalised(text, directives);
    let expected = Directives { description: None, ..directives.clone() };
    match sql::directives(&whole) {
        Ok(found) => assert_eq!(found, expected),
        Err(problems) => panic!("{whole:?} {problems:?}"),
    }
    assert_eq!(normalised(&whole, &expected), whole);
}

fn assert_findings(text: &str, directives: &Directives) {
    let windows: Vec<_> = sql::statements(text).collect();
    let mut last = 0;
    for finding in sql::check(text, directives) {
        assert!(finding.range.start >= last && windows.contains(&finding.range), "a finding is about a statement");
        assert!(!finding.message.is_empty() && !finding.hint.is_empty());
        last = finding.range.end;
    }
    let outside = Directives { transaction: TransactionMode::None, ..Directives::default() };
    assert!(sql::check(text, &outside).is_empty());
}

fn assert_positions(text: &str) {
    let mut last = sql::locate(text, 0);
    for offset in 0..=(text.len() + 1).min(300) {
        let position = sql::locate(text, offset);
        assert!(position >= last, "positions grow with the offset");
        assert!(!sql::line_at(text, offset).contains('\n'));
        last = position;
    }
}

/// What SQLite found to run, in order, and what stopped it.
#[derive(Debug, Default, PartialEq)]
struct Found {
    statements: Vec<String>,
    error: Option<String>,
}

impl Found {
    /// Prepares one statement after the other up to the first that cannot be; `false` then.
    fn prepare(&mut self, connection: &Connection, text: &str) -> bool {
        let mut batch = Batch::new(connection, text);
        loop {
            match batch.next() {
                Ok(None) => return true,
                Ok(Some(statement)) => {
                    let text = statement.expanded_sql().expect("a statement has a text");
                    self.statements.push(stripped(&text).to_owned());
                }
                Err(error) => {
                    self.error = Some(match error {
                        rusqlite::Error::SqlInputError { msg, .. } => msg,
                        other => other.to_string(),
                    });
                    return false;
                }
            }
        }
    }
}

/// Prepares the script as a whole, and window by window as a session runs it, and compares.
fn assert_windows(connection: &Connection, text: &str) {
    let end = sql::statements(text).last().map_or(0, |last| last.end);
    let mut whole = Found::default();
    whole.prepare(connection, if blank_behind(&text[end..]) { &text[..end] } else { text });
    let mut windowed = Found::default();
    let mut pending: Option<usize> = None;
    let mut windows = sql::statements(text).peekable();
    while let Some(window) = windows.next() {
        let start = pending.take().unwrap_or(window.start);
        let before = windowed.statements.len();
        if windowed.prepare(connection, &text[start..window.end]) {
            continue;
        }
        if windowed.error.as_deref() == Some("incomplete input") && windows.peek().is_some() {
            // The window was too small. Nothing of it has run.
            assert_eq!(windowed.statements.len(), before, "half of a window was run");
            windowed.error = None;
            pending = Some(start);
            continue;
        }
        break;
    }
    assert_eq!(windowed, whole);
    assert_judged(&whole.statements);
}

/// What ends or opens a transaction is found before it runs.
fn assert_judged(statements: &[String]) {
    for statement in statements {
        let first = significant(statement).first().copied().unwrap_or_default().to_ascii_uppercase();
        if matches!(first.as_str(), "BEGIN" | "COMMIT" | "END" | "VACUUM") {
            let findings = sql::check(statement, &Directives::default());
            assert!(findings.iter().any(|finding| finding.severity == Severity::Error), "{statement:?}");
        }
    }
}

/// Cuts off blanks and comments at both ends, and empty statements at the beginning; written a second time on purpose,
/// to agree with SQLite by itself.
fn stripped(text: &str) -> &str {
    let mut begin = after_gap(text);
    while let Some(after) = begin.strip_prefix(';') {
        begin = after_gap(after);
    }
    let start = text.len() - begin.len();
    let mut end = start;
    // Quotes hide what looks like a comment, so the end can only be found from the front.
    let mut rest = &text[start..];
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' | '`' => rest[1..].find(first).map_or(rest.len(), |at| at + 2),
            '[' => rest.find(']').map_or(rest.len(), |at| at + 1),
            _ => first.len_utf8(),
        };
        rest = &rest[length..];
        end = text.len() - rest.len();
        rest = after_gap(rest);
    }
    &text[start..end]
}

fn after_gap(mut text: &str) -> &str {
    loop {
        let rest = text.trim_start_matches('\u{feff}');
        // A vertical tab is a blank behind another one.
        let blank = rest.starts_with([' ', '\t', '\n', '\x0c', '\r']);
        let rest = if blank { rest.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']) } else { rest };
        let rest = if rest.starts_with("--") {
            rest.find('\n').map_or("", |at| &rest[at..])
        } else if rest.starts_with("/*") && rest.len() > 2 {
            rest[2..].find("*/").map_or("", |at| &rest[at + 4..])
        } else {
            rest
        };
        if rest.len() == text.len() {
            return rest;
        }
        text = rest;
    }
}
