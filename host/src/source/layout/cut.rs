//! Takes a part of a file out so that every place in it keeps its line and its column. Pure.

use std::ops::Range;

/// Returns the lines of a range, which begins where a line begins, with empty lines for those before it.
pub(super) fn lines(text: &str, range: Range<usize>) -> String {
    let before = text[..range.start].bytes().filter(|byte| *byte == b'\n').count();
    let mut cut = "\n".repeat(before);
    cut.push_str(&text[range]);
    cut
}

/// As [`lines`], of what follows a mark; directives of Whimbrel's before the mark stay, since that is the top of the file.
pub(super) fn lines_below(text: &str, range: Range<usize>) -> String {
    let is_directive = |line: &str| {
        let comment = line.trim_start_matches('\u{feff}').trim_start().strip_prefix("--");
        comment.is_some_and(|comment| comment.trim_start().starts_with("whimbrel:"))
    };
    if !text[..range.start].contains("whimbrel:") {
        return lines(text, range);
    }
    let mut cut = String::with_capacity(range.end);
    for (_, line) in numbered(&text[..range.start]) {
        cut.push_str(if is_directive(line) {
            line
        } else if line.ends_with('\n') {
            "\n"
        } else {
            ""
        });
    }
    cut.push_str(&text[range]);
    cut
}

/// Puts blanks in the place of a range; line feeds stay.
pub(super) fn blank(text: &mut String, range: Range<usize>) {
    let blanks: String = text[range.clone()].chars().map(|c| if c == '\n' || c == '\r' { c } else { ' ' }).collect();
    text.replace_range(range, &blanks);
}

/// The lines of a text with the bytes they begin at; the end of a line belongs to it.
pub(super) fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sql::locate;

    proptest! {
        #[test]
        fn keeps_every_place(text in "[aé;\r\n]{0,40}", line in 0_usize..10, offset in 0_usize..60) {
            let starts: Vec<usize> = numbered(&text).map(|(start, _)| start).collect();
            let start = starts.get(line).copied().unwrap_or(0);
            let cut = lines(&text, start..text.len());
            let inside = text.floor_char_boundary((start + offset).min(text.len()));
            let moved = cut.len() - (text.len() - inside);
            prop_assert_eq!(locate(&cut, moved), locate(&text, inside));
        }

        #[test]
        fn blanks_as_many_characters(text in "[aé;\r\n]{0,40}", from: prop::sample::Index, to: prop::sample::Index) {
            let boundary = |index: prop::sample::Index| text.floor_char_boundary(index.index(text.len() + 1));
            let (from, to) = (boundary(from), boundary(to));
            let range = from.min(to)..from.max(to);
            let mut blanked = text.clone();
            blank(&mut blanked, range.clone());
            prop_assert_eq!(blanked.chars().count(), text.chars().count());
            prop_assert_eq!(blanked.lines().count(), text.lines().count());
        }
    }
}
