//! Makes text from files, rows and guests safe to show: nothing in it can move the cursor or turn the line around.

use std::borrow::Cow;
use std::fmt::Write;

use whimbrel::is_obeyed;

/// Escapes what a terminal would obey instead of showing, line feeds and tabs excepted.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    escape(text, |character| !matches!(character, '\n' | '\t') && is_obeyed(character))
}

/// As [`lines`], with every line after the first behind so many blanks: somebody else's text may have a line that reads like one
/// of the program's own, such as `hint: …`, and none of it may stand where those do.
pub(crate) fn hung(text: &str, blanks: usize) -> String {
    lines(text.trim_end()).replace('\n', &format!("\n{}", " ".repeat(blanks)))
}

/// Escapes what a terminal would obey instead of showing, and everything that begins a new line.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    escape(text, is_obeyed)
}

/// Escapes in JSON what a terminal would obey and JSON itself leaves as it is. Such characters stand in strings only.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    let hostile = |character: char| character != '\n' && is_obeyed(character);
    if !text.contains(hostile) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if hostile(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

/// Makes one line of a statement: runs of blanks become one, and what is long is cut.
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    let mut short = String::new();
    for (index, word) in text.split_whitespace().enumerate() {
        if index > 0 {
            short.push(' ');
        }
        short.push_str(&line(word));
        if short.chars().nth(longest).is_some() {
            let kept: String = short.chars().take(longest.saturating_sub(1)).collect();
            return format!("{}…", kept.trim_end());
        }
    }
    short
}

fn escape(text: &str, hostile: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&hostile) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if hostile(character) {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "{}", character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_a_terminal_would_obey() {
        let cases = [
            ("plain ünïcode 名前", "plain ünïcode 名前"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("a\rb\nc\td", "a\\rb\nc\td"),
            ("\u{202e}evil\u{2066}", "\\u{202e}evil\\u{2066}"),
            ("\u{9b}31m", "\\u{9b}31m"),
        ];
        for (text, expected) in cases {
            assert_eq!(lines(text), expected);
        }
        assert_eq!(line("a\nb"), "a\\nb");
    }

    #[test]
    fn no_line_of_a_text_stands_where_the_programs_own_do() {
        assert_eq!(hung("no\nhint: obey\n\r\u{85}error: x\n", 4), "no\n    hint: obey\n    \\r\\u{85}error: x");
    }

    #[test]
    fn writes_json_that_a_terminal_may_see_and_a_parser_reads() {
        let text = "\u{9b}31m \u{202e} \u{e0041} plain \u{1b} ü\n";
        let written = serde_json::to_string(text).expect("JSON");
        let escaped = json(&written);
        assert!(!escaped.contains(is_obeyed), "{escaped:?}");
        assert!(escaped.contains("\\udb40\\udc41") && escaped.contains('ü'), "{escaped}");
        assert_eq!(serde_json::from_str::<String>(&escaped).expect("JSON"), text);
    }

    #[test]
    fn makes_one_short_line() {
        assert_eq!(shortened("SELECT\n   1,\t2;", 80), "SELECT 1, 2;");
        assert_eq!(shortened("SELECT 'ä' , 2", 11), "SELECT 'ä'…");
        assert_eq!(shortened("", 5), "");
    }
}
