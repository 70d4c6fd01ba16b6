//! Where in a text a byte stands, as people count.

/// A line and a column, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The character of the line.
    pub column: u32,
}

/// Returns the position of a byte; one inside a character or past the end stands for the nearest before it.
pub fn locate(text: &str, offset: usize) -> Position {
    let before = &text[..floor(text, offset)];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = visible(&before[line_start..], line_start).chars().count() + 1;
    Position { line: clamp(line), column: clamp(column) }
}

/// Returns the line a byte stands in, without its end.
pub fn line_at(text: &str, offset: usize) -> &str {
    let (before, after) = text.split_at(floor(text, offset));
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let end = after.find('\n').map_or(text.len(), |at| before.len() + at);
    let line = &text[start..end];
    visible(line.strip_suffix('\r').unwrap_or(line), start)
}

/// Drops the byte order mark at the beginning of the text, which no editor shows.
fn visible(line: &str, start: usize) -> &str {
    if start == 0 { line.strip_prefix('\u{feff}').unwrap_or(line) } else { line }
}

fn floor(text: &str, offset: usize) -> usize {
    text.floor_char_boundary(offset)
}

fn clamp(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counts_lines_and_characters() {
        let cases = [
            ("", 0, (1, 1), ""),
            ("abc", 2, (1, 3), "abc"),
            ("abc", 99, (1, 4), "abc"),
            ("a\r\nb\r\n", 1, (1, 2), "a"),
            ("a\r\nb\r\n", 3, (2, 1), "b"),
            ("a\r\nb\r\n", 6, (3, 1), ""),
            ("héé!", 5, (1, 4), "héé!"),
            ("héé!", 2, (1, 2), "héé!"),
            ("\u{feff}ab", 4, (1, 2), "ab"),
            ("\u{feff}ab", 0, (1, 1), "ab"),
        ];
        for (text, offset, (line, column), shown) in cases {
            assert_eq!(locate(text, offset), Position { line, column }, "{text:?} {offset}");
            assert_eq!(line_at(text, offset), shown, "{text:?} {offset}");
        }
    }

    proptest! {
        #[test]
        fn grows_with_the_offset(text in "[a\né\r\u{feff}]{0,20}", a in 0..50_usize, b in 0..50_usize) {
            prop_assert!(locate(&text, a.min(b)) <= locate(&text, a.max(b)));
            prop_assert!(!line_at(&text, a).contains('\n'));
        }
    }
}
