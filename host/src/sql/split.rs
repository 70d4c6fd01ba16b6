//! Finds the statements of a script. Parses none of them.
//!
//! Follows the state machine of SQLite's `sqlite3_complete`: a statement ends with its semicolon, and
//! `CREATE TRIGGER` with the semicolon after the `END` that follows a semicolon. What it finds are windows:
//! SQLite's prepare decides in the end where a statement ends.

use std::ops::Range;

use super::lexer::{Token, TokenKind, to_semicolon, tokens};

#[derive(Clone, Copy, Eq, PartialEq)]
enum State {
    /// Between statements.
    Start,
    /// In a statement that ends with the next semicolon.
    Normal,
    /// After EXPLAIN.
    Explain,
    /// After CREATE or CREATE TEMP.
    Create,
    /// In the body of a trigger.
    Trigger,
    /// After a semicolon in the body of a trigger.
    TriggerSemicolon,
    /// After a semicolon and END in the body of a trigger.
    TriggerEnd,
}

impl State {
    fn after(self, token: &Token<'_>) -> Self {
        let word = |keyword| token.is_word(keyword);
        if token.kind == TokenKind::Semicolon {
            return match self {
                Self::Start | Self::Normal | Self::Explain | Self::Create | Self::TriggerEnd => Self::Start,
                Self::Trigger | Self::TriggerSemicolon => Self::TriggerSemicolon,
            };
        }
        match self {
            Self::Start if word("EXPLAIN") => Self::Explain,
            Self::Start | Self::Explain if word("CREATE") => Self::Create,
            Self::Explain if word("QUERY") || word("PLAN") => Self::Explain,
            Self::Create if word("TEMP") || word("TEMPORARY") => Self::Create,
            Self::Create if word("TRIGGER") => Self::Trigger,
            Self::Start | Self::Normal | Self::Explain | Self::Create => Self::Normal,
            Self::TriggerSemicolon if word("END") => Self::TriggerEnd,
            Self::Trigger | Self::TriggerSemicolon | Self::TriggerEnd => Self::Trigger,
        }
    }
}

