//! The layout of dbmate: flat folders, both ways in one file, told apart by `-- migrate:up` and `-- migrate:down`.

use super::super::assemble::Marks;
use super::super::file_name::{FileName, Part};
use super::cut::{lines, lines_below, numbered};
use super::goose::Wrong;
use super::{beside, malformed, words};
use crate::model::Version;

/// Judges a file: digits, then anything, then `.sql`.
pub(super) fn judge(name: &str) -> FileName {
    const OTHER: &str = "not named like a migration of dbmate";
    let digits = name.bytes().take_while(u8::is_ascii_digit).count();
    let Some(rest) = name[digits..].strip_suffix(".sql").filter(|_| digits > 0) else { return beside(name, OTHER) };
    let hint = "call it like `20151129054053_name.sql`";
    match (Version::parse(&name[..digits]), words(rest)) {
        (Ok(version), Ok(name)) => FileName::part(version, name, Part::Up),
        (Err(error), _) => malformed(error.to_string(), hint),
        (_, Err(message)) => malformed(message, hint),
    }
}

/// One way of a file.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Block {
    /// Its lines, where they were.
    pub(super) text: String,
    /// How it is run.
    pub(super) marks: Marks,
}

/// Takes a file apart at its two marks. dbmate cuts a file with more of them into several migrations, which all have the
/// file's one version: its history cannot hold them.
pub(super) fn blocks(text: &str) -> Result<(Block, Option<Block>), Wrong> {
    let missing = |at, message: &str| {
        let hint = "write `-- migrate:up` in a line of its own before the first statement".to_owned();
        Err((at, message.to_owned(), Some(hint)))
    };
    let marked = |way| numbered(text).find_map(|(at, line)| Some((at, at + line.len(), options(line, way)?)));
    let (up, down) = (marked("up"), marked("down"));
    let Some((up_at, up_after, up_options)) = up else { return missing(0, "there is no `-- migrate:up`") };
    for (at, line) in numbered(&text[..up_at]) {
        let code = line.trim_start_matches('\u{feff}').trim();
        if !code.is_empty() && !code.starts_with("--") {
            return missing(at, "there is a statement before `-- migrate:up`");
        }
    }
    let end = match &down {
        Some((down_at, ..)) if *down_at < up_at => {
            return missing(*down_at, "`-- migrate:down` stands before `-- migrate:up`");
        }
        Some((down_at, ..)) => *down_at,
        None => text.len(),
    };
    let again = |way, after: usize| {
        let more = numbered(&text[after..]).find(|(_, line)| options(line, way).is_some());
        more.map(|(at, _)| (after + at, format!("there is a second `-- migrate:{way}`")))
    };
    let second = [("up", up_after), ("down", down.as_ref().map_or(text.len(), |(_, after, _)| *after))];
    if let Some((at, message)) = second.into_iter().filter_map(|(way, after)| again(way, after)).min() {
        return Err((at, message, Some("move what follows into a file with a version of its own".to_owned())));
    }
    let block = |text, options: &str| Block { text, marks: marks(options) };
    let down = down.map(|(_, after, options)| block(lines(text, after..text.len()), options));
    Ok((block(lines_below(text, up_after..end), up_options), down))
}

/// Returns what follows a mark in its line: nothing, or options after a blank.
fn options<'t>(line: &'t str, way: &str) -> Option<&'t str> {
    let rest = line.trim_start_matches('\u{feff}').strip_prefix("--")?.trim_start();
    let rest = rest.strip_prefix("migrate:")?.strip_prefix(way)?;
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then(|| rest.trim())
}

/// Tells whether a line begins the way up.
pub(super) fn is_up(line: &str) -> bool {
    options(line, "up").is_some()
}

