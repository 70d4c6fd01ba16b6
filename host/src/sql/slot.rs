//! Finds the places in a script where a value is to stand. Pure; knows no values.

use std::ops::Range;

use super::lexer::{TokenKind, tokens};

/// A place where a value is to stand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Slot<'a> {
    /// Its bytes, marks included.
    pub range: Range<usize>,
    /// What the value is called; empty where a mark only stands for itself.
    pub name: &'a str,
    /// What is done when there is no value.
    pub otherwise: Otherwise<'a>,
    /// It stands in a comment.
    pub in_comment: bool,
}

/// What is done when there is no value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Otherwise<'a> {
    /// The script cannot run.
    Refuse,
    /// The script cannot run, and says itself why.
    RefuseWith(&'a str),
    /// The script cannot run, with a value neither: what stands there is a form that is not read.
    Unread,
    /// This stands there; also in the place of an empty value, if so.
    Default {
        /// The text.
        text: &'a str,
        /// An empty value counts as none.
        also_for_empty: bool,
    },
}

/// Bytes that a name may have.
const LONGEST_NAME: usize = 200;

/// Finds every name between `prefix` and `suffix`, such as `${name}`; also in strings, quoted names and comments.
///
/// A name is made of letters, digits and `_ - . :`. What stands between the marks and is none is left alone.
pub fn slots<'a>(sql: &'a str, prefix: &str, suffix: &str) -> Vec<Slot<'a>> {
    if prefix.is_empty() || suffix.is_empty() || !sql.contains(prefix) {
        return Vec::new();
    }
    let comments = comments(sql);
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = sql[from..].find(prefix).map(|at| from + at) {
        let inside = start + prefix.len();
        from = inside;
        // No further than a name can reach: a text may be full of prefixes.
        let reach = sql.floor_char_boundary(inside + LONGEST_NAME + suffix.len());
        let Some(length) = sql[inside..reach].find(suffix) else { continue };
        let name = &sql[inside..inside + length];
        if is_name(name) {
            from = inside + length + suffix.len();
            let in_comment = lies_in(&comments, start);
            found.push(Slot { range: start..from, name, otherwise: Otherwise::Refuse, in_comment });
        }
    }
    found
}

/// Tells whether this can be the name of a placeholder.
pub fn is_name(name: &str) -> bool {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':');
    !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(part)
}

/// Finds the variables of a shell in some lines of a script: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`,
/// `${NAME?message}` and `${NAME:?message}`; `$$` and `\$` are a dollar sign. goose has more, such as a default with a
/// variable in it and a part of a value: those are found, and not read.
///
/// Lines are counted from 0, and their ranges stand in order.
pub fn variables<'a>(sql: &'a str, lines: &[Range<usize>]) -> Vec<Slot<'a>> {
    if lines.is_empty() || !sql.contains('$') {
        return Vec::new();
    }
    let comments = comments(sql);
    let mut found = Vec::new();
    let (mut start, mut next) = (0, 0);
    for (number, line) in sql.split_inclusive('\n').enumerate() {
        while lines.get(next).is_some_and(|lines| lines.end <= number) {
            next += 1;
        }
        let wanted = lines.get(next).is_some_and(|lines| lines.contains(&number));
        let brace = line.rfind('}').filter(|_| wanted).unwrap_or(0);
        let mut at = 0;
        while let Some(dollar) = line[at..].find('$').map(|found| at + found).filter(|_| wanted) {
            let (range, name, otherwise) = variable(line, dollar, brace);
            at = range.end;
            let range = start + range.start..start + range.end;
            // Nothing to be put in: an escape in a comment, or a dollar sign that stands for itself.
            if range.len() > 1 {
                let in_comment = lies_in(&comments, range.start);
                found.push(Slot { range, name, otherwise, in_comment });
            }
        }
        start += line.len();
    }
    found
}

/// Reads what begins with the dollar sign at `dollar`; the last brace of the line stands at `brace`.
fn variable(line: &str, dollar: usize, brace: usize) -> (Range<usize>, &str, Otherwise<'_>) {
    const SIGN: Otherwise<'_> = Otherwise::Default { text: "$", also_for_empty: true };
    if line[..dollar].ends_with('\\') {
        return (dollar - 1..dollar + 1, "", SIGN);
    }
    let rest = &line[dollar + 1..];
    if rest.starts_with('$') {
        return (dollar..dollar + 2, "", SIGN);
    }
    // The brace is looked for only where it makes a variable: a line may be full of dollar signs.
    if let Some(inside) = rest.strip_prefix('{')
        && let name = word(inside)
        && name > 0
        && ["}", ":-", "-", ":?", "?"].iter().any(|mark| inside[name..].starts_with(mark))
        && dollar < brace
        && let Some(length) = inside.find('}')
    {
        let (name, form) = inside[..length].split_at(name);
        let end = dollar + 2 + length + 1;
        let otherwise = match form {
            "" => Some(Otherwise::Refuse),
            _ => [(":-", true, false), ("-", false, false), (":?", true, true), ("?", false, true)]
                .into_iter()
                .find_map(|(mark, also_for_empty, refuses)| {
                    let text = form.strip_prefix(mark)?;
                    Some(if refuses {
                        Otherwise::RefuseWith(text)
                    } else if text.contains(['$', '\\']) {
                        Otherwise::Unread
                    } else {
                        Otherwise::Default { text, also_for_empty }
                    })
                }),
        };
        if let Some(otherwise) = otherwise {
            return (dollar..end, name, otherwise);
        }
    }
    if let Some(inside) = rest.strip_prefix('{') {
        let name = word(inside);
        return (dollar..dollar + 2 + name, &inside[..name], Otherwise::Unread);
    }
    match word(rest) {
        0 => (dollar..dollar + 1, "", Otherwise::Refuse),
        length => (dollar..dollar + 1 + length, &rest[..length], Otherwise::Refuse),
    }
}

