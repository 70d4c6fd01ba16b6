//! The layout of goose: one flat folder, both ways in one file, told apart by `-- +goose …` lines. Programs that hand goose
//! a part of their folder only have the way down in a file of its own, `00001_name.down.sql`.

use std::ops::Range;

use super::super::assemble::Marks;
use super::super::file_name::{FileName, Part};
use super::cut::{lines, lines_below, numbered};
use super::{beside, malformed, words};
use crate::model::{Substitution, Version};

/// Judges a file: `.sql` or `.go`, a number of 1 or more before the first `_`; goose leaves out what is named otherwise.
pub(super) fn judge(name: &str) -> FileName {
    const OTHER: &str = "not named like a migration of goose";
    let Some((version, rest)) = name.split_once('_') else { return beside(name, OTHER) };
    let number = version.parse::<i64>().ok().and_then(|number| u64::try_from(number).ok()).filter(|n| *n > 0);
    let Some(version) = number else {
        // Whoever numbers a file so means it to run.
        if rest.ends_with(".sql") && version.len() > 18 && version.bytes().all(|byte| byte.is_ascii_digit()) {
            let message = format!("version {version} is too large for goose: the largest is {}", i64::MAX);
            return malformed(message, "give it a smaller version");
        }
        return beside(name, OTHER);
    };
    if rest.ends_with(".go") && !rest.ends_with("_test.go") {
        return FileName::Ignored("Go code, which only the program that it is part of can run");
    }
    let Some(rest) = rest.strip_suffix(".sql") else { return beside(name, OTHER) };
    match words(rest.strip_suffix(".up").unwrap_or(rest)) {
        Ok(name) => FileName::part(Version::from(version), name, Part::Up),
        Err(message) => malformed(message, "call it like `00001_name.sql`"),
    }
}

/// A file taken apart.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Halves {
    /// The way up, with its lines where they were; `None` only in a file for the way down.
    pub(super) up: Option<String>,
    /// The way down.
    pub(super) down: Option<String>,
    /// How they are run; both ways have their lines where they were.
    pub(super) marks: Marks,
}

/// What is wrong with a file: a byte, what, and what to do.
pub(super) type Wrong = (usize, String, Option<String>);

/// Tells whether a file may have a way down and none up.
pub(super) fn is_for_down(path: &str) -> bool {
    path.ends_with(".down.sql")
}

/// Takes a file apart at its marks; `for_down` if it may have a way down and none up.
pub(super) fn halves(text: &str, for_down: bool) -> Result<Halves, Wrong> {
    let mut reader = Reader { for_down, ..Reader::default() };
    for (number, (at, line)) in numbered(text).enumerate() {
        match mark(line) {
            Some(Ok(command)) => {
                reader.command(at, at + line.len(), &command)?;
                reader.substitute(number, &command);
            }
            Some(Err(message)) => return Err((at, message.to_owned(), Some(FORM.to_owned()))),
            None => reader.line(at, line)?,
        }
    }
    reader.finish(text)
}

const FORM: &str = "write it like `-- +goose Up`, at the beginning of a line of its own";

/// Returns the command of a line that is a mark, or what is wrong with it. As for goose, every comment with `+goose` in it is
/// one, and what is left of it without that and without dashes is its command.
pub(super) fn mark(line: &str) -> Option<Result<String, &'static str>> {
    let line = line.trim_start_matches('\u{feff}');
    let comment = line.trim_start().strip_prefix("--")?;
    if !comment.contains("+goose") {
        let (word, _) = comment.trim_start().split_at_checked("+goose".len())?;
        let message = "goose takes this for a comment: it knows `+goose` in small letters only";
        return word.eq_ignore_ascii_case("+goose").then_some(Err(message));
    }
    if line.starts_with([' ', '\t']) {
        return Some(Err("goose refuses a mark with blanks before it"));
    }
    let rest = line.replace("--", "").replacen("+goose", "", 1);
    match rest.trim() {
        _ if rest.contains("+goose") => Some(Err("goose refuses two marks in a line")),
        "" => Some(Err("goose refuses a mark that says nothing")),
        command => Some(Ok(command.to_owned())),
    }
}

/// Tells whether a line is meant to begin the way up, even if goose refuses it or takes it for a comment.
pub(super) fn is_up(line: &str) -> bool {
    let comment = line.trim_start_matches('\u{feff}').trim_start().strip_prefix("--").map(str::trim_start);
    comment.and_then(|comment| comment.split_at_checked("+goose".len())).is_some_and(|(word, rest)| {
        let command = rest.trim_matches(|other: char| other == '-' || other.is_whitespace());
        word.eq_ignore_ascii_case("+goose") && command.eq_ignore_ascii_case("up")
    })
}

