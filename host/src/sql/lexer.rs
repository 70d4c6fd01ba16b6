//! Cuts SQL into tokens as SQLite does. Accepts every text and loses no byte of it.
//!
//! Follows `sqlite3GetToken` of SQLite's `tokenize.c`, except that a NUL is a token like any other wrong
//! character, where SQLite would end.

/// What a token is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TokenKind {
    /// Blanks, line ends, a byte order mark.
    Space,
    /// `-- …` up to its line feed, or `/* … */`.
    Comment,
    /// `'…'`, and `x'…'`.
    String,
    /// `"…"`, `` `…` `` or `[…]`.
    QuotedIdentifier,
    /// A keyword or a plain identifier.
    Word,
    /// `;`
    Semicolon,
    /// A number, parameter, operator, parenthesis, or what SQLite would refuse.
    Other,
}

/// A piece of SQL.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: TokenKind,
    /// Byte where it begins.
    pub start: usize,
    /// Its text.
    pub text: &'a str,
}

impl Token<'_> {
    /// Returns the byte after its end.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Tells whether it means something to the database.
    pub fn is_significant(&self) -> bool {
        !matches!(self.kind, TokenKind::Space | TokenKind::Comment)
    }

    /// Tells whether it is this keyword.
    pub fn is_word(&self, keyword: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    /// Returns what it names, without its quotes. SQLite takes strings for names where only a name can stand.
    pub fn name(&self) -> Option<String> {
        let quoted = |quote: char| {
            let inside = self.text.strip_prefix(quote)?;
            let inside = inside.strip_suffix(quote).unwrap_or(inside);
            Some(inside.replace(&format!("{quote}{quote}"), &quote.to_string()))
        };
        match (self.kind, self.text.chars().next()?) {
            (TokenKind::Word, _) => Some(self.text.to_owned()),
            (TokenKind::QuotedIdentifier, '[') => {
                let inside = &self.text[1..];
                Some(inside.strip_suffix(']').unwrap_or(inside).to_owned())
            }
            (TokenKind::QuotedIdentifier | TokenKind::String, quote @ ('"' | '`' | '\'')) => quoted(quote),
            _ => None,
        }
    }
}

/// Returns the tokens of `sql`; put together they are `sql` again.
pub fn tokens(sql: &str) -> impl Iterator<Item = Token<'_>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = &sql[start..];
        if rest.is_empty() {
            return None;
        }
        let (kind, length) = scan(rest.as_bytes());
        let token = Token { kind, start, text: &rest[..length] };
        start += length;
        Some(token)
    })
}

/// Returns the kind and the length of the token at the beginning of `text`, which is not empty.
fn scan(text: &[u8]) -> (TokenKind, usize) {
    let next = text.get(1).copied();
    match text[0] {
        b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' => (TokenKind::Space, 1 + run(&text[1..], is_space)),
        0xef if text.starts_with(BYTE_ORDER_MARK) => (TokenKind::Space, BYTE_ORDER_MARK.len()),
        b'-' if next == Some(b'-') => (TokenKind::Comment, find(text, b'\n').unwrap_or(text.len())),
        b'/' if next == Some(b'*') && text.len() > 2 => (TokenKind::Comment, block_comment(text)),
        b'\'' => (TokenKind::String, quoted(text, b'\'')),
        b'"' | b'`' => (TokenKind::QuotedIdentifier, quoted(text, text[0])),
        b'[' => (TokenKind::QuotedIdentifier, through(text, 1, b']')),
        b'x' | b'X' if next == Some(b'\'') => (TokenKind::String, through(text, 2, b'\'')),
        b';' => (TokenKind::Semicolon, 1),
        b'.' if next.is_some_and(|byte| byte.is_ascii_digit()) => (TokenKind::Other, number(text)),
        b'0'..=b'9' => (TokenKind::Other, number(text)),
        b'?' => (TokenKind::Other, 1 + run(&text[1..], |byte| byte.is_ascii_digit())),
        b'$' | b'@' | b'#' | b':' => (TokenKind::Other, variable(text)),
        b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => (TokenKind::Word, run(text, is_word)),
        _ => (TokenKind::Other, operator(text)),
    }
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Bytes at which [`to_semicolon`] has to look closer: the semicolon, and what may begin a comment or a token in which a
/// semicolon can stand.
const STOPS: [bool; 256] = {
    let mut stops = [false; 256];
    let mut at = 0;
    while at < b";'\"`[-/?$@#:\xef".len() {
        stops[b";'\"`[-/?$@#:\xef"[at] as usize] = true;
        at += 1;
    }
    stops
};

/// Returns the byte behind the first semicolon that is one of the [`tokens`], without telling the others apart; most of
/// a script is passed over this way. `text` begins between two tokens.
pub(super) fn to_semicolon(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut token) = (0, 0);
    loop {
        at += to_stop(&bytes[at..])?;
        let byte = bytes[at];
        if byte == b';' {
            return Some(at + 1);
        }
        if is_word(byte) && at > token && is_inside(text, &mut token, at) {
            at += 1;
            continue;
        }
        at += scan(&bytes[at..]).1;
        token = at;
    }
}

