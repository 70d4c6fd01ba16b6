//! `whimbrel.lock`: what a folder holds, so that two branches that both add a migration conflict when they are merged.
//! Pure: text in, text out.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use thiserror::Error;

use crate::model::{Body, Chain, Checksum, Key, Migration, Role, Version};

/// Name of the file.
pub const LOCK_FILE: &str = "whimbrel.lock";

const HEAD: &str = "# Written by `whimbrel lock` and `whimbrel new`. Keep it in version control; do not edit it.\n\
                    # When two branches change it, put their migrations in order and write it anew: `whimbrel lock`.\n";

/// What a folder holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LockFile {
    entries: Vec<Entry>,
}

/// One migration of the folder.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// `None` for one that is repeatable.
    version: Option<String>,
    name: String,
    #[serde(default)]
    baseline: bool,
    checksum: String,
    /// Of SQL: forgives line endings, blanks and comments.
    normalised: Option<String>,
    /// As if its lines ended in LF.
    manifest: Option<String>,
    /// Of the way down, as if its lines ended in LF.
    down: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    head: String,
    #[serde(default, rename = "migration")]
    entries: Vec<Entry>,
}

/// Why a text is no lock file.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum LockFileError {
    /// It is not what `lock` writes.
    #[error("{message}")]
    Malformed {
        /// What is wrong.
        message: String,
        /// The byte where it stands.
        offset: usize,
    },
    /// Its parts are not of one time.
    #[error("its head does not cover its migrations")]
    Torn,
}

/// A difference between a folder and its lock file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LockDifference {
    /// Version and name.
    pub migration: String,
    /// What differs.
    pub kind: LockDifferenceKind,
}

/// What differs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LockDifferenceKind {
    /// The folder has it, the lock file does not.
    Added,
    /// The lock file has it, the folder does not.
    Removed,
    /// Its body is another one.
    Changed,
    /// Its manifest is another one.
    Manifest,
    /// What reverts it is another script.
    Down,
}

impl LockDifferenceKind {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Manifest => "manifest",
            Self::Down => "down",
        }
    }
}

impl fmt::Display for LockDifference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            LockDifferenceKind::Added => "is not in the lock file",
            LockDifferenceKind::Removed => "is in the lock file, and not in the folder",
            LockDifferenceKind::Changed => "is not what the lock file says",
            LockDifferenceKind::Manifest => "has another manifest than the lock file says",
            LockDifferenceKind::Down => "has another way down than the lock file says",
        };
        write!(formatter, "{} {what}", self.migration.escape_debug())
    }
}

impl LockFile {
    /// Describes the migrations of a chain.
    pub fn of(chain: &Chain) -> Self {
        let all = chain.migrations().iter().chain(chain.baselines()).chain(chain.repeatables());
        Self::sorted(all.map(|migration| Entry::of(migration)).collect())
    }

    /// Reads what [`Display`](std::fmt::Display) wrote.
    pub fn parse(text: &str) -> Result<Self, LockFileError> {
        if let Some(offset) = merge_mark(text) {
            let message =
                "a merge has left its marks here: put the migrations of both sides in order, then write it anew"
                    .to_owned();
            return Err(LockFileError::Malformed { message, offset });
        }
        let contents: Contents = toml::from_str(text).map_err(|error| LockFileError::Malformed {
            message: error.message().trim_end().replace('\n', ", "),
            offset: error.span().map_or(0, |span| span.start),
        })?;
        let lock = Self { entries: contents.entries };
        if lock.head() == contents.head { Ok(lock) } else { Err(LockFileError::Torn) }
    }

    /// Adds a migration that nobody has written yet.
    #[must_use]
    pub fn with_new(mut self, version: Version, name: &str) -> Self {
        self.entries.push(Entry {
            version: Some(version.key()),
            name: name.to_owned(),
            baseline: false,
            checksum: Checksum::of(b"").to_string(),
            normalised: None,
            manifest: None,
            down: None,
        });
        Self::sorted(self.entries)
    }