/// Returns the length of the variable's name at the beginning of a text.
fn word(text: &str) -> usize {
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return 0;
    }
    text.bytes().position(|byte| !byte.is_ascii_alphanumeric() && byte != b'_').unwrap_or(text.len())
}

fn comments(sql: &str) -> Vec<Range<usize>> {
    let comments = tokens(sql).filter(|token| token.kind == TokenKind::Comment);
    comments.map(|token| token.start..token.end()).collect()
}

fn lies_in(ranges: &[Range<usize>], at: usize) -> bool {
    let next = ranges.partition_point(|range| range.end <= at);
    ranges.get(next).is_some_and(|range| range.contains(&at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn finds_names_between_marks() {
        let sql = "-- ${a}\nSELECT '${b-c}', \"${d.e}\", ${flyway:table}, ${f g}, ${}, $${h} ${i";
        let found = slots(sql, "${", "}");
        let names: Vec<(&str, bool)> = found.iter().map(|slot| (slot.name, slot.in_comment)).collect();
        assert_eq!(names, [("a", true), ("b-c", false), ("d.e", false), ("flyway:table", false), ("h", false)]);
        assert_eq!(&sql[found[1].range.clone()], "${b-c}");
        assert_eq!(slots("SELECT #[x]#", "#[", "]#")[0].name, "x");
        assert!(slots("SELECT ${x}", "", "}").is_empty());
    }

    #[test]
    fn a_name_ends_where_the_longest_one_would() {
        for (length, found) in [(200, 1), (201, 0)] {
            let sql = format!("${{{}}} é ${{", "x".repeat(length));
            assert_eq!(slots(&sql, "${", "}").len(), found, "{length}");
        }
        assert_eq!(slots(&format!("${{{}${{a}}", "é".repeat(150)), "${", "}").len(), 1);
    }

    #[test]
    fn a_text_full_of_marks_is_read_to_its_end() {
        // The name and the variable behind the marks are found, and each mark is looked at once.
        for mark in ["${", "${A", "${A:", "${A-", "$A", "${}"] {
            let line = mark.repeat(20_000);
            assert_eq!(slots(&(line.clone() + "${a}"), "${", "}").last().map(|slot| slot.name), Some("a"), "{mark}");
            assert_eq!(variables(&line, &[0..1, 2..3]).len(), 20_000, "{mark}");
            let lines = line + " \n\n$B";
            let last = variables(&lines, &[0..1, 2..3]).pop();
            assert_eq!(last.map(|slot| slot.name), Some("B"), "{mark}");
        }
        let ranges: Vec<Range<usize>> = (0..40_000).map(|line| 2 * line..2 * line + 1).collect();
        assert_eq!(variables(&"$A\n".repeat(80_000), &ranges).len(), 40_000);
    }

    #[test]
    fn finds_the_variables_of_the_lines_that_ask() {
        let sql = "SELECT $A;\nSELECT '$B', ${C}, ${D:-1}, ${E-}, ${F?no}, $$x, \\$y, $1, ${G+z}; -- $H\nSELECT $I;";
        let found: Vec<String> = variables(sql, &[1..2, 7..9])
            .iter()
            .map(|slot| format!("{} {} {:?} {}", &sql[slot.range.clone()], slot.name, slot.otherwise, slot.in_comment))
            .collect();
        assert_eq!(
            found,
            [
                "$B B Refuse false",
                "${C} C Refuse false",
                "${D:-1} D Default { text: \"1\", also_for_empty: true } false",
                "${E-} E Default { text: \"\", also_for_empty: false } false",
                "${F?no} F RefuseWith(\"no\") false",
                "$$  Default { text: \"$\", also_for_empty: true } false",
                "\\$  Default { text: \"$\", also_for_empty: true } false",
                "${G G Unread false",
                "$H H Refuse true",
            ]
        );
    }

    #[test]
    fn forms_that_are_not_read_are_found() {
        for (form, name) in [
            ("${A:-${B}}", "A"),
            ("${A-$B}", "A"),
            ("${A:0:2}", "A"),
            ("${A:+b}", "A"),
            ("${A", "A"),
            ("${1}", ""),
            ("${A:-b\\}c}", "A"),
        ] {
            let sql = format!("SELECT '{form}'");
            let found = variables(&sql, &[Range { start: 0, end: 1 }]);
            assert_eq!((found[0].name, found[0].otherwise), (name, Otherwise::Unread), "{form}");
        }
    }

    proptest! {
        #[test]
        fn survives_every_text(sql in "(\\$|\\{|\\}|\\\\|:-|\\?|A|é|'|--|\n|/\\*|\\*/| |1){0,40}") {
            for found in [slots(&sql, "${", "}"), variables(&sql, &[0..2, 3..9])] {
                let mut end = 0;
                for slot in found {
                    prop_assert!(slot.range.start >= end && slot.range.end <= sql.len());
                    prop_assert!(sql.is_char_boundary(slot.range.start) && sql.is_char_boundary(slot.range.end));
                    end = slot.range.end;
                }
            }
        }
    }
}