/// Returns where the first of the [`STOPS`] is. Most pieces have none.
fn to_stop(bytes: &[u8]) -> Option<usize> {
    let is_stop = |byte: &u8| STOPS[usize::from(*byte)];
    let mut at = 0;
    for piece in bytes.as_chunks::<8>().0 {
        if piece.iter().fold(false, |found, byte| found | is_stop(byte)) {
            break;
        }
        at += piece.len();
    }
    bytes[at..].iter().position(is_stop).map(|found| at + found)
}

/// Tells whether a byte of a word belongs to a token that began before it; `token` is where some token before it begins,
/// and moves on, so that nothing is cut twice.
fn is_inside(text: &str, token: &mut usize, at: usize) -> bool {
    match text.as_bytes()[at - 1] {
        // `1.$` is a number, and `a.$` two tokens and the beginning of a third.
        b'.' => {
            let from = *token;
            let Some(last) = tokens(&text[from..]).take_while(|of| from + of.start < at).last() else { return false };
            *token = from + last.start;
            at < from + last.end()
        }
        before => is_word(before),
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ')
}

/// Tells whether a byte can stand inside a word; every byte of a character beyond ASCII can.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)
}

/// Returns how many bytes at the beginning are of this sort.
fn run(text: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|byte| !belongs(*byte)).unwrap_or(text.len())
}

/// Returns the length up to and with the first `end` at or after `from`.
fn through(text: &[u8], from: usize, end: u8) -> usize {
    find(&text[from..], end).map_or(text.len(), |at| from + at + 1)
}

/// Returns where the first of these bytes is. What has none of them is passed over many bytes at once: a literal may hold
/// megabytes.
fn find(text: &[u8], wanted: u8) -> Option<usize> {
    let has = |bytes: &[u8]| bytes.iter().fold(false, |found, byte| found | (*byte == wanted));
    let without = text.as_chunks::<16>().0.iter().take_while(|piece| !has(*piece)).count() * 16;
    text[without..].iter().position(|byte| *byte == wanted).map(|at| without + at)
}

/// Returns the length of a token between quotes, in which a doubled quote stands for itself.
fn quoted(text: &[u8], quote: u8) -> usize {
    let mut end = through(text, 1, quote);
    while text.get(end) == Some(&quote) {
        end = through(text, end + 1, quote);
    }
    end
}

fn block_comment(text: &[u8]) -> usize {
    text[2..].windows(2).position(|pair| pair == b"*/").map_or(text.len(), |at| 2 + at + 2)
}

fn number(text: &[u8]) -> usize {
    let digits = |from: usize| from + run(&text[from..], |byte| byte.is_ascii_digit() || byte == b'_');
    let is_digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    let mut end;
    if text[0] == b'0' && matches!(text.get(1), Some(b'x' | b'X')) && text.get(2).is_some_and(u8::is_ascii_hexdigit) {
        end = 3 + run(&text[3..], |byte| byte.is_ascii_hexdigit() || byte == b'_');
    } else {
        end = digits(0);
        if text.get(end) == Some(&b'.') {
            end = digits(end + 1);
        }
        if matches!(text.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
            if is_digit(end + 1 + sign) {
                end = digits(end + 2 + sign);
            }
        }
    }
    end + run(&text[end..], is_word)
}