    /// Returns what differs in a chain. Line endings do not count, and blanks and comments of what is applied neither.
    pub fn compare(&self, chain: &Chain) -> Vec<LockDifference> {
        let now = Self::of(chain);
        let of = |lock: &'_ Self| -> BTreeMap<_, Entry> {
            lock.entries.iter().map(|entry| (entry.order(), entry.clone())).collect()
        };
        let (then, now) = (of(self), of(&now));
        let mut keys: Vec<_> = then.keys().chain(now.keys()).cloned().collect();
        keys.sort();
        keys.dedup();
        let difference = |entry: &Entry, kind| LockDifference { migration: entry.title(), kind };
        keys.iter()
            .filter_map(|key| match (then.get(key), now.get(key)) {
                (Some(then), Some(now)) => Some(difference(now, then.difference(now)?)),
                (Some(then), None) => Some(difference(then, LockDifferenceKind::Removed)),
                (None, Some(now)) => Some(difference(now, LockDifferenceKind::Added)),
                (None, None) => None,
            })
            .collect()
    }

    fn sorted(mut entries: Vec<Entry>) -> Self {
        entries.sort_by_key(Entry::order);
        Self { entries }
    }

    /// A hash that changes whenever anything does, near the top, where two branches meet.
    fn head(&self) -> String {
        self.entries.iter().fold(Checksum::of(b"").to_string(), |before, entry| entry.running(&before))
    }
}

impl fmt::Display for LockFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{HEAD}head = \"{}\"", self.head())?;
        for entry in &self.entries {
            write!(formatter, "\n[[migration]]\n{}", entry.text())?;
        }
        Ok(())
    }
}

