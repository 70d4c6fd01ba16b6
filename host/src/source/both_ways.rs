//! Scripts that hold both ways by the marks of a tool whose layout is not the one they are read in: as they stand, the way down
//! would be run right after the way up. Pure.

use std::ops::Range;

/// Where the way down begins, whose mark that is, and what to do.
pub(super) struct BothWays {
    /// Bytes of the mark.
    pub(super) range: Range<usize>,
    /// Whose mark it is.
    pub(super) tool: &'static str,
    /// The layout in which it is read, where there is one.
    pub(super) layout: Option<&'static str>,
}

/// Finds a mark before a way down with statements before and after it; with none on one side nothing is run that should not be.
pub(super) fn find(text: &str) -> Option<BothWays> {
    let mut has_code = false;
    let mut is_up = false;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let (start, trimmed) = (at, line.trim_start_matches('\u{feff}').trim());
        at += line.len();
        let Some(comment) = trimmed.strip_prefix("--") else {
            has_code |= !trimmed.is_empty();
            continue;
        };
        is_up |= is(comment.trim(), "up");
        let Some((tool, layout)) = mark(comment, is_up).filter(|_| has_code) else { continue };
        let is_code = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with("--");
        if text[at..].lines().any(is_code) {
            let range = start..start + line.trim_end().len();
            return Some(BothWays { range, tool, layout });
        }
    }
    None
}

/// Tells whose way down a comment begins, and in which layout that is read.
fn mark(comment: &str, is_up: bool) -> Option<(&'static str, Option<&'static str>)> {
    let words = comment.trim();
    let after = |mark: &str| {
        let (start, rest) = words.split_at_checked(mark.len())?;
        is(start, mark).then(|| rest.trim())
    };
    if after("+migrate").is_some_and(|rest| is(rest, "down")) {
        return Some(("sql-migrate", None));
    }
    if after("+goose").is_some_and(|rest| is(rest, "down")) {
        return Some(("goose", Some("goose")));
    }
    if after("migrate:down")
        .is_some_and(|rest| rest.is_empty() || words.as_bytes().get(12).is_some_and(u8::is_ascii_whitespace))
    {
        return Some(("dbmate", Some("dbmate")));
    }
    if after("//").is_some_and(|rest| is(rest, "@undo")) {
        return Some(("MyBatis", None));
    }
    if is(words, "rambler down") {
        return Some(("rambler", None));
    }
    if is(comment.trim_matches(['-', ' ']), "create above / drop below") {
        return Some(("tern", None));
    }
    if is(comment.trim_start_matches('-').trim(), "!downs") {
        return Some(("Play", None));
    }
    (is_up && is(words, "down")).then_some(("another tool", None))
}

fn is(text: &str, word: &str) -> bool {
    text.eq_ignore_ascii_case(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> String {
        find(text).map_or_else(String::new, |found| format!("{}: {}", found.tool, &text[found.range]))
    }

    #[test]
    fn finds_the_way_down_of_other_tools() {
        let down = "DROP TABLE a;\n";
        let cases = [
            ("-- +migrate Down", "sql-migrate: -- +migrate Down"),
            ("-- +goose Down", "goose: -- +goose Down"),
            ("--migrate:down", "dbmate: --migrate:down"),
            ("-- migrate:down transaction:false", "dbmate: -- migrate:down transaction:false"),
            ("--//@UNDO", "MyBatis: --//@UNDO"),
            ("-- // @UNDO", "MyBatis: -- // @UNDO"),
            ("-- rambler down", "rambler: -- rambler down"),
            ("---- create above / drop below ----", "tern: ---- create above / drop below ----"),
            ("-- !Downs", "Play: -- !Downs"),
            ("-- Down", "another tool: -- Down"),
            ("-- go down", ""),
            ("-- migrate:downtown", ""),
            ("-- +migrate StatementEnd", ""),
        ];
        for (mark, expected) in cases {
            assert_eq!(found(&format!("-- Up\nCREATE TABLE a (é);\n{mark}\r\n{down}")), expected);
        }
    }

    #[test]
    fn lets_pass_what_is_one_way_only() {
        let texts = [
            "-- +migrate Up\nCREATE TABLE a (x);\n-- +migrate Down\n-- nothing\n",
            "\u{feff}\n-- +migrate Down\nDROP TABLE a;\n",
            "CREATE TABLE a (x);\n-- Down\nDROP TABLE b;\n",
            "CREATE TABLE a (x);",
        ];
        for text in texts {
            assert_eq!(found(text), "", "{text}");
        }
    }
}
