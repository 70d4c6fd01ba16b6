//! Where in a file something stands, with the lines around it. Cuts a window out of the text; draws nothing.

use std::ops::Range;

use whimbrel::db::DbError;
use whimbrel::model::{Script, ScriptFile};
use whimbrel::sql;

/// Lines shown before the one with the error, when its statement begins that much earlier.
const LINES_BEFORE: usize = 4;
/// Bytes kept on either side of the error in a line that is longer.
const BYTES_AROUND: usize = 300;

/// A place in a file.
pub(crate) struct Place {
    /// The file.
    pub(crate) file: String,
    /// The line and the column, from 1.
    pub(crate) position: Option<(u32, u32)>,
    /// The lines around it.
    pub(crate) excerpt: Option<Excerpt>,
}

/// Some lines of a file with a marked part.
pub(crate) struct Excerpt {
    /// The lines.
    pub(crate) text: String,
    /// Number of the first line.
    pub(crate) first_line: u32,
    /// The marked bytes of `text`.
    pub(crate) marked: Range<usize>,
}

/// Finds the place of an error in a statement: at the offset the database named, else at the statement's beginning.
pub(crate) fn in_statement(script: &Script, statement: &Range<usize>, offset: Option<u32>) -> Place {
    let text = script.text.as_ref();
    let named = offset.and_then(|offset| statement.start.checked_add(usize::try_from(offset).ok()?));
    match named.filter(|named| *named < text.len()) {
        Some(named) => {
            let start = text.floor_char_boundary(named);
            let token = sql::tokens(&text[start..]).next().map_or(1, |token| token.text.len());
            place(script, statement.start, start..start + token)
        }
        None => place(script, statement.start, statement.clone()),
    }
}

/// Finds the place of a failed statement; SQLite names a table that is not there, but not where it stands.
pub(crate) fn of_failure(script: &Script, statement: &Range<usize>, error: &DbError) -> Place {
    let text = script.text.get(statement.clone()).unwrap_or_default();
    let missing = error.message.strip_prefix("no such ").and_then(|rest| rest.split_once(": ")).map(|(_, name)| name);
    let named = missing.and_then(|missing| {
        let mut tokens = sql::tokens(text);
        tokens.find(|token| token.text.trim_matches(['"', '`', '[', ']']).eq_ignore_ascii_case(missing))
    });
    let offset = error.offset.or(named.and_then(|token| u32::try_from(token.start).ok()));
    in_statement(script, statement, offset)
}

/// Finds a place that an engine names in a script; nothing for a line that the file does not have.
pub(crate) fn in_script(file: &ScriptFile, line: u32, column: u32) -> Option<Place> {
    let text = file.text.as_ref();
    let index = usize::try_from(line.checked_sub(1)?).ok()?;
    let start: usize = text.split_inclusive('\n').take(index).map(str::len).sum();
    let own_line = text.get(start..).filter(|rest| !rest.is_empty() || index == 0)?.lines().next().unwrap_or_default();
    // Engines do not see the byte order mark.
    let hidden = usize::from(line == 1 && own_line.starts_with('\u{feff}'));
    let before = usize::try_from(column.max(1) - 1).ok()?.saturating_add(hidden);
    let at = own_line.char_indices().nth(before).map_or(own_line.len(), |(at, _)| at);
    let part = |character: char| character.is_alphanumeric() || matches!(character, '_' | '$');
    let word: usize = own_line[at..].chars().take_while(|character| part(*character)).map(char::len_utf8).sum();
    let length = if word > 0 { word } else { own_line[at..].chars().next().map_or(0, char::len_utf8) };
    Some(Place {
        file: file.file.clone(),
        position: Some((line, column.max(1))),
        excerpt: Some(cut(text, start + at, start + at..start + at + length)),
    })
}

/// Makes a place of bytes of a script; `from` is where the lines worth showing begin.
fn place(script: &Script, from: usize, marked: Range<usize>) -> Place {
    let text = script.text.as_ref();
    let position = sql::locate(text, marked.start);
    Place {
        file: script.file.clone(),
        position: Some((position.line, position.column)),
        excerpt: Some(cut(text, from, marked)),
    }
}

