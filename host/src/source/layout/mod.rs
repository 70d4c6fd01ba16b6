//! How the files of a folder are named and marked: Whimbrel's own way, and those of other tools. Pure but for the tree
//! it is handed.

mod atlas;
mod atlas_sum;
mod cut;
mod dbmate;
mod detect;
mod diesel;
mod draft;
mod drizzle;
mod flyway;
mod golang_migrate;
mod goose;
mod own_transaction;
mod pair;
mod prisma;
mod read;
mod refinery;
mod sqlx;
mod strays;
mod text_order;
mod variant;

use std::fmt;
use std::str::FromStr;

pub use draft::DraftScript;
pub(super) use flyway::Callback;
pub(super) use read::{Options, digits, is_read, layout, load};
pub(super) use strays::{STRAY, find as find_strays};
#[cfg(feature = "archive")]
pub(super) use variant::is_database;

use super::file_name::FileName;
use crate::model::Version;
use crate::sql;

/// Whose way a folder is laid out.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Layout {
    /// Found out by looking at names and marks.
    #[default]
    Auto,
    /// `0001_name.sql`, `0001_name.up.sql` with `0001_name.down.sql`, `0001_name.wasm` with `0001_name.toml`.
    Whimbrel,
    /// `20210422143411_name.sql`, or `.up.sql` with `.down.sql`; `-- no-transaction`.
    Sqlx,
    /// `V1__name.sql`, in folders too.
    Refinery,
    /// `V1.2__name.sql`, `U1.2__name.sql`, `R__name.sql`, `B5__name.sql`, in folders too.
    Flyway,
    /// `1_name.up.sql` and `1_name.down.sql`.
    GolangMigrate,
    /// `00001_name.sql` with `-- +goose Up` and `-- +goose Down`.
    Goose,
    /// `20151129054053_name.sql` with `-- migrate:up` and `-- migrate:down`.
    Dbmate,
    /// A folder `2024-01-31-120000_name` with `up.sql` and `down.sql`.
    Diesel,
    /// `20240131120000_name.sql` with `atlas.sum`.
    Atlas,
    /// A folder `20240131120000_name` with `migration.sql`.
    Prisma,
}

/// A word that names no layout.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("\"{}\" is no layout{}", text.escape_debug(), hint(text))]
pub struct UnknownLayout {
    /// What was given.
    pub text: String,
}

fn hint(text: &str) -> String {
    match sql::nearest(text, Layout::ALL.map(Layout::as_str)) {
        Some(near) => format!(": did you mean `{near}`?"),
        None => format!(": there are {}", Layout::ALL.map(Layout::as_str).join(", ")),
    }
}

impl Layout {
    /// Every layout.
    pub const ALL: [Self; 11] = [
        Self::Auto,
        Self::Whimbrel,
        Self::Sqlx,
        Self::Refinery,
        Self::Flyway,
        Self::GolangMigrate,
        Self::Goose,
        Self::Dbmate,
        Self::Diesel,
        Self::Atlas,
        Self::Prisma,
    ];

    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Whimbrel => "whimbrel",
            Self::Sqlx => "sqlx",
            Self::Refinery => "refinery",
            Self::Flyway => "flyway",
            Self::GolangMigrate => "golang-migrate",
            Self::Goose => "goose",
            Self::Dbmate => "dbmate",
            Self::Diesel => "diesel",
            Self::Atlas => "atlas",
            Self::Prisma => "prisma",
        }
    }

    /// Tells whether the tool runs its scripts with foreign keys off on SQLite, as SQLite itself has them. Where the library
    /// that a tool is built with decides, the one that loses no rows counts.
    pub(super) fn has_keys_off(self) -> bool {
        match self {
            Self::Flyway | Self::GolangMigrate | Self::Goose | Self::Dbmate | Self::Diesel | Self::Atlas => true,
            Self::Auto | Self::Whimbrel | Self::Sqlx | Self::Refinery | Self::Prisma => false,
        }
    }

    /// Tells how far below the root its files lie.
    fn depth(self) -> Depth {
        match self {
            Self::Refinery | Self::Flyway => Depth::Every,
            Self::Diesel | Self::Prisma => Depth::One,
            _ => Depth::Root,
        }
    }

    /// Tells whether a folder that is so far below the root is looked into. Hidden ones are not, but by refinery.
    fn enters(self, depth: usize, folder: &str) -> bool {
        self.depth().reaches(depth) && (self == Self::Refinery || !folder.starts_with('.'))
    }

    /// Returns the version and the name of a migration that is code of the program which the tool is a part of.
    fn elsewhere(self, path: &str) -> Option<(Version, String)> {
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        // Named as its scripts are.
        let as_script = match self {
            Self::Goose => format!("{}.sql", name.strip_suffix(".go").filter(|stem| !stem.ends_with("_test"))?),
            Self::Refinery => format!("{}.sql", name.strip_suffix(".rs")?),
            _ => return None,
        };
        match self.judge(&as_script, &[]) {
            FileName::Part { version, name, .. } => Some((version, name)),
            _ => None,
        }
    }

    /// Judges a file by its path below the root; one for a kind of database is what it would be without that.
    pub(super) fn judge_any(self, path: &str, endings: &[String]) -> FileName {
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        match variant::without(name).filter(|_| matches!(self, Self::Auto | Self::Whimbrel)) {
            Some((_, plain)) => FileName::parse_with(&plain, endings),
            None => self.judge(path, endings),
        }
    }

    /// Judges a file by its path below the root.
    pub(super) fn judge(self, path: &str, endings: &[String]) -> FileName {
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        match self {
            Self::Auto | Self::Whimbrel => FileName::parse_with(name, endings),
            Self::Sqlx => sqlx::judge(name),
            Self::Refinery => refinery::judge(name),
            Self::Flyway => flyway::judge(name),
            Self::GolangMigrate => golang_migrate::judge(name),
            Self::Goose => goose::judge(name),
            Self::Dbmate => dbmate::judge(name),
            Self::Diesel => diesel::judge(path),
            Self::Atlas => atlas::judge(name),
            Self::Prisma => prisma::judge(path),
        }
    }
}