#[derive(Default)]
struct Reader {
    for_down: bool,
    up: Option<usize>,
    down: Option<(usize, usize)>,
    inside: Option<usize>,
    outside: bool,
    substitutes: Option<usize>,
    environment: Vec<Range<usize>>,
}

impl Reader {
    /// Tells whether statements may stand where it is.
    fn has_begun(&self) -> bool {
        self.up.is_some() || self.down.is_some()
    }

    fn command(&mut self, at: usize, after: usize, command: &str) -> Result<(), Wrong> {
        let wrong = |message: &str| Err((at, message.to_owned(), None));
        match command.to_ascii_lowercase().as_str() {
            "up" if self.up.is_some() => return wrong("`-- +goose Up` stands here a second time"),
            "up" if self.down.is_some() => return wrong("`-- +goose Down` stands before `-- +goose Up`"),
            "up" => self.up = Some(after),
            "down" if self.down.is_some() => return wrong("`-- +goose Down` stands here a second time"),
            "down" if self.up.is_none() && !self.for_down => {
                return wrong("`-- +goose Down` stands before `-- +goose Up`");
            }
            "down" if self.inside.is_some() => return wrong("the statement before it has no `-- +goose StatementEnd`"),
            "down" => self.down = Some((at, after)),
            "statementbegin" if !self.has_begun() => return wrong("`-- +goose Up` must come before it"),
            "statementbegin" if self.inside.is_some() => return wrong("the statement before it has not ended"),
            "statementbegin" => self.inside = Some(at),
            "statementend" if self.inside.take().is_none() => {
                return wrong("there is no `-- +goose StatementBegin` before it");
            }
            "statementend" => {}
            "no transaction" => self.outside = true,
            "envsub on" | "envsub off" => {}
            _ => {
                let known =
                    "known are Up, Down, StatementBegin, StatementEnd, NO TRANSACTION, ENVSUB ON and ENVSUB OFF";
                return Err((at, format!("unknown mark `+goose {}`", command.escape_debug()), Some(known.to_owned())));
            }
        }
        Ok(())
    }

    fn line(&mut self, at: usize, line: &str) -> Result<(), Wrong> {
        let code = line.trim_start_matches('\u{feff}').trim();
        if !self.has_begun() && !code.is_empty() && !code.starts_with("--") {
            let hint = "write `-- +goose Up` in a line of its own before the first statement".to_owned();
            return Err((at, "there is a statement before `-- +goose Up`".to_owned(), Some(hint)));
        }
        Ok(())
    }

    /// Begins or ends the lines that ask for the environment; both ways have the same ones.
    fn substitute(&mut self, number: usize, command: &str) {
        if command.eq_ignore_ascii_case("envsub on") {
            self.substitutes.get_or_insert(number);
        } else if command.eq_ignore_ascii_case("envsub off") {
            self.environment.extend(self.substitutes.take().map(|from| from..number));
        }
    }