/// Returns the length of `$name`, `@name`, `:name` or `#name`, with the `::` and `(…)` that Tcl names have.
fn variable(text: &[u8]) -> usize {
    let mut end = 1;
    let mut named = false;
    while let Some(byte) = text.get(end) {
        if is_word(*byte) {
            named = true;
            end += 1;
        } else if *byte == b':' && text.get(end + 1) == Some(&b':') {
            end += 2;
        } else if *byte == b'(' && named {
            end += 1 + run(&text[end + 1..], |byte| byte != b')' && byte != 0 && !is_space(byte));
            return end + usize::from(text.get(end) == Some(&b')'));
        } else {
            break;
        }
    }
    end
}

fn operator(text: &[u8]) -> usize {
    match text {
        [b'-', b'>', b'>', ..] => 3,
        [b'-', b'>', ..]
        | [b'|', b'|', ..]
        | [b'<', b'=' | b'>' | b'<', ..]
        | [b'>', b'=' | b'>', ..]
        | [b'=' | b'!', b'=', ..] => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(sql: &str) -> String {
        let letter = |kind| match kind {
            TokenKind::Space => '_',
            TokenKind::Comment => 'c',
            TokenKind::String => 's',
            TokenKind::QuotedIdentifier => 'q',
            TokenKind::Word => 'w',
            TokenKind::Semicolon => ';',
            TokenKind::Other => 'o',
        };
        tokens(sql).map(|token| format!("{}{}", letter(token.kind), token.text.len())).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn cuts_as_sqlite_does() {
        let cases = [
            ("", ""),
            (" \t\r\n\x0b\x0c", "_6"),
            ("\x0b ", "o1 _1"),
            ("\u{feff}a", "_3 w1"),
            ("a\u{feff}b", "w5"),
            ("-- x\r\ny", "c5 _1 w1"),
            ("--", "c2"),
            ("- -", "o1 _1 o1"),
            ("/**/a", "c4 w1"),
            ("/*/a*/b", "c6 w1"),
            ("/* a", "c4"),
            ("/*", "o1 o1"),
            ("'it''s' 'a\nb", "s7 _1 s4"),
            ("'';", "s2 ;1"),
            ("'''", "s3"),
            ("\"a\"\"b\"`c```[d]]", "q6 q5 q3 o1"),
            ("x'53'X'zz' xy", "s5 s5 _1 w2"),
            ("x''''", "s3 s2"),
            ("größe$1 _a", "w9 _1 w2"),
            ("1.5e+10 .5 1.e5 1e 0x1F 1_000 5a", "o7 _1 o2 _1 o4 _1 o2 _1 o4 _1 o5 _1 o2"),
            ("a.b 1..2", "w1 o1 w1 _1 o2 o2"),
            ("?1 :a @b $c::d(e) #f ?", "o2 _1 o2 _1 o2 _1 o8 _1 o2 _1 o1"),
            (":a(b c", "o4 _1 w1"),
            ("a->>b||c<=d<>e!=f==g!h<<i", "w1 o3 w1 o2 w1 o2 w1 o2 w1 o2 w1 o2 w1 o1 w1 o2 w1"),
            ("a\0b", "w1 o1 w1"),
        ];
        for (sql, expected) in cases {
            assert_eq!(shown(sql), expected, "{sql:?}");
        }
    }

    proptest! {
        #[test]
        fn passes_over_tokens_as_it_cuts_them(
            sql in "(a|1|1[.][$]a[(];|a[.][$]a[(];|[.]|e|x|X|'|''|\"|`|\\[|\\]|--|-|/\\*|\\*/|\n| |\u{b}|;|[?]|[$]|@|:|::|#|\\(|\\)|\u{feff}|é|\u{efff}|\u{0}){0,24}",
        ) {
            let semicolon = tokens(&sql).find(|token| token.kind == TokenKind::Semicolon);
            prop_assert_eq!(to_semicolon(&sql), semicolon.map(|token| token.end()));
        }
    }

    proptest! {
        #[test]
        fn loses_no_byte(sql in r#"([a-z0-9$_.:?@#(){}'"`\[\];*/!<>=|\- \n\r\t\x00xX]|\PC|\x{feff}){0,60}"#) {
            let mut end = 0;
            for token in tokens(&sql) {
                prop_assert_eq!(token.start, end);
                prop_assert!(!token.text.is_empty());
                end = token.end();
            }
            prop_assert_eq!(end, sql.len());
        }
    }
}
