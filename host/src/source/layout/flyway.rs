//! The layout of Flyway: `V1.2__name.sql`, `U1.2__name.sql`, `R__name.sql` and `B5__name.sql` in any folder.

use super::super::file_name::{FileName, Part};
use super::cut::numbered;
use super::goose::Wrong;
use super::{malformed, words};
use crate::model::{Direction, Hook, Migration, Moment, Role, Version};

const OTHER: &str = "not named like a migration of Flyway";
/// How the names of Flyway's other events begin, at which it runs the scripts that are named like them.
const CALLBACKS: [&str; 4] = ["before", "after", "createSchema", "callback"];
/// What of Flyway's events a run has, in the order in which Flyway runs what it runs at one moment.
/// <https://documentation.red-gate.com/flyway/reference/callback-events>
const EVENTS: [(&str, Moment, Direction); 13] = [
    ("beforeMigrate", Moment::BeforeAll, Direction::Up),
    ("beforeEachMigrate", Moment::BeforeEach, Direction::Up),
    ("afterEachMigrate", Moment::AfterEach, Direction::Up),
    ("afterMigrateApplied", Moment::AfterAll, Direction::Up),
    ("afterMigrate", Moment::AfterAll, Direction::Up),
    ("afterEachMigrateError", Moment::OnError, Direction::Up),
    ("afterMigrateError", Moment::OnError, Direction::Up),
    ("beforeUndo", Moment::BeforeAll, Direction::Down),
    ("beforeEachUndo", Moment::BeforeEach, Direction::Down),
    ("afterEachUndo", Moment::AfterEach, Direction::Down),
    ("afterUndo", Moment::AfterAll, Direction::Down),
    ("afterEachUndoError", Moment::OnError, Direction::Down),
    ("afterUndoError", Moment::OnError, Direction::Down),
];
/// Flyway runs these each time, whether or not anything is pending.
const ALWAYS: [&str; 2] = ["beforeMigrate", "afterMigrate"];

/// An event of Flyway that a run has: its place in the list of them.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(in crate::source) struct Callback(usize);

impl Callback {
    /// Makes a hook of the script that is run at the event.
    pub(in crate::source) fn hook(self, migration: Migration) -> Hook {
        let (event, moment, direction) = EVENTS[self.0];
        Hook { always: ALWAYS.contains(&event), ..Hook::new(moment, migration).on(direction) }
    }
}

/// Judges a file that is a script for an event: `afterMigrate.sql`, `afterMigrate__words.sql`. Returns its name, too.
pub(super) fn callback(name: &str) -> Option<(Callback, String)> {
    let stem = without_ending(name)?;
    let (event, description) = stem.split_once("__").unwrap_or((stem, ""));
    let place = EVENTS.iter().position(|(known, ..)| *known == event)?;
    let name = words(description).ok().filter(|_| !description.is_empty());
    Some((Callback(place), name.map_or_else(|| event.to_owned(), |name| format!("{event}__{name}"))))
}

/// The ending of the file that says how a script is run.
pub(super) const CONFIGURATION: &str = ".conf";

/// Judges a file.
pub(super) fn judge(name: &str) -> FileName {
    let Some(stem) = without_ending(name) else { return beside(name, OTHER) };
    let (part, role) = match stem.chars().next() {
        Some('V') => (Part::Up, Role::Versioned),
        Some('U') => (Part::Down, Role::Versioned),
        Some('B') => (Part::Sql, Role::Baseline),
        Some('R') => return repeatable(&stem[1..]),
        _ => return other(stem),
    };
    let (version, description) = stem[1..].split_once("__").unwrap_or((&stem[1..], ""));
    // `Views.sql` is no migration, and Flyway does not take it for one.
    if !version.starts_with(|first: char| first.is_ascii_digit()) {
        return other(stem);
    }
    let hint = "call it like `V1.2__name.sql`, with two underscores before the name";
    match (Version::parse(&version.replace('_', ".")), words(description)) {
        (Ok(version), Ok(name)) => FileName::Part { version, name, part, role },
        (Err(error), _) => malformed(error.to_string(), hint),
        (_, Err(message)) => malformed(message, hint),
    }
}

