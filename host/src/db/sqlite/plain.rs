//! Tells fast whether the text of a statement says nothing that SQLite's authorizer does not. Called for each new text.

use std::ops::Range;

use super::statement_kind;
use crate::sql::{self, Token};

/// Tells whether a statement only reads or changes rows, and its text has nothing in it that `statement_kind::read`
/// would find and the database would not report, unless there are virtual tables (`Schema::is_silent`).
///
/// The telling words are looked for inside other words, strings and comments as well, which is faster than to tell
/// these apart.
pub(super) fn is_plain(text: &str) -> bool {
    const BEGINS: [&str; 5] = ["SELECT", "INSERT", "UPDATE", "DELETE", "VALUES"];
    let first = sql::tokens(text).find(Token::is_significant);
    let begins = |first: &Token<'_>| BEGINS.iter().any(|word| first.is_word(word));
    let Some(first) = first.filter(begins) else { return false };
    let rest = &text.as_bytes()[first.end()..];
    let upserts = may_have(text, *b"cnl") && upserts_by_any_key(text);
    !tells(rest) && !upserts
}

/// Tells whether an upsert names no key.
fn upserts_by_any_key(text: &str) -> bool {
    let tokens: Vec<Token<'_>> = sql::tokens(text).filter(Token::is_significant).collect();
    statement_kind::upserts_by_any_key(&tokens)
}

/// Tells whether the word SELECT may stand in a text.
pub(super) fn may_have_query(text: &str) -> bool {
    may_have(text, *b"slc")
}

/// Tells whether the first, the third and the fifth letter of a word stand so in a text: the compiler looks at many places at once.
fn may_have(text: &str, letters: [u8; 3]) -> bool {
    const SMALL: u8 = 0x20;
    let text = text.as_bytes();
    let places = text.len().saturating_sub(4);
    let from = |at: usize| text.get(at..at + places).unwrap_or_default().iter();
    from(0).zip(from(2)).zip(from(4)).fold(false, |found, ((first, third), fifth)| {
        found | ((first | SMALL == letters[0]) & (third | SMALL == letters[1]) & (fifth | SMALL == letters[2]))
    })
}

/// The words that tell something in a statement that only reads or changes rows.
const TELLING: [&str; 4] = ["WITH", "USING", "NATURAL", "REPLACE"];
/// Two letters of each, and how many there are before them. They are rare in SQL, and no word says less.
const TELLING_LETTERS: [([u8; 2], usize); TELLING.len()] = [(*b"wi", 0), (*b"si", 1), (*b"tu", 2), (*b"ep", 1)];
/// Places that are looked at together.
const PIECE: usize = 16;

/// Tells whether one of the words stands in a text.
fn tells(text: &[u8]) -> bool {
    // Places of two letters.
    let places = text.len().saturating_sub(1);
    let Some(last) = places.checked_sub(PIECE) else { return stands_in(text, 0..text.len()) };
    // The last piece may overlap the one before.
    let pieces = (0..last).step_by(PIECE).chain([last]);
    pieces.into_iter().any(|at| may_stand_in(&text[at..]) && stands_in(text, at..at + PIECE))
}

/// Tells whether the telling letters of a word stand in the first piece of a text. The compiler finds the few
/// instructions that look at all places at once, as long as this stands alone and is written so.
#[inline(never)]
fn may_stand_in(text: &[u8]) -> bool {
    const SMALL: u8 = 0x20;
    let (Some(first), Some(second)) = (text.first_chunk::<PIECE>(), text[1..].first_chunk::<PIECE>()) else {
        return true;
    };
    let mut found = 0;
    for place in 0..PIECE {
        for (letters, _) in &TELLING_LETTERS {
            found |= u8::from(first[place] | SMALL == letters[0]) & u8::from(second[place] | SMALL == letters[1]);
        }
    }
    found != 0
}

/// Tells whether one of the words stands in a text, with its telling letters at these places.
fn stands_in(text: &[u8], places: Range<usize>) -> bool {
    places.into_iter().any(|place| {
        TELLING.iter().zip(&TELLING_LETTERS).any(|(word, (_, before))| {
            place.checked_sub(*before).is_some_and(|start| starts_with(&text[start..], word))
        })
    })
}

fn starts_with(text: &[u8], word: &str) -> bool {
    text.get(..word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::statement_kind::read;
    use super::*;
    use crate::grants::Statement;

    #[test]
    fn a_query_is_seen_wherever_it_is() {
        for text in ["SELECT 1", "insert into t values ((sElEct 1))", "selec", "x SELECT"] {
            assert!(may_have_query(text), "{text}");
        }
        for text in ["", "sele", "INSERT INTO t VALUES (1, 'selfish', 'slice')", "UPDATE t SET a = a || 'x'"] {
            assert!(!may_have_query(text), "{text}");
        }
    }

    #[test]
    fn a_plain_statement_tells_nothing() {
        let plain = ["UPDATE t SET a = 1", "select 'wit', upper(r), n from \"u\"", "-- with\nVALUES (1)", UPSERT];
        const UPSERT: &str =
            "INSERT INTO t VALUES ('on conflict do update') ON CONFLICT (a) DO UPDATE SET x = 1 ON CONFLICT DO NOTHING";
        let telling = [
            "",
            "; SELECT 1",
            "WITH a AS (SELECT 1) SELECT * FROM a",
            "SELECT (WITH a AS (SELECT 1) SELECT * FROM a)",
            "SELECT * FROM a natural JOIN b",
            "DELETE FROM a WHERE x IN (SELECT x FROM a JOIN b USING (x))",
            "INSERT OR REPLACE INTO t VALUES (1)",
            "REPLACE INTO t VALUES (1)",
            "EXPLAIN SELECT 1",
            "CREATE TABLE t (x)",
            "PRAGMA page_size",
            "SELECT 'without'",
            "INSERT INTO t VALUES (1) on conflict(a) do nothing ON/**/conflict DO\nupdate SET x = 1",
        ];
        for text in plain {
            assert!(is_plain(text), "{text}");
            // What is called, inserted and compared matters only where there are virtual tables or orders, and is looked at then.
            let told = Statement {
                names: BTreeSet::new(),
                called: BTreeSet::new(),
                inserted: BTreeSet::new(),
                expressions: false,
                compares: false,
                ..read(text)
            };
            assert!(told == Statement::default(), "{text}");
        }
        for text in telling {
            assert!(!is_plain(text), "{text}");
        }
    }

    #[test]
    fn finds_telling_words_wherever_they_stand() {
        for word in ["with", "USING", "Natural", "rePLACE"] {
            for before in 0..40 {
                for after in 0..20 {
                    let text = format!("SELECT {}{word}{}", "w".repeat(before), "h".repeat(after));
                    assert!(!is_plain(&text), "{text}");
                    let other =
                        format!("SELECT {}{}{}", "w".repeat(before), &word[..word.len() - 1], "x".repeat(after));
                    assert!(is_plain(&other), "{other}");
                }
            }
        }
    }
}
