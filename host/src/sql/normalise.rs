//! The text behind the forgiving checksum: what of a script means something, in one fixed spelling.

use std::ops::Range;

use super::lexer::{Token, tokens};
use super::{Directives, TransactionMode};

/// Hands the normalised text of a script to `sink`, piece by piece.
///
/// The algorithm, whose result is hashed with SHA-256 as UTF-8:
///
/// 1. Write the line `-- whimbrel: transaction = none`, then the line `-- whimbrel: rebuild`, then the line
///    `-- whimbrel: functions = …` with the names joined by one blank, each only if the script has that directive, and
///    each ended by a line feed. A description is for people and left out.
/// 2. Cut the script into SQLite's tokens. Drop blanks, line ends, byte order marks and comments.
/// 3. Write the remaining tokens byte for byte as they are, joined by one blank.
///
/// So line endings, indentation, blank lines and comments do not count; string literals, quoted identifiers,
/// numbers, the case of keywords and every semicolon do. Two scripts with the same text here have the same
/// tokens, and so mean the same to SQLite.
///
/// One thing escapes it: SQLite names a column without a name after the expression's own spelling, so in
/// `CREATE TABLE t AS SELECT a+1 FROM x` a blank before the `1` gives another column name.
pub fn normalise(sql: &str, directives: &Directives, mut sink: impl FnMut(&str)) {
    if directives.transaction == TransactionMode::None {
        sink("-- whimbrel: transaction = none\n");
    }
    if directives.rebuild && !directives.implied_rebuild {
        sink("-- whimbrel: rebuild\n");
    }
    if !directives.functions.is_empty() {
        sink("-- whimbrel: functions =");
        for name in &directives.functions {
            sink(" ");
            sink(name);
        }
        sink("\n");
    }
    let mut same: Option<Range<usize>> = None;
    for token in tokens(sql).filter(Token::is_significant) {
        let own = token.start..token.end();
        match &mut same {
            // What is written here as it will be there is handed over together.
            Some(same) if own.start == same.end + 1 && sql.as_bytes()[same.end] == b' ' => same.end = own.end,
            Some(before) => {
                sink(&sql[std::mem::replace(before, own)]);
                sink(" ");
            }
            None => same = Some(own),
        }
    }
    if let Some(last) = same {
        sink(&sql[last]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normalised(sql: &str) -> String {
        with(sql, &Directives::default())
    }

    fn with(sql: &str, directives: &Directives) -> String {
        let mut text = String::new();
        normalise(sql, directives, |piece| text.push_str(piece));
        text
    }

    #[test]
    fn forgives_what_means_nothing() {
        let cases = [
            ("", ""),
            ("-- nothing\n", ""),
            ("SELECT 1;", "SELECT 1 ;"),
            ("\u{feff}-- words\r\nSELECT\t1 ;\r\n\r\n", "SELECT 1 ;"),
            ("SELECT/* x */1--y\n;", "SELECT 1 ;"),
            (
                "INSERT INTO t(a,b)VALUES('a  b\r\n--c',\"d\")",
                "INSERT INTO t ( a , b ) VALUES ( 'a  b\r\n--c' , \"d\" )",
            ),
            ("SELECT a - -1, a->>'$.b', 1.5e3", "SELECT a - - 1 , a ->> '$.b' , 1.5e3"),
        ];
        for (sql, expected) in cases {
            assert_eq!(normalised(sql), expected, "{sql:?}");
        }
    }

    #[test]
    fn counts_what_means_something() {
        let different = [
            ("SELECT 1;", "select 1;"),
            ("SELECT 'a b'", "SELECT 'a  b'"),
            ("SELECT 'a\n'", "SELECT 'a\r\n'"),
            ("SELECT [a b]", "SELECT [a  b]"),
            ("SELECT 'é'", "SELECT 'e\u{301}'"),
            ("SELECT 1", "SELECT 1;"),
            ("SELECT a - -1", "SELECT a --1"),
            ("SELECT ab", "SELECT a b"),
            ("SELECT 1 .5", "SELECT 1.5"),
            ("SELECT a < = b", "SELECT a <= b"),
        ];
        for (left, right) in different {
            assert_ne!(normalised(left), normalised(right), "{left:?}");
        }
    }

    #[test]
    fn counts_the_directives_that_change_how_it_runs() {
        let none = Directives { transaction: TransactionMode::None, ..Directives::default() };
        let rebuild = Directives { rebuild: true, ..Directives::default() };
        let described = Directives { description: Some("x".into()), ..Directives::default() };
        assert_eq!(with("a", &none), "-- whimbrel: transaction = none\na");
        assert_eq!(with("a", &rebuild), "-- whimbrel: rebuild\na");
        let functions = Directives { functions: vec!["x".into(), "y".into()], ..Directives::default() };
        assert_eq!(with("a", &described), "a");
        assert_eq!(with("a", &functions), "-- whimbrel: functions = x y\na");
    }

    /// Pieces of which none merges with its neighbour when something meaningless stands between them.
    fn pieces() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec("[a-z]{1,5}|'[^'\0]{0,8}'|\"[^\"\0]{0,8}\"|[0-9]{1,4}|[(),;=+-]|<=|\\|\\|", 0..12)
    }

    fn gap() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            " ",
            "\n",
            "\r\n",
            "\t  ",
            " -- it's\n",
            " -- x\r\n",
            "/* ; ' */",
            " \u{feff}",
            "\n\n/**/ ",
        ])
    }

    proptest! {
        #[test]
        fn does_not_depend_on_what_stands_between_tokens(pieces in pieces(), gaps in prop::collection::vec(gap(), 13)) {
            let edited: String = pieces.iter().zip(&gaps).flat_map(|(piece, gap)| [gap, piece.as_str()]).collect();
            prop_assert_eq!(normalised(&(edited + gaps[12])), normalised(&pieces.join(" ")));
        }

        #[test]
        fn notices_every_change_inside_a_literal(before in "[^'\0]{0,10}", after in "[^'\0]{0,10}") {
            let sql = |literal: &str| format!("INSERT INTO t VALUES ('{literal}');");
            prop_assert_eq!(before == after, normalised(&sql(&before)) == normalised(&sql(&after)));
        }

        #[test]
        fn keeps_the_tokens_and_is_settled_after_once(sql in r#"([a-e0-9$_.:?@()'"`\[\];*/!<>=|\- \n\r\txX]|\PC){0,40}"#) {
            let significant = |text: &str| -> Vec<String> {
                tokens(text).filter(Token::is_significant).map(|token| token.text.to_owned()).collect()
            };
            let once = normalised(&sql);
            prop_assert_eq!(significant(&sql), significant(&once));
            prop_assert_eq!(normalised(&once), once);
        }
    }
}