fn cut(text: &str, from: usize, marked: Range<usize>) -> Excerpt {
    let boundary = |at: usize| text.floor_char_boundary(at.min(text.len()));
    let (start, end) = (boundary(marked.start), boundary(marked.end));
    let line_start = |at: usize| text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    // Where lines end with CR and LF, the mark ends before both.
    let line_end = if text[start..line_end].ends_with('\r') { line_end - 1 } else { line_end };
    // Only the first line of what is marked.
    let end = end.clamp(start, line_end);
    let mut first = line_start(boundary(from).min(start));
    let own_line = line_start(start);
    if text[first..own_line].matches('\n').count() > LINES_BEFORE {
        first = own_line;
    }
    if line_end - own_line > 2 * BYTES_AROUND || own_line - first > 8 * BYTES_AROUND {
        // A dump's line can have megabytes.
        first = boundary(start.saturating_sub(BYTES_AROUND)).max(own_line);
    }
    let last = boundary(end.saturating_add(BYTES_AROUND)).clamp(end, line_end);
    let end = end.min(boundary(start + BYTES_AROUND));
    let window = &text[first..last];
    let hidden = if first == 0 && window.starts_with('\u{feff}') && start >= '\u{feff}'.len_utf8() {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    visible(
        [&text[first + hidden..start], &text[start..end.min(last)], text[end.min(last)..last].trim_end()],
        sql::locate(text, first).line,
    )
}

/// Joins what is before, in and after the mark, with characters a terminal would obey made visible.
fn visible([before, marked, after]: [&str; 3], first_line: u32) -> Excerpt {
    let shown = |text: &str| {
        text.replace("\r\n", "\n").chars().map(|c| if obeyed(c) { '\u{fffd}' } else { c }).collect::<String>()
    };
    let (before, marked, after) = (shown(before), shown(marked), shown(after));
    let range = before.len()..before.len() + marked.len();
    Excerpt { text: before + &marked + &after, first_line, marked: range }
}

fn obeyed(character: char) -> bool {
    let mut buffer = [0; 4];
    let text: &str = character.encode_utf8(&mut buffer);
    crate::escape::lines(text) != text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, from: usize, marked: Range<usize>) -> (String, u32, String) {
        let excerpt = cut(text, from, marked);
        let part = excerpt.text[excerpt.marked.clone()].to_owned();
        (excerpt.text, excerpt.first_line, part)
    }

    #[test]
    fn cuts_the_lines_of_the_statement() {
        let text = "SELECT 1;\nSELECT\n  x;\nSELECT 3;";
        assert_eq!(shown(text, 10, 19..20), ("SELECT\n  x;".to_owned(), 2, "x".to_owned()));
        assert_eq!(shown(text, 10, 10..21), ("SELECT".to_owned(), 2, "SELECT".to_owned()));
        assert_eq!(shown(text, 22, 22..31), ("SELECT 3;".to_owned(), 4, "SELECT 3;".to_owned()));
    }

    #[test]
    fn lines_may_end_with_carriage_return_and_line_feed() {
        let text = "SELECT 1;\r\nSELECT 1,\r\n  x;\r\nSELECT 3;\r\n";
        let at = text.find('x').unwrap();
        assert_eq!(shown(text, 11, at..at + 1), ("SELECT 1,\n  x;".to_owned(), 2, "x".to_owned()));
        assert_eq!(shown(text, 11, 11..at + 2), ("SELECT 1,".to_owned(), 2, "SELECT 1,".to_owned()));
        assert_eq!(shown(text, 11, at + 2..at + 4), ("SELECT 1,\n  x;".to_owned(), 2, String::new()));
    }

    #[test]
    fn hides_what_a_terminal_would_obey_and_the_byte_order_mark() {
        let text = "\u{feff}SELECT '\u{1b}[2J\u{202e}' x";
        let (window, _, part) = shown(text, 3, 20..21);
        assert_eq!((window.as_str(), part.as_str()), ("SELECT '\u{fffd}[2J\u{fffd}' x", "x"));
    }

    #[test]
    fn cuts_long_lines_and_bad_offsets() {
        let long = format!("SELECT '{}' y '{}'", "x".repeat(100_000), "é".repeat(100_000));
        let at = long.find('y').expect("y");
        let (window, _, part) = shown(&long, 0, at..at + 1);
        assert!(window.len() < 1000, "{}", window.len());
        assert_eq!(part, "y");
        for (start, end) in [(0, 300_000), (200_000, 200_001), (usize::MAX - 1, usize::MAX), (5, 5)] {
            let _ = cut(&long, 0, start..end);
        }
        assert_eq!(shown("", 0, 0..0).0, "");
    }
}