fn repeatable(rest: &str) -> FileName {
    match rest.strip_prefix("__").map(words) {
        Some(Ok(name)) => FileName::repeatable(name, Part::Sql),
        Some(Err(message)) => malformed(message, "call it like `R__name.sql`"),
        None => FileName::Ignored(OTHER),
    }
}

fn other(stem: &str) -> FileName {
    let callback = CALLBACKS.iter().any(|event| stem.starts_with(event));
    FileName::Ignored(if callback { "a callback of Flyway, which is not run" } else { OTHER })
}

/// The ending counts in any case.
fn without_ending(name: &str) -> Option<&str> {
    let (stem, ending) = name.split_at_checked(name.len().checked_sub(4)?)?;
    ending.eq_ignore_ascii_case(".sql").then_some(stem)
}

/// Judges a file that is no script: Whimbrel's own parts may lie there, named `V3__name.wasm`.
pub(super) fn beside(name: &str, reason: &'static str) -> FileName {
    let Some((version, rest)) = name.strip_prefix('V').and_then(|rest| rest.split_once("__")) else {
        return FileName::Ignored(reason);
    };
    match (Version::parse(&version.replace('_', ".")), FileName::parse(&format!("0_{rest}"))) {
        (Ok(version), FileName::Part { name, part, .. }) if !part.is_sql() => FileName::part(version, name, part),
        _ => FileName::Ignored(reason),
    }
}

/// What the configuration of a script says.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Configuration {
    /// It runs outside any transaction.
    pub(super) outside: bool,
    /// Names in it are replaced, or not.
    pub(super) placeholders: Option<bool>,
}

/// Reads the configuration of a script: lines with a key and a value, as in a file of Java's properties. Flyway knows four keys
/// and refuses others; what is said here must be what is done.
pub(super) fn configuration(text: &str) -> Result<Configuration, Wrong> {
    let mut said = Configuration::default();
    for (at, line) in numbered(text) {
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let (key, value) = line.split_at(line.find(['=', ':', ' ', '\t']).unwrap_or(line.len()));
        let value = value.trim_start();
        let value = value.strip_prefix(['=', ':']).unwrap_or(value).trim();
        let is_true = || match value.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err((at, format!("{key} is true or false, and not `{}`", value.escape_debug()), None)),
        };
        match key {
            "executeInTransaction" => said.outside = !is_true()?,
            "placeholderReplacement" => said.placeholders = Some(is_true()?),
            "encoding" if is_read(value) => {}
            "encoding" => {
                let message = format!("the encoding {} is not read", value.escape_debug());
                return Err((at, message, Some("save the script as UTF-8, and take this line out".to_owned())));
            }
            "shouldExecute" if value.eq_ignore_ascii_case("true") => {}
            "shouldExecute" => {
                let message = "whether the script runs cannot be decided here".to_owned();
                let hint = "take this line out if it is to run, or move the script away if not".to_owned();
                return Err((at, message, Some(hint)));
            }
            other => {
                let message = format!("unknown key `{}`", other.escape_debug());
                let known = "known are executeInTransaction, placeholderReplacement, encoding and shouldExecute";
                return Err((at, message, Some(known.to_owned())));
            }
        }
    }
    Ok(said)
}

/// Tells whether every script in this encoding is one in UTF-8.
fn is_read(encoding: &str) -> bool {
    ["UTF-8", "UTF8", "US-ASCII", "ASCII"].iter().any(|read| read.eq_ignore_ascii_case(encoding))
}

#[cfg(test)]
mod tests {
    use super::super::tests::judged;
    use super::*;

