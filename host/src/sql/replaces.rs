//! Whether a text has rows deleted in the place of new ones.

use super::lexer::{Token, tokens};

/// Tells whether a statement, or the definition of a table, asks for `REPLACE` where rows are in each other's way. The
/// function of that name is something else.
pub fn replaces(text: &str) -> bool {
    // Most texts have no such word, and are not taken apart.
    if !text.as_bytes().windows(7).any(|part| part.eq_ignore_ascii_case(b"replace")) {
        return false;
    }
    let mut tokens = tokens(text).filter(Token::is_significant).peekable();
    while let Some(token) = tokens.next() {
        if token.is_word("REPLACE") && tokens.peek().is_none_or(|next| next.text != "(") {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_clause_from_the_function() {
        for text in [
            "INSERT OR REPLACE INTO t VALUES (1)",
            "replace into t VALUES (1)",
            "UPDATE OR /* */ Replace t SET x = replace(x, 'a', 'b')",
            "CREATE TABLE t (x UNIQUE ON CONFLICT REPLACE)",
        ] {
            assert!(replaces(text), "{text}");
        }
        for text in
            ["INSERT INTO t VALUES (replace ('a', 'a', 'b'))", "SELECT 'replace' -- replace it", "replacement", ""]
        {
            assert!(!replaces(text), "{text}");
        }
    }
}
