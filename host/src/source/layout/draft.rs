//! What the files of a new migration are called in each layout, and what stands in its scripts before anybody has written
//! them. Pure.

use super::Layout;
use super::flyway::CONFIGURATION;
use crate::model::Version;

/// A script to be made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DraftScript {
    /// Where it goes below the folder: `V7__add_email.sql`, `2026-01-31-120000_add_email/up.sql`.
    pub path: String,
    /// What is in it.
    pub contents: String,
}

impl Layout {
    /// Tells whether its versions are times by custom, in a folder that has none yet too.
    pub fn has_timestamps(self) -> bool {
        matches!(self, Self::Diesel | Self::Prisma | Self::Atlas | Self::Dbmate)
    }

    /// Tells whether a migration gets another version by other names of its files alone.
    pub fn has_renumbering(self) -> bool {
        !matches!(self, Self::Diesel | Self::Prisma | Self::Atlas)
    }

    /// Returns what the file of a migration that is no SQL is called, without its ending.
    pub fn stem(self, digits: &str, name: &str) -> String {
        match self {
            Self::Flyway | Self::Refinery => format!("V{digits}__{}", name.replace('-', "_")),
            _ => format!("{digits}_{name}"),
        }
    }

    /// Drafts the scripts of a migration whose version has these digits. `None` if it is to be one that can be reverted and
    /// the layout has no way down.
    pub fn draft(self, digits: &str, name: &str, reversible: bool) -> Option<Vec<DraftScript>> {
        let script = |path: String, contents: String| DraftScript { path, contents };
        let one = |path: String, contents: String| Some(vec![script(path, contents)]);
        let words = format!("-- {}\n", name.replace(['_', '-'], " "));
        let marked = |up: &str, down: &str, always: bool| {
            let down = if reversible || always { format!("\n{down}\n") } else { String::new() };
            one(format!("{digits}_{name}.sql"), format!("{up}\n{words}{down}"))
        };
        let pair = |up: String, down: String, contents: &str| {
            let down = reversible.then(|| script(down, contents.to_owned()));
            Some([Some(script(up, contents.to_owned())), down].into_iter().flatten().collect())
        };
        match self {
            // Blank, because a blank script is refused: one that nobody has written yet is not applied by mistake.
            Self::Auto | Self::Whimbrel if !reversible => one(format!("{digits}_{name}.sql"), String::new()),
            Self::Auto | Self::Whimbrel => {
                pair(format!("{digits}_{name}.up.sql"), format!("{digits}_{name}.down.sql"), "")
            }
            Self::Sqlx if !reversible => one(format!("{digits}_{name}.sql"), words),
            Self::Sqlx | Self::GolangMigrate => {
                pair(format!("{digits}_{name}.up.sql"), format!("{digits}_{name}.down.sql"), &words)
            }
            Self::Flyway => pair(format!("V{digits}__{name}.sql"), format!("U{digits}__{name}.sql"), &words),
            Self::Goose => marked("-- +goose Up", "-- +goose Down", false),
            // dbmate refuses a file without a way down.
            Self::Dbmate => marked("-- migrate:up", "-- migrate:down", true),
            Self::Diesel => {
                let folder = format!("{}_{name}", dashed(digits));
                pair(format!("{folder}/up.sql"), format!("{folder}/down.sql"), &words)
            }
            Self::Refinery | Self::Atlas | Self::Prisma if reversible => None,
            Self::Refinery | Self::Atlas => one(format!("{}.sql", self.stem(digits, name)), words),
            Self::Prisma => one(format!("{digits}_{name}/migration.sql"), words),
        }
    }

    /// Names a baseline; `None` if the layout has none.
    pub fn baseline(self, version: Version, name: &str) -> Option<String> {
        match self {
            Self::Auto | Self::Whimbrel => Some(format!("{version:04}_{name}.baseline.sql")),
            Self::Flyway => Some(format!("B{version}__{name}.sql")),
            _ => None,
        }
    }

    /// Returns the name of the file that says for the tool that no names are replaced in a script, and what stands in it.
    pub fn without_placeholders(self, script: &str) -> Option<(String, String)> {
        let configuration = || (format!("{script}{CONFIGURATION}"), "placeholderReplacement=false\n".to_owned());
        (self == Self::Flyway).then(configuration)
    }
}

/// Writes a timestamp as diesel does: `2026-01-31-120000`.
fn dashed(digits: &str) -> String {
    match (digits.get(..4), digits.get(4..6), digits.get(6..8), digits.get(8..14)) {
        (Some(year), Some(month), Some(day), Some(time)) if digits.len() == 14 => {
            format!("{year}-{month}-{day}-{time}")
        }
        _ => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::file_name::{FileName, Part};
    use crate::source::layout::goose;

    #[test]
    fn every_layout_reads_what_it_drafts() {
        for layout in Layout::ALL {
            for reversible in [false, true] {
                let Some(drafted) = layout.draft("20260131120000", "add_email", reversible) else {
                    assert!(reversible && matches!(layout, Layout::Refinery | Layout::Atlas | Layout::Prisma));
                    continue;
                };
                let component = format!("{}.wasm", layout.stem("20260131120000", "add_email"));
                let judged = layout.judge(&component, &[]);
                assert!(matches!(judged, FileName::Part { part: Part::Component, .. }), "{component}: {judged:?}");
                let one_file = matches!(layout, Layout::Goose | Layout::Dbmate);
                assert_eq!(drafted.len(), if reversible && !one_file { 2 } else { 1 }, "{layout}");
                for DraftScript { path, .. } in &drafted {
                    let FileName::Part { version, name, part, .. } = layout.judge(path, &[]) else {
                        panic!("{layout}: {path}")
                    };
                    assert_eq!(
                        (version, name.as_str()),
                        (Version::from(20260131120000), "add_email"),
                        "{layout}: {path}"
                    );
                    assert_eq!(part == Part::Down, path.contains("down") || path.starts_with('U'), "{path}");
                }
            }
        }
        let goose = &Layout::Goose.draft("00007", "add_email", true).expect("drafted")[0];
        assert_eq!(
            (goose.path.as_str(), goose.contents.as_str()),
            ("00007_add_email.sql", "-- +goose Up\n-- add email\n\n-- +goose Down\n",)
        );
        assert!(goose::halves(&goose.contents, false).expect("halves").down.is_some());
    }

    #[test]
    fn dbmate_gets_both_marks() {
        let drafted = Layout::Dbmate.draft("7", "add_email", false).expect("drafted");
        assert_eq!(drafted[0].contents, "-- migrate:up\n-- add email\n\n-- migrate:down\n");
    }

    #[test]
    fn names_baselines_where_there_are_some() {
        let named = |layout: Layout| layout.baseline(Version::from(7), "squashed");
        assert_eq!(named(Layout::Whimbrel).as_deref(), Some("0007_squashed.baseline.sql"));
        assert_eq!(named(Layout::Flyway).as_deref(), Some("B7__squashed.sql"));
        assert!([Layout::Goose, Layout::Sqlx, Layout::Diesel].into_iter().all(|layout| named(layout).is_none()));
    }
}
