//! Reads what `embed!` is given.

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

use crate::literal;

/// What `embed!` is given.
pub(crate) struct Arguments {
    /// The path of the crate that has the sources, whatever the program calls it.
    pub(crate) host: TokenStream,
    /// The folder.
    pub(crate) path: String,
    /// The endings of the files that are scripts, without the dot, where they are said.
    pub(crate) scripts: Option<Vec<String>>,
}

impl Arguments {
    /// Reads the crate in parentheses, then a string literal, then perhaps `scripts = […]`; a trailing comma is welcome.
    pub(crate) fn read(input: TokenStream) -> Result<Self, String> {
        let usage = || {
            "embed! takes the path of a folder: embed!(\"migrations\"), or embed!(\"migrations\", scripts = [\"lua\"])"
                .to_owned()
        };
        let mut tokens: Vec<TokenTree> = input.into_iter().collect();
        if is_comma(tokens.last()) {
            tokens.pop();
        }
        let (host, path, scripts) = match tokens.as_slice() {
            [TokenTree::Group(host), path] => (host, path, None),
            [
                TokenTree::Group(host),
                path,
                comma,
                TokenTree::Ident(word),
                TokenTree::Punct(is),
                TokenTree::Group(list),
            ] if is_comma(Some(comma))
                && word.to_string() == "scripts"
                && is.as_char() == '='
                && list.delimiter() == Delimiter::Bracket =>
            {
                (host, path, Some(texts(list).ok_or_else(usage)?))
            }
            _ => return Err(usage()),
        };
        Ok(Self { host: host.stream(), path: text(path).ok_or_else(usage)?, scripts })
    }
}

fn is_comma(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Punct(comma)) if comma.as_char() == ',')
}

/// Returns what a string literal says.
fn text(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Literal(literal) => literal::text(&literal.to_string()),
        // A literal that another macro passed on comes wrapped in an invisible group.
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            let [only] = inner.as_slice() else { return None };
            text(only)
        }
        TokenTree::Group(_) | TokenTree::Ident(_) | TokenTree::Punct(_) => None,
    }
}

/// Returns what the string literals of a list say.
fn texts(list: &Group) -> Option<Vec<String>> {
    let tokens: Vec<TokenTree> = list.stream().into_iter().collect();
    let items = tokens.split(|token| is_comma(Some(token)));
    let mut texts = Vec::new();
    for (place, item) in items.enumerate() {
        match item {
            [only] => texts.push(text(only)?),
            // Behind the last comma, or in an empty list.
            [] if place == texts.len() => {}
            _ => return None,
        }
    }
    Some(texts)
}