/// Returns the range of each statement: from its first token to behind its semicolon, or its last token.
///
/// Blanks, comments and empty statements between them belong to none. Behind the last statement, what Unicode calls a blank is
/// one too: SQLite takes it for a word, and editors leave it there.
pub fn statements(sql: &str) -> impl Iterator<Item = Range<usize>> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let mut state = State::Start;
        let mut range: Option<Range<usize>> = None;
        let mut ends = true;
        let rest = next;
        for token in tokens(&sql[rest..]).filter(Token::is_significant) {
            let end = rest + token.end();
            next = end;
            state = state.after(&token);
            match (&mut range, state) {
                (None, State::Start) => continue,
                (None, _) => range = Some(rest + token.start..end),
                (Some(range), _) => range.end = end,
            }
            if state == State::Start {
                break;
            }
            // Only its semicolon ends it, so that no more has to be told from what is before that.
            if state != State::Normal || !ends {
                continue;
            }
            match (&mut range, to_semicolon(&sql[end..])) {
                (Some(range), Some(length)) => {
                    next = end + length;
                    range.end = next;
                    break;
                }
                // The last one, without a semicolon: up to its last token that means something.
                _ => ends = false,
            }
        }
        range.filter(|range| !sql[range.clone()].chars().all(char::is_whitespace))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rusqlite::fallible_iterator::FallibleIterator;

    use super::*;

    fn split(sql: &str) -> Vec<&str> {
        statements(sql).map(|range| &sql[range]).collect()
    }

    #[test]
    fn finds_statements() {
        let trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT CASE 1 WHEN 2 THEN 3 END; SELECT ';'; END;";
        let temp = "EXPLAIN QUERY PLAN create /* x */ temporary trigger t BEGIN SELECT 1; END ;";
        let cases: [(&str, &[&str]); 13] = [
            ("", &[]),
            ("SELECT 1;\n\u{a0}\u{3000}\n\u{b} ", &["SELECT 1;"]),
            ("SELECT 1;\n\u{a0}; SELECT 2", &["SELECT 1;", "\u{a0};", "SELECT 2"]),
            ("-- only words\n/* more */ ;; ;", &[]),
            ("SELECT 1", &["SELECT 1"]),
            (" SELECT 1 ; -- a\n SELECT 2;\n-- end", &["SELECT 1 ;", "SELECT 2;"]),
            (
                "SELECT ';' || \"a;b\" || [;] || `;`; SELECT 2 -- ;\n",
                &["SELECT ';' || \"a;b\" || [;] || `;`;", "SELECT 2"],
            ),
            (&format!("{trigger} SELECT 2;"), &[trigger, "SELECT 2;"]),
            (&format!("{temp}SELECT 2;"), &[temp, "SELECT 2;"]),
            ("BEGIN; END; COMMIT;", &["BEGIN;", "END;", "COMMIT;"]),
            ("CREATE TABLE trigger_x (a); SELECT 1; END;", &["CREATE TABLE trigger_x (a);", "SELECT 1;", "END;"]),
            ("CREATE TRIGGER t BEGIN SELECT 1;", &["CREATE TRIGGER t BEGIN SELECT 1;"]),
            ("\u{feff}SELECT 'é';SELECT 1", &["SELECT 'é';", "SELECT 1"]),
        ];
        for (sql, expected) in cases {
            assert_eq!(split(sql), expected, "{sql:?}");
        }
    }

    #[test]
    fn looks_at_no_byte_again_and_again() {
        let since = std::time::Instant::now();
        let dump = "INSERT INTO \"main\".\"t\" VALUES (1.$, x.[y]);\n".repeat(50_000);
        assert_eq!(statements(&dump).count(), 50_000);
        let endless = format!("INSERT INTO t VALUES {}", "(1, 'a'), ".repeat(200_000));
        assert_eq!(statements(&endless).count(), 1);
        let numbers = "SELECT ".to_owned() + &"1.$ ".repeat(200_000) + ";";
        assert_eq!(statements(&numbers).count(), 1);
        // Hours if each statement, or each token, looked at all the rest.
        assert!(since.elapsed() < std::time::Duration::from_secs(60));
    }

    proptest! {
        #[test]
        fn loses_nothing_but_blanks_comments_and_semicolons(
            sql in "(CREATE |TEMP |TRIGGER |EXPLAIN |BEGIN |END|SELECT |1|;|'|\"|--|\n|/\\*|\\*/|é|\u{a0}| ){0,40}",
        ) {
            let mut end = 0;
            for range in statements(&sql) {
                prop_assert!(range.start >= end && range.start < range.end);
                prop_assert!(tokens(&sql[end..range.start]).all(|token| !token.is_significant() || token.text == ";"));
                end = range.end;
            }
            let rest = |token: Token<'_>| !token.is_significant() || token.text == ";" || token.text.trim().is_empty();
            prop_assert!(tokens(&sql[end..]).all(rest));
        }
    }

    /// Pieces that SQLite can prepare in any order on an empty database with the table `t (a, b)`.
    const PIECES: [&str; 12] = [
        "SELECT 1;",
        "select ';' /* ; */ AS \"--\" , 2 -- ; '\n;",
        "INSERT INTO t VALUES ('it''s; END;', x'3b');",
        "CREATE TABLE [c;d] (`e;` DEFAULT ';');",
        "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT CASE WHEN 1 THEN 2 END; UPDATE t SET a = 'END;' ; END;",
        "create temp trigger h before delete on t when old.a = ';' begin select 1; end /* x */ ;",
        "EXPLAIN QUERY PLAN SELECT 1;",
        "EXPLAIN CREATE TEMPORARY TRIGGER i AFTER INSERT ON t BEGIN SELECT 1;END;",
        "BEGIN;",
        "END;",
        "-- words; more\n",
        ";",
    ];

    proptest! {
        #[test]
        fn agrees_with_sqlite(
            pieces in prop::collection::vec((prop::sample::select(&PIECES[..]), "[ \n\r\t]{0,3}"), 0..12),
        ) {
            let connection = rusqlite::Connection::open_in_memory().expect("database");
            connection.execute_batch("CREATE TABLE t (a, b)").expect("table");
            let sql: String = pieces.iter().flat_map(|(piece, gap)| [*piece, gap.as_str()]).collect();
            let mut batch = rusqlite::Batch::new(&connection, &sql);
            let mut prepared = Vec::new();
            while let Some(statement) = batch.next().expect("statement") {
                prepared.push(statement.expanded_sql().expect("text"));
            }
            let windows = split(&sql);
            prop_assert_eq!(windows.len(), prepared.len());
            for (window, prepared) in windows.iter().zip(&prepared) {
                prop_assert!(prepared.ends_with(window), "{:?} {:?}", window, prepared);
            }
        }
    }
}
