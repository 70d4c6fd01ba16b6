//! Where a full-text table has its texts: in a table of its own, nowhere, or in another table that its definition names, whose
//! rows it then shows. <https://sqlite.org/fts5.html#external_content_and_contentless_tables>

use super::catalog::parts;
use crate::sql::{self, Token, TokenKind};

/// What the option `content` of a definition says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Content {
    /// A table or a view.
    Of(String),
    /// The texts are kept nowhere.
    Nowhere,
    /// Nothing, or something that SQLite may read in another way.
    Unclear,
}

/// Reads `CREATE VIRTUAL TABLE … USING fts5(…)`; nothing where it uses another module.
pub(super) fn content(sql: &str) -> Option<Content> {
    let mut tokens: Vec<Token<'_>> = sql::tokens(sql).filter(|token| token.kind != TokenKind::Space).collect();
    let has_comments = tokens.iter().any(|token| token.kind == TokenKind::Comment);
    tokens.retain(Token::is_significant);
    let using = tokens.iter().position(|token| token.is_word("USING"))?;
    let module = tokens.get(using + 1)?.name()?;
    if !module.eq_ignore_ascii_case("fts5") {
        return None;
    }
    let mut said = parts(&tokens[using..]).into_iter().filter(|part| is_option(part));
    Some(match (said.next(), said.next()) {
        // Its arguments reach the module as they stand, and comments mean nothing to it.
        (Some([_, _, value]), None) if !has_comments => match value.name() {
            Some(name) if name.is_empty() => Content::Nowhere,
            Some(name) => Content::Of(name),
            None => Content::Unclear,
        },
        _ => Content::Unclear,
    })
}

/// Tells whether an argument is the option. The module takes the beginning of its name for the whole.
fn is_option(part: &[Token<'_>]) -> bool {
    let [name, equals, ..] = part else { return false };
    let is_name = name.kind == TokenKind::Word && "content".starts_with(&name.text.to_ascii_lowercase());
    is_name && equals.text == "="
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_whose_rows_are_shown() {
        let of = |name: &str| Some(Content::Of(name.to_owned()));
        let cases = [
            ("CREATE VIRTUAL TABLE f USING fts5(a, content=customer, content_rowid=id)", of("customer")),
            ("create virtual table f using FTS5 (a, tokenize = 'x', C = \"the customer\")", of("the customer")),
            ("CREATE VIRTUAL TABLE f USING fts5(content='customer')", of("customer")),
            ("CREATE VIRTUAL TABLE f USING fts5(a, content = '')", Some(Content::Nowhere)),
            ("CREATE VIRTUAL TABLE f USING fts5(a, content = '' /* x */)", Some(Content::Unclear)),
            ("CREATE VIRTUAL TABLE f USING fts5(a, content = '' customer)", Some(Content::Unclear)),
            ("CREATE VIRTUAL TABLE f USING fts5(a, content = '', cont = customer)", Some(Content::Unclear)),
            ("CREATE VIRTUAL TABLE f USING fts5(a, content)", Some(Content::Unclear)),
            ("CREATE VIRTUAL TABLE f USING fts5(a, content=", Some(Content::Unclear)),
            ("CREATE VIRTUAL TABLE f USING rtree(id, a, b)", None),
        ];
        for (sql, expected) in cases {
            assert_eq!(content(sql), expected, "{sql}");
        }
    }
}
