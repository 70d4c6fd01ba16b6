//! Tells whether a part of a statement stays in the parentheses that are put around it. Runs nothing.

use super::{Token, TokenKind, tokens};

/// Says why a text cannot stand in parentheses as one part of a statement; nothing where it can.
///
/// Whether it makes sense there only the database knows, but it would not notice that a text closes the parenthesis and opens
/// another: `a) OR (b`.
pub fn leaves_parentheses(text: &str) -> Option<String> {
    let mut depth = 0_usize;
    for token in tokens(text).filter(Token::is_significant) {
        match token.text {
            "(" => depth += 1,
            ")" => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return Some("closes a parenthesis that it does not open".to_owned()),
            },
            _ if token.kind == TokenKind::Semicolon => {
                return Some("has a semicolon: it is a part of a statement".to_owned());
            }
            // The host's own parameters are counted.
            variable if token.kind == TokenKind::Other && variable.starts_with(['?', ':', '@', '$', '#']) => {
                return Some(format!("has the parameter {}, and nothing is bound to it", variable.escape_debug()));
            }
            _ => {}
        }
    }
    (depth > 0).then(|| "opens a parenthesis that it does not close".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_stays_where_it_is_put() {
        for text in ["", "a = 1", "(a) OR (b)", "a = ')' OR [(] IS NULL -- )", "a /* ( */ IN (1, (2))", "a LIKE '%?;'"]
        {
            assert_eq!(leaves_parentheses(text), None, "{text}");
        }
        let cases = [
            ("1) OR (0", "closes a parenthesis"),
            (")", "closes a parenthesis"),
            ("(a", "opens a parenthesis"),
            ("a; b", "has a semicolon"),
            ("a > ?", "has the parameter ?"),
            ("a > ?1", "has the parameter ?1"),
            ("a > :x", "has the parameter :x"),
        ];
        for (text, why) in cases {
            assert!(leaves_parentheses(text).is_some_and(|said| said.starts_with(why)), "{text}");
        }
    }
}
