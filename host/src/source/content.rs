//! Turns the bytes of one file into what it is to its migration. Pure; reports everything that is wrong.

use std::borrow::Cow;

use super::assemble::Marks;
use super::both_ways::{self, BothWays};
use super::file_name::Part;
use super::problem::Problem;
use crate::model::{Manifest, Script, TransactionMode};
use crate::sql::{self, TokenKind};

/// Problems of one file that are told.
const MOST_PROBLEMS: usize = 100;

/// What a file holds.
pub(super) enum Content {
    /// SQL, up or down.
    Script(Script),
    /// The bytes of a component, not looked into.
    Component(Cow<'static, [u8]>),
    /// The text of a script in the language of some engine.
    Code(Cow<'static, str>),
    /// A manifest.
    Manifest(Box<Manifest>),
}

/// Reads the content of a file that is this part of its migration.
pub(super) fn read(
    file: &str,
    part: Part,
    bytes: Cow<'static, [u8]>,
    marks: Option<Marks>,
) -> Result<Content, Vec<Problem>> {
    match part {
        Part::Sql | Part::Up | Part::Down | Part::Verify => {
            script(file, part, text(file, bytes)?, marks).map(Content::Script)
        }
        Part::Manifest => manifest(file, &text(file, bytes)?).map(|manifest| Content::Manifest(Box::new(manifest))),
        Part::Script => code(file, text(file, bytes)?).map(Content::Code),
        Part::Component | Part::Functions if bytes.is_empty() => Err(vec![Problem::of_file(file, "is empty", None)]),
        Part::Component | Part::Functions => Ok(Content::Component(bytes)),
    }
}

/// Reads a text, which is UTF-8 and has no NUL.
pub(super) fn text(file: &str, bytes: Cow<'static, [u8]>) -> Result<Cow<'static, str>, Vec<Problem>> {
    let text = match bytes {
        Cow::Borrowed(bytes) => str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| not_utf8(file, bytes, error)),
        Cow::Owned(bytes) => String::from_utf8(bytes)
            .map(Cow::Owned)
            .map_err(|error| not_utf8(file, error.as_bytes(), error.utf8_error())),
    };
    let text = text.map_err(|problem| vec![problem])?;
    match text.find('\0') {
        None => Ok(text),
        Some(offset) => {
            let message = "there is a NUL character, at which a database would stop reading".to_owned();
            Err(vec![Problem::at(file, &text, offset, message, None)])
        }
    }
}

fn not_utf8(file: &str, bytes: &[u8], error: std::str::Utf8Error) -> Problem {
    let valid = str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
    let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
    let hint = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "it looks like UTF-16: save it as UTF-8",
        _ => "save it as UTF-8",
    };
    Problem::at(file, valid, valid.len(), format!("byte 0x{byte:02x} is not UTF-8"), Some(hint.to_owned()))
}

fn script(file: &str, part: Part, text: Cow<'static, str>, marks: Option<Marks>) -> Result<Script, Vec<Problem>> {
    let mut directives = sql::directives(&text).map_err(|problems| {
        let problems = problems.into_iter().map(|problem| (problem.offset, problem.message, problem.hint));
        located(file, &text, problems)
    })?;
    if let Some(BothWays { range, tool, layout }) = both_ways::find(&text) {
        let message = format!("both ways are in one file, with marks of {tool}, and would be run one after the other");
        let apart = "give each way a file of its own, `0001_name.up.sql` and `0001_name.down.sql`";
        let hint = match layout {
            Some(layout) => format!("read the folder with `--layout {layout}`, or {apart}"),
            None => apart.to_owned(),
        };
        return Err(vec![Problem::at(file, &text, range.start, message, Some(hint))]);
    }
    if let Some(marks) = marks {
        if marks.outside && !directives.rebuild {
            directives.transaction = TransactionMode::None;
        }
        directives.rebuild |= marks.rebuild && directives.transaction == TransactionMode::Normal;
        directives.keys_off = marks.keys_off;
        // Other tools apply blank files, so histories have some.
        return Ok(Script { substitution: marks.substitution, ..Script::new(file, text, directives) });
    }
    // Real histories have files of comments only, on purpose. A blank one is rather one that was cut off.
    if !sql::tokens(&text).any(|token| !matches!(token.kind, TokenKind::Space | TokenKind::Semicolon)) {
        let mut hint = "write its statements, or a comment that says why there are none".to_owned();
        if matches!(part, Part::Up | Part::Down) {
            hint.push_str("; `--layout golang-migrate`, or `sqlx`, takes blank files as that tool does");
        }
        return Err(vec![Problem::of_file(file, "the file is blank", Some(hint))]);
    }
    let is_change = matches!(part, Part::Sql | Part::Up | Part::Down);
    if is_change && directives.transaction == TransactionMode::Normal && !directives.rebuild {
        // Foreign keys that the author wants off must not delete rows when a table is dropped.
        directives.implied_rebuild = sql::switches_keys_off(&text);
        directives.rebuild = directives.implied_rebuild;
    }
    Ok(Script::new(file, text, directives))
}

fn code(file: &str, text: Cow<'static, str>) -> Result<Cow<'static, str>, Vec<Problem>> {
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        return Err(vec![Problem::of_file(file, "the file is blank", Some("write its function `up`".to_owned()))]);
    }
    Ok(text)
}

/// Reads a manifest.
pub(super) fn manifest(file: &str, text: &str) -> Result<Manifest, Vec<Problem>> {
    Manifest::parse(file, text).map_err(|error| {
        let problems = error.problems.into_iter().map(|problem| (problem.offset, problem.message, problem.hint));
        located(file, text, problems)
    })
}

/// Says where the problems of a file are. The first ones will do: lines are counted for each of them, and nobody reads
/// thousands.
fn located(
    file: &str,
    text: &str,
    mut problems: impl ExactSizeIterator<Item = (usize, String, Option<String>)>,
) -> Vec<Problem> {
    let first = problems.by_ref().take(MOST_PROBLEMS);
    let mut located: Vec<Problem> =
        first.map(|(offset, message, hint)| Problem::at(file, text, offset, message, hint)).collect();
    let more = problems.len();
    if let Some((offset, ..)) = problems.next() {
        located.push(Problem::at(file, text, offset, format!("and {more} more problems from here on"), None));
    }
    located
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn problems(part: Part, bytes: &'static [u8]) -> Vec<String> {
        let found = read("f", part, Cow::Borrowed(bytes), None).err().unwrap_or_default();
        found.into_iter().map(|problem| format!("{problem} ({})", problem.hint.as_deref().unwrap_or("-"))).collect()
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let nothing = "f: the file is blank (write its statements, or a comment that says why there are none)";
        let nothing_of_a_pair = "f: the file is blank (write its statements, or a comment that says why there are none; \
            `--layout golang-migrate`, or `sqlx`, takes blank files as that tool does)";
        let cases: [(Part, &[u8], &[&str]); 14] = [
            (Part::Sql, b"SELECT 1", &[]),
            (Part::Sql, b"\xef\xbb\xbfSELECT 1;", &[]),
            (Part::Sql, b"SELECT\n '\xc3\xa9\xff'", &["f:2:4: byte 0xff is not UTF-8 (save it as UTF-8)"]),
            (Part::Up, b"\xff\xfeS\0", &["f:1:1: byte 0xff is not UTF-8 (it looks like UTF-16: save it as UTF-8)"]),
            (Part::Up, b"SELECT 1;\xc3", &["f:1:10: byte 0xc3 is not UTF-8 (save it as UTF-8)"]),
            (
                Part::Down,
                b"SELECT\n1;\0",
                &["f:2:3: there is a NUL character, at which a database would stop reading (-)"],
            ),
            (Part::Sql, b"", &[nothing]),
            (Part::Down, b"\n", &[nothing_of_a_pair]),
            (Part::Sql, b" \r\n;", &[nothing]),
            (Part::Sql, b"-- done by the application", &[]),
            (
                Part::Sql,
                b"\n-- whimbrel: rebuilt\nSELECT 1;",
                &["f:2:4: unknown directive `rebuilt` (did you mean `rebuild`?)"],
            ),
            (Part::Component, b"", &["f: is empty (-)"]),
            (Part::Component, b"anything\xff", &[]),
            (
                Part::Manifest,
                b"[limits]\nfule = 1\n[grant]",
                &[
                    "f:2:1: unknown key `fule` (did you mean `fuel`?)",
                    "f:3:2: unknown key `grant` (did you mean `grants`?)",
                ],
            ),
        ];
        for (part, bytes, expected) in cases {
            assert_eq!(problems(part, bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn refuses_both_ways_in_one_file() {
        let text = b"-- +migrate Up\nCREATE TABLE a (x);\n-- +migrate Down\nDROP TABLE a;\n";
        let expected = "f:3:1: both ways are in one file, with marks of sql-migrate, and would be run one after the other \
            (give each way a file of its own, `0001_name.up.sql` and `0001_name.down.sql`)";
        assert_eq!(problems(Part::Sql, text), [expected]);
    }

    #[test]
    fn tells_the_first_of_very_many_problems() {
        let directives = "-- whimbrel: no\n".repeat(40_000).leak();
        let keys: &str = (0..40_000).map(|number| format!("k{number} = 1\n")).collect::<String>().leak();
        for (part, text) in [(Part::Sql, &*directives), (Part::Manifest, keys)] {
            let problems = problems(part, text.as_bytes());
            assert_eq!(problems.len(), 101);
            assert!(problems[100].starts_with("f:101:"), "{}", problems[100]);
            assert!(problems[100].contains("and 39900 more problems"), "{}", problems[100]);
        }
    }

    #[test]
    fn keeps_the_exact_bytes_without_copying_borrowed_ones() {
        let bytes: &'static [u8] = b"\xef\xbb\xbfSELECT 1;\r\n";
        let Ok(Content::Script(script)) = read("f", Part::Sql, Cow::Borrowed(bytes), None) else { panic!("script") };
        assert!(matches!(script.text, Cow::Borrowed(text) if std::ptr::eq(text.as_bytes(), bytes)));
    }

    proptest! {
        #[test]
        fn survives_all_bytes(bytes: Vec<u8>) {
            for part in [Part::Sql, Part::Component, Part::Manifest] {
                if let Err(problems) = read("f", part, Cow::Owned(bytes.clone()), None) {
                    prop_assert!(!problems.is_empty());
                }
            }
        }
    }
}