impl Entry {
    fn of(migration: &Migration) -> Self {
        let text = |checksum: Option<Checksum>| checksum.map(|checksum| checksum.to_string());
        let down = match &migration.body {
            Body::Sql { down, .. } => down.as_deref(),
            Body::Component { .. } | Body::Transform { .. } | Body::Script { .. } | Body::Rust(_) => None,
        };
        Self {
            version: match migration.key() {
                Key::Version(version) => Some(version.key()),
                Key::Name(_) => None,
            },
            name: migration.name.clone(),
            baseline: migration.role() == Role::Baseline,
            checksum: migration.checksum().to_string(),
            normalised: text(migration.normalised_checksum()),
            manifest: text(migration.manifest.as_ref().map(|manifest| Checksum::of_lines(&manifest.text))),
            down: text(down.map(|script| Checksum::of_lines(&script.text))),
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |key: &str, value: Option<&str>| {
            if let Some(value) = value {
                text.push_str(&format!("{key} = {}\n", toml_string(value)));
            }
        };
        line("version", self.version.as_deref());
        line("name", Some(&self.name));
        line("checksum", Some(&self.checksum));
        line("normalised", self.normalised.as_deref());
        line("manifest", self.manifest.as_deref());
        line("down", self.down.as_deref());
        if self.baseline {
            text.push_str("baseline = true\n");
        }
        text
    }

    fn running(&self, before: &str) -> String {
        Checksum::of(format!("{before}\n{}", self.text()).as_bytes()).to_string()
    }

    /// Versioned ones in order, then baselines, then repeatable ones by name.
    fn order(&self) -> (bool, bool, Version, String) {
        let version = self.version.as_deref().and_then(|text| Version::parse(text).ok());
        let name = if version.is_none() { self.name.clone() } else { String::new() };
        (version.is_none(), self.baseline, version.unwrap_or(Version::from(0)), name)
    }

    fn title(&self) -> String {
        match &self.version {
            Some(version) => format!("{version} {}", self.name),
            None => self.name.clone(),
        }
    }

    fn difference(&self, now: &Self) -> Option<LockDifferenceKind> {
        let same_text = self.normalised.is_some() && self.normalised == now.normalised;
        if self.name != now.name || (self.checksum != now.checksum && !same_text) {
            return Some(LockDifferenceKind::Changed);
        }
        if self.manifest != now.manifest {
            return Some(LockDifferenceKind::Manifest);
        }
        (self.down != now.down).then_some(LockDifferenceKind::Down)
    }
}

/// Writes a basic string of TOML; what could end it or disturb a terminal is escaped.
fn toml_string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            character if character.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(character))),
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// Finds the first line that version control writes where two branches changed the same one.
fn merge_mark(text: &str) -> Option<usize> {
    let mut begins = 0;
    text.split_inclusive('\n').find_map(|line| {
        let at = begins;
        begins += line.len();
        line.starts_with("<<<<<<< ").then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interrupt::Interrupt;
    use crate::source::{Memory, Source};

    fn chain(files: &[(&str, &str)]) -> Chain {
        let memory = files.iter().fold(Memory::new("m"), |memory, (path, text)| memory.file(*path, *text));
        Chain::new("main", memory.load(&Interrupt::new()).expect("loaded").migrations).expect("chain")
    }

    #[test]
    fn reads_what_it_writes_and_finds_no_difference() {
        let chain = chain(&[
            ("1_a.up.sql", "SELECT 1;"),
            ("1_a.down.sql", "SELECT 2;"),
            ("10_c.sql", "SELECT 3;"),
            ("2_b.wasm", "x"),
            ("2_b.toml", ""),
            ("R__views.sql", "SELECT 4;"),
        ]);
        let lock = LockFile::of(&chain);
        let text = lock.to_string();
        let titles: Vec<String> = lock.entries.iter().map(Entry::title).collect();
        assert_eq!(titles, ["1 a", "2 b", "10 c", "views"]);
        assert_eq!(LockFile::parse(&text), Ok(lock.clone()));
        assert!(lock.compare(&chain).is_empty());
        let hostile = Entry { name: "a\"\\\u{1b}".to_owned(), ..lock.entries[0].clone() };
        let lock = LockFile { entries: vec![hostile] };
        assert_eq!(LockFile::parse(&lock.to_string()), Ok(lock));
    }

    #[test]
    fn names_each_difference() {
        let before = [
            ("1_a.sql", "SELECT 1;"),
            ("2_b.up.sql", "SELECT 2;"),
            ("2_b.down.sql", "SELECT 3;"),
            ("3_c.sql", "SELECT 4;"),
            ("5_e.up.sql", "SELECT 5;\n"),
            ("5_e.down.sql", "SELECT 6;\n"),
            ("5_e.toml", "description = 'e'\n"),
        ];
        let lock = LockFile::of(&chain(&before));
        let after = chain(&[
            ("1_a.sql", "SELECT 1; -- words\r\n"),
            ("2_b.up.sql", "SELECT 2;"),
            ("2_b.down.sql", "SELECT 33;"),
            ("4_d.sql", "SELECT 4;"),
            ("5_e.up.sql", "SELECT 5;\r\n"),
            ("5_e.down.sql", "SELECT 6;\r\n"),
            ("5_e.toml", "description = 'e'\r\n"),
        ]);
        let found: Vec<String> = lock.compare(&after).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "2 b has another way down than the lock file says",
                "3 c is in the lock file, and not in the folder",
                "4 d is not in the lock file",
            ]
        );
        let changed = lock.compare(&chain(&[("1_a.sql", "SELECT 9;")]));
        assert_eq!(changed[0].kind, LockDifferenceKind::Changed);
    }

    #[test]
    fn refuses_what_was_put_together_by_hand() {
        let lock = LockFile::of(&chain(&[("1_a.sql", "SELECT 1;"), ("2_b.sql", "SELECT 2;")]));
        let text = lock.to_string();
        let merged = text.replace("name = \"b\"", "name = \"c\"");
        assert_eq!(LockFile::parse(&merged), Err(LockFileError::Torn));
        let conflict = text.replacen("head", "<<<<<<< ours\nhead", 1);
        let Err(LockFileError::Malformed { message, offset }) = LockFile::parse(&conflict) else { panic!("it is one") };
        assert!(
            message.starts_with("a merge has left its marks") && conflict[offset..].starts_with("<<<<<<< "),
            "{message}"
        );
    }

    #[test]
    fn two_branches_that_add_a_migration_change_the_same_line() {
        let lock = LockFile::of(&chain(&[("1_a.sql", "SELECT 1;"), ("5_b.sql", "SELECT 2;")]));
        let head = |lock: &LockFile| lock.to_string().lines().find(|line| line.starts_with("head")).map(str::to_owned);
        let (ours, theirs) =
            (lock.clone().with_new(Version::from(6), "x"), lock.clone().with_new(Version::from(3), "y"));
        assert!(head(&lock) != head(&ours) && head(&ours) != head(&theirs) && head(&lock) != head(&theirs));
        assert_eq!(LockFile::parse(&theirs.to_string()), Ok(theirs));
    }
}