/// How far below the root files are looked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Depth {
    /// In the root alone.
    Root,
    /// In the folders of the root as well.
    One,
    /// In every folder.
    Every,
}

impl Depth {
    /// Tells whether a folder that is so far below the root is looked into.
    fn reaches(self, depth: usize) -> bool {
        match self {
            Self::Every => true,
            Self::One => depth == 0,
            Self::Root => false,
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for Layout {
    type Err = UnknownLayout;

    fn from_str(text: &str) -> Result<Self, UnknownLayout> {
        let known = Self::ALL.into_iter().find(|layout| layout.as_str() == text);
        known.ok_or_else(|| UnknownLayout { text: text.to_owned() })
    }
}

/// Judges a file whose name another tool takes for none of its own: a component or a script of Whimbrel may lie there.
fn beside(name: &str, reason: &'static str) -> FileName {
    match FileName::parse(name) {
        FileName::Part { part, .. } if part.is_sql() => FileName::Ignored(reason),
        judged @ (FileName::Part { .. } | FileName::Library { .. } | FileName::Malformed { .. })
            if !name.to_ascii_lowercase().ends_with(".sql") =>
        {
            judged
        }
        _ => FileName::Ignored(reason),
    }
}

/// Makes a name of what stands after a version, whatever another tool allows there.
fn words(text: &str) -> Result<String, String> {
    let words = text.trim_matches(['_', '.', '-', ' ']);
    match words.chars().find(|character| character.is_control() || turns(*character)) {
        Some(hostile) => Err(format!("`{}` cannot stand in a name", hostile.escape_debug())),
        None if words.is_empty() => Ok("unnamed".to_owned()),
        None => Ok(words.to_owned()),
    }
}

/// Tells whether a character changes the direction of a line or cannot be seen.
fn turns(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Says what is wrong with the name of a file that was meant as a migration of another tool.
fn malformed(message: impl Into<String>, hint: &str) -> FileName {
    FileName::Malformed { message: message.into(), hint: hint.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Role;

    /// Shows what was made of a name, for the tests of each layout.
    pub(super) fn judged(judged: &FileName) -> String {
        match judged {
            FileName::Part { version, name, part, role } => match role {
                Role::Versioned => format!("{version} {name} {part:?}"),
                Role::Baseline => format!("baseline {version} {name} {part:?}"),
                Role::Repeatable => format!("repeatable {name} {part:?}"),
            },
            FileName::Library { name } => format!("library {name}"),
            FileName::Ignored(reason) => format!("ignored: {reason}"),
            FileName::Malformed { message, .. } => format!("wrong: {message}"),
        }
    }

    #[test]
    fn reads_the_words_it_writes() {
        for layout in Layout::ALL {
            assert_eq!(layout.to_string().parse(), Ok(layout));
        }
        let error = "gose".parse::<Layout>().expect_err("unknown");
        assert_eq!(error.to_string(), "\"gose\" is no layout: did you mean `goose`?");
        assert!("x".parse::<Layout>().expect_err("unknown").to_string().contains("auto, whimbrel, sqlx"));
    }
}
