//! The layout of Flyway: `V1.2__name.sql`, `U1.2__name.sql`, `R__name.sql` and `B5__name.sql` in any folder.

use super::super::file_name::{FileName, Part};
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

/// Reads a key of a script's configuration that is true or false.
pub(super) fn said(configuration: &str, key: &str) -> Option<bool> {
    let lines = configuration.lines().filter_map(|line| line.split_once('='));
    let mut said = lines.filter(|(said, _)| said.trim() == key).map(|(_, value)| value.trim().to_ascii_lowercase());
    said.next_back().and_then(|value| value.parse().ok())
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
        for (text, expected) in [
            ("executeInTransaction=false", Some(false)),
            ("# words\n executeInTransaction = FALSE \r\n", Some(false)),
            ("executeInTransaction=true", Some(true)),
            ("executeInTransaction=maybe", None),
            ("#executeInTransaction=false", None),
        ] {
            assert_eq!(said(text, "executeInTransaction"), expected, "{text}");
        }
    }
}
