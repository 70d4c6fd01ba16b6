//! Which columns a generated column is computed from. Reads the text of a CREATE TABLE only.

use crate::sql::{self, Token, TokenKind};

/// Finds a column among `written` that a generated column is computed from, be it by way of others.
pub(super) fn computed_from<'w>(definition: &str, column: &str, written: &'w [String]) -> Option<&'w String> {
    let expressions = expressions(definition);
    let (mut wanted, mut seen) = (vec![column.to_owned()], Vec::<String>::new());
    while let Some(column) = wanted.pop() {
        for (_, names) in expressions.iter().filter(|(name, _)| name.eq_ignore_ascii_case(&column)) {
            if let Some(found) = written.iter().find(|written| any(names, written)) {
                return Some(found);
            }
            // Some are names of functions or of collations, which no column has.
            for name in names.iter().filter(|name| !any(&seen, name)) {
                wanted.push(name.clone());
            }
            seen.extend_from_slice(names);
        }
    }
    None
}

fn any(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Returns the generated columns, each with the names in its expression.
fn expressions(definition: &str) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    let (mut depth, mut column, mut after_as, mut inside) = (0_usize, None, false, false);
    for token in sql::tokens(definition).filter(Token::is_significant) {
        match token.text {
            "(" => {
                depth += 1;
                if depth == 2 && after_as {
                    inside = true;
                    found.push((column.clone().unwrap_or_default(), Vec::new()));
                }
            }
            ")" => {
                depth = depth.saturating_sub(1);
                inside &= depth > 1;
            }
            "," if depth == 1 => column = None,
            _ if depth == 1 && column.is_none() => column = token.name(),
            _ if inside && matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdentifier) => {
                if let Some((_, names)) = found.last_mut() {
                    names.extend(token.name());
                }
            }
            _ => {}
        }
        after_as = depth == 1 && token.is_word("AS");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_what_a_column_is_computed_from() {
        let table = "CREATE TABLE t (id INTEGER PRIMARY KEY, a REAL, \"b \"\"c\" TEXT CHECK (CAST(a AS TEXT) <> ''),
            n DECIMAL(10, 2), k AS (a) UNIQUE, [l] TEXT GENERATED ALWAYS AS (upper(`k`) || 'n') STORED,
            m AS (\"b \"\"C\" + 1), 'self' AS (self), CHECK (n > 0), UNIQUE (l, m))";
        let cases = [
            ("k", "A", true),
            ("K", "n", false),
            ("l", "a", true),
            ("l", "n", false),
            ("m", "b \"c", true),
            ("m", "a", false),
            ("self", "a", false),
            ("a", "n", false),
            ("nowhere", "a", false),
        ];
        for (column, written, expected) in cases {
            let written = [written.to_owned()];
            let found = computed_from(table, column, &written);
            assert_eq!(found.is_some(), expected, "{column} from {written:?}");
        }
    }

    #[test]
    fn survives_every_text() {
        for text in ["", "(", ")", "CREATE TABLE t (a AS (", "x AS ((a)", ",(,(AS('", "(' AS (\"", "(é AS (é)"] {
            let _ = computed_from(text, "a", &["a".to_owned()]);
        }
    }
}