    #[test]
    fn reads_what_flyway_reads() {
        let cases = [
            ("V1__init.sql", "1 init Up"),
            ("V1.2.1__a.sql", "1.2.1 a Up"),
            ("V1_2__add users.SQL", "1.2 add users Up"),
            ("V20200706141854__init_db.sql", "20200706141854 init_db Up"),
            ("V1.sql", "1 unnamed Up"),
            ("V001.002__x__y.sql", "001.002 x__y Up"),
            ("U1.2__a.sql", "1.2 a Down"),
            ("B5__squashed.sql", "baseline 5 squashed Sql"),
            ("R__views.sql", "repeatable views Sql"),
            ("V3__split_names.wasm", "3 split_names Component"),
            ("V3__split_names.toml", "3 split_names Manifest"),
            ("Views.sql", "ignored: not named like a migration of Flyway"),
            ("beforeClean.sql", "ignored: a callback of Flyway, which is not run"),
            ("afterEachMigrateStatement__x.sql", "ignored: a callback of Flyway, which is not run"),
            ("v1__x.sql", "ignored: not named like a migration of Flyway"),
            ("V1__x.java", "ignored: not named like a migration of Flyway"),
            ("V1-2__x.sql", "wrong: \"1-2\" is not a version: a version is made of digits"),
            ("V1a__x.sql", "wrong: \"1a\" is not a version: a version is made of digits"),
        ];
        for (name, expected) in cases {
            assert_eq!(judged(&judge(name)), expected, "{name:?}");
        }
    }

    #[test]
    fn knows_the_events_of_flyway() {
        let cases = [
            ("beforeMigrate.sql", Some("before_all up always beforeMigrate")),
            ("afterMigrate__b c.SQL", Some("after_all up always afterMigrate__b c")),
            ("afterMigrateApplied.sql", Some("after_all up afterMigrateApplied")),
            ("beforeEachMigrate__x__y.sql", Some("before_each up beforeEachMigrate__x__y")),
            ("afterEachUndo.sql", Some("after_each down afterEachUndo")),
            ("afterMigrateError__.sql", Some("on_error up afterMigrateError")),
            ("afterMigrate_x.sql", None),
            ("AfterMigrate.sql", None),
            ("afterMigrate.java", None),
            ("beforeClean.sql", None),
        ];
        for (file, expected) in cases {
            let found = callback(file).map(|(callback, name)| {
                let hook = callback.hook(Hook::sql(Moment::OnError, &name, "SELECT 1").migration.as_ref().clone());
                let always = if hook.always { " always" } else { "" };
                format!("{} {}{always} {}", hook.moment, hook.direction.expect("one"), hook.name())
            });
            assert_eq!(found.as_deref(), expected, "{file}");
        }
    }

    #[test]
    fn reads_the_configuration_of_a_script() {
        for (text, outside, placeholders) in [
            ("executeInTransaction=false", true, None),
            ("# words\n executeInTransaction = FALSE \r\n", true, None),
            ("executeInTransaction: false\nplaceholderReplacement false", true, Some(false)),
            ("executeInTransaction=false\nexecuteInTransaction=true", false, None),
            ("\u{feff}placeholderReplacement=true\n\n!executeInTransaction=false", false, Some(true)),
            ("encoding=utf-8\nshouldExecute=true", false, None),
            ("", false, None),
        ] {
            assert_eq!(configuration(text), Ok(Configuration { outside, placeholders }), "{text}");
        }
        for (text, at, expected) in [
            ("# words\nexecuteInTransaction=maybe", 8, "executeInTransaction is true or false, and not `maybe`"),
            ("placeholderReplacement", 0, "placeholderReplacement is true or false, and not ``"),
            ("encoding=ISO-8859-1", 0, "the encoding ISO-8859-1 is not read"),
            ("shouldExecute=${prod}", 0, "whether the script runs cannot be decided here"),
            ("shouldExecute=false", 0, "whether the script runs cannot be decided here"),
            ("flyway.encoding=UTF-8", 0, "unknown key `flyway.encoding`"),
            ("executeIntransaction=false", 0, "unknown key `executeIntransaction`"),
        ] {
            let (found, message, _) = configuration(text).expect_err(text);
            assert_eq!((found, message.as_str()), (at, expected), "{text}");
        }
    }
}