    fn finish(mut self, text: &str) -> Result<Halves, Wrong> {
        if !self.has_begun() {
            let hint = "write `-- +goose Up` in a line of its own before the first statement".to_owned();
            return Err((0, "there is no `-- +goose Up`".to_owned(), Some(hint)));
        }
        if let Some(at) = self.inside {
            return Err((at, "the statement has no `-- +goose StatementEnd`".to_owned(), None));
        }
        self.environment.extend(self.substitutes.map(|from| from..usize::MAX));
        let substitution = Substitution { environment: self.environment, ..Substitution::default() };
        let end = self.down.map_or(text.len(), |(at, _)| at);
        Ok(Halves {
            up: self.up.map(|up| lines_below(text, up..end)),
            down: self.down.map(|(_, after)| lines(text, after..text.len())),
            marks: Marks { outside: self.outside, substitution, ..Marks::default() },
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::judged;
    use super::*;

    #[test]
    fn reads_what_goose_reads() {
        let cases = [
            ("00001_create.sql", "1 create Up"),
            ("20230101120000_a b.sql", "20230101120000 a b Up"),
            ("00003_pair.up.sql", "3 pair Up"),
            ("2_split.wasm", "2 split Component"),
            ("00002_code.go", "ignored: Go code, which only the program that it is part of can run"),
            ("00002_code_test.go", "ignored: not named like a migration of goose"),
            (
                "99999999999999999999_x.sql",
                "wrong: version 99999999999999999999 is too large for goose: the largest is 9223372036854775807",
            ),
            ("0_zero.sql", "ignored: not named like a migration of goose"),
            ("x_zero.sql", "ignored: not named like a migration of goose"),
            ("00001.sql", "ignored: not named like a migration of goose"),
        ];
        for (name, expected) in cases {
            assert_eq!(judged(&judge(name)), expected, "{name:?}");
        }
    }

    #[test]
    fn takes_files_apart_at_their_marks() {
        let text = "-- words\n\n-- +goose Up\r\nCREATE TABLE t (a);\n-- +goose statementbegin\nSELECT 1;\n\
                    --+goose StatementEnd\n-- +gooseDOWN --\nDROP TABLE t;\n";
        let halves = halves(text, false).expect("halves");
        assert_eq!(
            halves.up.as_deref().unwrap_or_default(),
            "\n\n\nCREATE TABLE t (a);\n-- +goose statementbegin\nSELECT 1;\n--+goose StatementEnd\n"
        );
        assert_eq!(halves.down.as_deref(), Some("\n\n\n\n\n\n\n\nDROP TABLE t;\n"));
        assert!(!halves.marks.outside);
        let alone = super::halves("-- +goose NO TRANSACTION\n-- +goose Up\nVACUUM;", false).expect("halves");
        assert_eq!((alone.down, alone.marks.outside), (None, true));
        let quiet = super::halves(
            "-- +goose Up\n-- +goose ENVSUB ON\nSELECT 1;\n-- +goose ENVSUB OFF\nSELECT '$x';\n-- +goose envsub on\n",
            false,
        );
        assert_eq!(quiet.expect("halves").marks.substitution.environment, [1..3, 5..usize::MAX]);
    }

    #[test]
    fn keeps_directives_at_the_top_of_the_file() {
        let text = "-- words\n-- whimbrel: transaction = none\n-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n";
        let halves = halves(text, false).expect("halves");
        assert_eq!(halves.up.as_deref(), Some("\n-- whimbrel: transaction = none\n\nSELECT 1;\n"));
        assert_eq!(halves.down.as_deref(), Some("\n\n\n\n\nSELECT 2;\n"));
    }

    #[test]
    fn reads_files_for_the_way_down() {
        let text = "-- +goose Down\n-- +goose StatementBegin\nDROP TABLE t;\n-- +goose StatementEnd\n";
        let halves = halves(text, true).expect("halves");
        let down = "\n-- +goose StatementBegin\nDROP TABLE t;\n-- +goose StatementEnd\n";
        assert_eq!((halves.up, halves.down.as_deref()), (None, Some(down)));
        for (text, message) in [
            ("DROP TABLE t;\n-- +goose Down", "there is a statement before `-- +goose Up`"),
            ("-- +goose Down\n-- +goose Up\n", "`-- +goose Down` stands before `-- +goose Up`"),
            ("", "there is no `-- +goose Up`"),
        ] {
            assert_eq!(super::halves(text, true).expect_err(text).1, message);
        }
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let cases = [
            ("", 0, "there is no `-- +goose Up`"),
            ("SELECT 1;\n-- +goose Up", 0, "there is a statement before `-- +goose Up`"),
            ("-- +goose Down\n", 0, "`-- +goose Down` stands before `-- +goose Up`"),
            ("-- +goose Up\n-- +goose Up", 13, "`-- +goose Up` stands here a second time"),
            ("-- +goose Up\n-- +goose Down\n-- +goose Down", 28, "`-- +goose Down` stands here a second time"),
            ("-- +goose Up\n-- +goose StatementBegin\n", 13, "the statement has no `-- +goose StatementEnd`"),
            ("-- +goose Up\n-- +goose StatementEnd\n", 13, "there is no `-- +goose StatementBegin` before it"),
            ("-- +goose StatementBegin", 0, "`-- +goose Up` must come before it"),
            ("-- +goose Upp", 0, "unknown mark `+goose Upp`"),
            ("-- +goose Up -- first", 0, "unknown mark `+goose Up  first`"),
            ("-- +goose Up\n-- read of +goose Down", 13, "unknown mark `+goose read of  Down`"),
            ("-- +goose Up\n  -- +goose Down\n", 13, "goose refuses a mark with blanks before it"),
            ("-- +goose Up -- +goose Down\n", 0, "goose refuses two marks in a line"),
            ("-- +goose Up\n-- +goose --\n", 13, "goose refuses a mark that says nothing"),
            (
                "-- +goose Up\n-- +GOOSE Down\n",
                13,
                "goose takes this for a comment: it knows `+goose` in small letters only",
            ),
        ];
        for (text, at, message) in cases {
            let (found, said, _) = halves(text, false).expect_err(text);
            assert_eq!((found, said.as_str()), (at, message), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn survives_every_text(text in "(-- ?\\+goose ?|--|-- \\+GOOSE |\\+goose|Up|Down|StatementBegin|StatementEnd|\n|\r\n|é|;|SELECT 1|\\$x|ENVSUB ON| ){0,20}") {
            for for_down in [false, true] {
                if let Err((at, _, _)) = halves(&text, for_down) {
                    prop_assert!(text.is_char_boundary(at));
                }
            }
        }
    }
}