/// Reads the options of a mark; of one that is given several times the last counts, as it does for dbmate.
fn marks(options: &str) -> Marks {
    let mut said = options.split_whitespace().filter_map(|option| option.strip_prefix("transaction:"));
    Marks { outside: said.next_back() == Some("false"), ..Marks::default() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Layout;
    use super::super::tests::judged;
    use super::*;
    use crate::interrupt::Interrupt;
    use crate::source::{Memory, Source};

    #[test]
    fn reads_what_dbmate_reads() {
        let cases = [
            ("20151129054053_test_migration.sql", "20151129054053 test_migration Up"),
            ("001create.sql", "1 create Up"),
            ("20151129054053.sql", "20151129054053 unnamed Up"),
            ("2_split.wasm", "2 split Component"),
            ("x1_a.sql", "ignored: not named like a migration of dbmate"),
            ("schema.sql", "ignored: not named like a migration of dbmate"),
        ];
        for (name, expected) in cases {
            assert_eq!(judged(&judge(name)), expected, "{name:?}");
        }
    }

    #[test]
    fn takes_files_apart_at_their_marks() {
        let text = "-- words\n--migrate:up transaction:false\nVACUUM;\n\n-- migrate:down\nSELECT 2;\n";
        let (up, down) = blocks(text).expect("blocks");
        assert_eq!((up.text.as_str(), up.marks.outside), ("\n\nVACUUM;\n\n", true));
        let down = down.expect("a way down");
        assert_eq!((down.text.as_str(), down.marks.outside), ("\n\n\n\n\nSELECT 2;\n", false));
        let (up, down) = blocks("-- migrate:up a:b c:d\nSELECT 1;\n-- migrate:downwards\n").expect("blocks");
        assert_eq!((up.marks.outside, down), (false, None));
    }

    #[test]
    fn reads_the_last_of_an_option_that_is_given_twice() {
        let cases = [
            ("transaction:false transaction:false", true),
            ("transaction:true transaction:false", true),
            ("transaction:false a:b transaction:true", false),
            ("transaction:false transaction:no", false),
            ("transaction:False", false),
            ("transaction:", false),
            ("transaction", false),
        ];
        for (options, outside) in cases {
            assert_eq!(marks(options).outside, outside, "{options}");
        }
    }

    #[test]
    fn keeps_directives_at_the_top_of_the_file() {
        let (up, _) = blocks("-- whimbrel: transaction = none\n-- migrate:up\nSELECT 1;\n").expect("blocks");
        assert_eq!(up.text, "-- whimbrel: transaction = none\n\nSELECT 1;\n");
    }

    #[test]
    fn tells_of_a_file_with_both_ways_once_that_its_version_is_taken() {
        let text = "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n";
        let folder = Memory::new("m").layout(Layout::Dbmate).file("1_a.sql", text).file("1_b.sql", text);
        let error = folder.load(&Interrupt::new()).expect_err("two of one version");
        assert_eq!(error.to_string(), "m/1_b.sql: version 1 is already that of m/1_a.sql");
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let cases = [
            ("", 0, "there is no `-- migrate:up`"),
            ("SELECT 1;", 0, "there is no `-- migrate:up`"),
            ("-- migrate:upx\n", 0, "there is no `-- migrate:up`"),
            ("-- a\nSELECT 1;\n-- migrate:up\n", 5, "there is a statement before `-- migrate:up`"),
            ("-- migrate:up\n-- migrate:down\n-- migrate:up\n", 30, "there is a second `-- migrate:up`"),
            ("-- migrate:up\n--migrate:up a:b\n-- migrate:down\n", 14, "there is a second `-- migrate:up`"),
            ("-- migrate:up\n-- migrate:down\n-- migrate:down\n", 30, "there is a second `-- migrate:down`"),
            ("-- migrate:down\n-- migrate:up\n", 0, "`-- migrate:down` stands before `-- migrate:up`"),
        ];
        for (text, at, message) in cases {
            let (found, said, _) = blocks(text).expect_err(text);
            assert_eq!((found, said.as_str()), (at, message), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn survives_every_text(text in "(-- ?migrate:|up|down|\n|\r\n|é|;|SELECT 1| transaction:false| ){0,20}") {
            if let Err((at, _, _)) = blocks(&text) {
                prop_assert!(text.is_char_boundary(at));
            }
        }
    }
}
