//! Tells whether what a text computes can fail, by its tokens alone. Knows nothing of tables.

use crate::sql::{Token, TokenKind};

/// Tells whether expressions only compare columns with each other and with what is written or given: that always succeeds. A
/// function may fail, and so may `LIKE`, `||` and `->`, for what a row holds.
pub(super) fn only_compares(tokens: &[Token<'_>]) -> bool {
    const OPERATORS: [&str; 14] = ["(", ")", ",", ".", "=", "==", "<>", "!=", "<", "<=", ">", ">=", "+", "-"];
    // Behind these a parenthesis opens no arguments.
    const WORDS: [&str; 10] = ["WHERE", "AND", "OR", "NOT", "IS", "IN", "BETWEEN", "FROM", "WHEN", "ON"];
    const CAN_FAIL: [&str; 6] = ["LIKE", "GLOB", "REGEXP", "MATCH", "CAST", "RAISE"];
    let is_word = |token: &Token<'_>| WORDS.iter().any(|word| token.is_word(word));
    let is_written = |text: &str| text.starts_with(|begin: char| begin.is_ascii_digit() || "?:@$#".contains(begin));
    let is_known = |token: &Token<'_>| match token.kind {
        TokenKind::Space | TokenKind::Comment | TokenKind::Semicolon => true,
        TokenKind::String | TokenKind::QuotedIdentifier => true,
        TokenKind::Word => !CAN_FAIL.iter().any(|word| token.is_word(word)),
        TokenKind::Other => OPERATORS.contains(&token.text) || is_written(token.text),
    };
    // What has a name and arguments is a function.
    let calls = |pair: &[Token<'_>]| pair[1].text == "(" && pair[0].name().is_some() && !is_word(&pair[0]);
    tokens.iter().all(is_known) && !tokens.windows(2).any(calls)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql;

    #[test]
    fn tells_what_cannot_fail() {
        let cases = [
            ("DELETE FROM main.t WHERE t.a = ?1 AND b IN (:b, 'x') OR \"c\" IS NULL;", true),
            ("DELETE FROM t NOT INDEXED WHERE NOT (a BETWEEN 1 AND -2.5)", true),
            ("DELETE FROM t WHERE abs(a) = 1", false),
            ("DELETE FROM t WHERE \"abs\" (a)", false),
            ("DELETE FROM t WHERE a || b = 'x'", false),
            ("DELETE FROM t WHERE a -> '$.x'", false),
            ("DELETE FROM t WHERE a LIKE b", false),
            ("DELETE FROM t WHERE CASE a WHEN 1 THEN (b) ELSE c * 2 END", false),
        ];
        for (text, expected) in cases {
            let tokens: Vec<Token<'_>> = sql::tokens(text).filter(Token::is_significant).collect();
            assert_eq!(only_compares(&tokens), expected, "{text}");
        }
    }
}
