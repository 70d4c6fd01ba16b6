//! What a statement is that runs outside a transaction: whether it can be told from the database that it ran. Looks at
//! its first words only.

use super::lexer::{Token, tokens};

/// What a statement outside a transaction is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It can share a transaction with a note that it ran.
    Transactional,
    /// It sets something of the connection, which a later connection has to set again: PRAGMA, ATTACH, DETACH.
    Connection,
    /// It works in no transaction, and may be run once more: VACUUM.
    Repeatable,
    /// It works in no transaction, and may not be run once more: VACUUM INTO a file.
    Once,
    /// It begins a transaction of the script's own.
    Begin,
    /// It ends one, or a part of one.
    End,
}

/// Tells what a statement is.
pub fn standing(statement: &str) -> Standing {
    // Enough for `VACUUM schema INTO`.
    let head: Vec<Token<'_>> = tokens(statement).filter(Token::is_significant).take(4).collect();
    let word = |index: usize, keywords: &[&str]| {
        head.get(index).is_some_and(|token| keywords.iter().any(|keyword| token.is_word(keyword)))
    };
    if word(0, &["BEGIN", "SAVEPOINT"]) {
        return Standing::Begin;
    }
    if word(0, &["COMMIT", "END", "ROLLBACK", "RELEASE"]) {
        return Standing::End;
    }
    if word(0, &["PRAGMA", "ATTACH", "DETACH"]) {
        return Standing::Connection;
    }
    match word(0, &["VACUUM"]) {
        true if head.iter().skip(1).any(|token| token.is_word("INTO")) => Standing::Once,
        true => Standing::Repeatable,
        false => Standing::Transactional,
    }
}

/// Tells whether a statement makes something that is gone with its connection.
pub fn makes_temporary(statement: &str) -> bool {
    // Enough for `CREATE TABLE IF NOT EXISTS temp.name`.
    let head: Vec<Token<'_>> = tokens(statement).filter(Token::is_significant).take(8).collect();
    let temporary = |token: &Token<'_>| token.is_word("TEMP") || token.is_word("TEMPORARY");
    head.first().is_some_and(|token| token.is_word("CREATE"))
        && (head.get(1).is_some_and(temporary)
            || head.windows(2).any(|pair| pair[0].is_word("TEMP") && pair[1].text == "."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_a_statement_is() {
        for (statement, expected) in [
            ("INSERT INTO t VALUES (1);", Standing::Transactional),
            ("-- BEGIN\ncreate index i ON t (a)", Standing::Transactional),
            ("ANALYZE;", Standing::Transactional),
            ("pragma journal_mode = WAL", Standing::Connection),
            ("ATTACH 'x' AS y", Standing::Connection),
            ("VACUUM;", Standing::Repeatable),
            ("vacuum main;", Standing::Repeatable),
            ("VACUUM INTO 'x.db';", Standing::Once),
            ("VACUUM main INTO 'x.db';", Standing::Once),
            ("BEGIN IMMEDIATE;", Standing::Begin),
            ("/* x */ SAVEPOINT a", Standing::Begin),
            ("END;", Standing::End),
            ("ROLLBACK TO a", Standing::End),
            ("RELEASE a", Standing::End),
            ("", Standing::Transactional),
        ] {
            assert_eq!(standing(statement), expected, "{statement}");
        }
        assert!(makes_temporary("CREATE TEMP TABLE x (a)"));
        assert!(makes_temporary("create temporary trigger x"));
        assert!(makes_temporary("CREATE TABLE IF NOT EXISTS temp.x (a)"), "the schema has the name as well");
        assert!(!makes_temporary("CREATE TABLE t (temp)"));
        assert!(!makes_temporary("INSERT INTO temp.x VALUES (1)"));
    }
}
