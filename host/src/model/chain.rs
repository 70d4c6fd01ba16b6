//! All migrations of one source, in order.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{Checksum, Dependency, Elsewhere, FunctionLibrary, Key, Migration, Version};
use crate::shown::{self, Shown};

/// Migrations ordered by version, each version once.
#[derive(Clone, Debug)]
pub struct Chain {
    name: Arc<str>,
    migrations: Vec<Arc<Migration>>,
    baselines: Vec<Arc<Migration>>,
    repeatables: Vec<Arc<Migration>>,
    /// What only another program can run.
    elsewhere: Vec<Elsewhere>,
    /// In the order of their names.
    libraries: Vec<Arc<FunctionLibrary>>,
    /// Checksums of those that migrations call.
    checksums: BTreeMap<String, Checksum>,
}

/// A version, or a name of a repeatable one, that several migrations claim.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Duplicate {
    /// The version or name.
    pub key: Key,
    /// What the migrations are called in messages.
    pub files: Vec<String>,
}

/// Something that a migration depends on and that is not there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnmetDependency {
    /// Version and name of the migration.
    pub migration: String,
    /// Its file.
    pub file: String,
    /// What it depends on.
    pub dependency: Dependency,
    /// What is missing.
    pub because: String,
}

/// Why migrations make no chain, or several no order.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ChainError {
    /// Versions are used more than once; all of them.
    Duplicates {
        /// The versions in order.
        duplicates: Vec<Duplicate>,
    },
    /// Migrations depend on what is not there; all of it.
    Unmet {
        /// What is missing.
        unmet: Vec<UnmetDependency>,
    },
    /// Migrations depend on each other in a circle.
    Cycle {
        /// The circle: each depends on the next one, and the last is the first.
        path: Vec<String>,
    },
    /// Two chains have one name.
    SameName {
        /// The name.
        name: String,
    },
    /// There is no chain of this name.
    Unknown {
        /// The name.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// Two libraries of functions have one name.
    SameLibrary {
        /// The name.
        name: String,
        /// What the libraries are called in messages.
        files: [String; 2],
    },
    /// A migration calls functions of a library that is not there.
    UnknownLibrary {
        /// Version and name of the migration.
        migration: String,
        /// Its file.
        file: String,
        /// What it calls the library.
        name: String,
        /// The libraries there are.
        known: Vec<String>,
    },
    /// More than one of these is wrong.
    Several {
        /// Each of them; none is `Several`.
        errors: Vec<ChainError>,
    },
}

impl ChainError {
    /// Makes one error of several; there must be one.
    pub(super) fn all_of(mut errors: Vec<Self>) -> Self {
        if errors.len() == 1 {
            return errors.swap_remove(0);
        }
        let each = |error| match error {
            Self::Several { errors } => errors,
            other => vec![other],
        };
        Self::Several { errors: errors.into_iter().flat_map(each).collect() }
    }
}

impl fmt::Display for ChainError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = |i: usize| if i == 0 { "" } else { "; " };
        match self {
            Self::Duplicates { duplicates } => {
                for (i, Duplicate { key, files }) in duplicates.iter().enumerate() {
                    let what = if matches!(key, Key::Version(_)) { "version" } else { "the name" };
                    write!(formatter, "{}{what} {key} is used by {}", separator(i), shown::joined(files, " and "))?;
                }
                Ok(())
            }
            Self::Unmet { unmet } => {
                for (i, UnmetDependency { migration, file, dependency, because }) in unmet.iter().enumerate() {
                    let (separator, file) = (separator(i), Shown(file));
                    write!(
                        formatter,
                        "{separator}migration {migration} depends on {dependency}, but {because} ({file})"
                    )?;
                }
                Ok(())
            }
            Self::Cycle { path } => write!(formatter, "migrations depend on each other: {}", path.join(" -> ")),
            Self::SameName { name } => write!(formatter, "two chains are called {}", name.escape_debug()),
            Self::Unknown { name, .. } => write!(formatter, "there is no chain {}", name.escape_debug()),
            Self::SameLibrary { name, files: [one, other] } => {
                let (one, other) = (Shown(one), Shown(other));
                write!(formatter, "{one} and {other} are both called {}", name.escape_debug())
            }
            Self::UnknownLibrary { migration, file, name, .. } => {
                let (name, file) = (name.escape_debug(), Shown(file));
                write!(formatter, "migration {migration} uses functions of {name}, which is not there ({file})")
            }
            Self::Several { errors } => {
                errors.iter().enumerate().try_for_each(|(i, error)| write!(formatter, "{}{error}", separator(i)))
            }
        }
    }
}

impl std::error::Error for ChainError {}

impl Chain {
    /// Orders the migrations; refuses a version, or the name of a repeatable one, that is used twice.
    pub fn new(name: impl Into<String>, migrations: Vec<Arc<Migration>>) -> Result<Self, ChainError> {
        let mut of_role: [Vec<Arc<Migration>>; 3] = Default::default();
        for migration in migrations {
            of_role[migration.role() as usize].push(migration);
        }
        let [mut versioned, mut baselines, mut repeatables] = of_role;
        versioned.sort_by_key(|migration| migration.version);
        baselines.sort_by_key(|migration| migration.version);
        repeatables.sort_by(|left, right| left.name.cmp(&right.name));
        let same = |all: &[Arc<Migration>]| -> Vec<Duplicate> {
            all.chunk_by(|left, right| left.key() == right.key())
                .filter(|same| same.len() > 1)
                .map(|same| Duplicate {
                    key: same[0].key(),
                    files: same.iter().map(|migration| migration.file.clone()).collect(),
                })
                .collect()
        };
        let duplicates = [same(&versioned), same(&baselines), same(&repeatables)].concat();
        if !duplicates.is_empty() {
            return Err(ChainError::Duplicates { duplicates });
        }
        // The number that may stand before the name orders them for people, so it does here. Words come apart at `_`, as with
        // Flyway, which reads a blank in its place: `1_base` is before `10_cache`.
        repeatables.sort_by_cached_key(|migration| migration.file.replace('_', " "));
        Ok(Self {
            name: name.into().into(),
            migrations: versioned,
            baselines,
            repeatables,
            elsewhere: Vec::new(),
            libraries: Vec::new(),
            checksums: BTreeMap::new(),
        })
    }

    /// Adds what only another program can run of it.
    #[must_use]
    pub fn with_elsewhere(mut self, mut elsewhere: Vec<Elsewhere>) -> Self {
        elsewhere.sort_by_key(|other| other.version);
        self.elsewhere = elsewhere;
        self
    }

    /// Returns what only another program can run of it, in the order of their versions.
    pub fn elsewhere(&self) -> &[Elsewhere] {
        &self.elsewhere
    }

    /// Returns all migrations, whenever they run.
    fn everything(&self) -> impl Iterator<Item = &Arc<Migration>> {
        self.migrations.iter().chain(&self.baselines).chain(&self.repeatables)
    }

    /// Tells what is wrong with libraries of functions: two of one name, and one that a migration uses and that is not there.
    pub(super) fn check_libraries(&self, libraries: &[FunctionLibrary]) -> Vec<ChainError> {
        let mut sorted: Vec<&FunctionLibrary> = libraries.iter().collect();
        sorted.sort_by(|left, right| left.name.cmp(&right.name));
        let same = sorted.windows(2).filter(|pair| pair[0].name == pair[1].name);
        let same = same.map(|pair| ChainError::SameLibrary {
            name: pair[0].name.clone(),
            files: [pair[0].file.clone(), pair[1].file.clone()],
        });
        let mut wrong: Vec<ChainError> = same.collect();
        for migration in self.everything() {
            let unknown = migration.libraries().into_iter().filter(|name| !sorted.iter().any(|of| of.name == *name));
            wrong.extend(unknown.map(|name| ChainError::UnknownLibrary {
                migration: migration.title(),
                file: migration.file.clone(),
                name: name.to_owned(),
                known: sorted.iter().map(|library| library.name.clone()).collect(),
            }));
        }
        wrong
    }

    /// Adds libraries of functions; refuses two of one name, and migrations that use one that is not there.
    pub fn with_libraries(mut self, mut libraries: Vec<FunctionLibrary>) -> Result<Self, ChainError> {
        let wrong = self.check_libraries(&libraries);
        if !wrong.is_empty() {
            return Err(ChainError::all_of(wrong));
        }
        libraries.sort_by(|left, right| left.name.cmp(&right.name));
        let used =
            |library: &&FunctionLibrary| self.everything().any(|of| of.libraries().contains(&library.name.as_str()));
        let checksums = libraries.iter().filter(used).map(|library| (library.name.clone(), library.checksum()));
        self.checksums = checksums.collect();
        self.libraries = libraries.into_iter().map(Arc::new).collect();
        Ok(self)
    }

    /// Finds a library of functions.
    pub fn library(&self, name: &str) -> Option<&Arc<FunctionLibrary>> {
        let found = self.libraries.binary_search_by(|library| library.name.as_str().cmp(name));
        found.ok().map(|index| &self.libraries[index])
    }

    /// Returns the checksums of the libraries that a migration names, in the order of their names.
    pub fn library_checksums(&self, migration: &Migration) -> BTreeMap<String, Checksum> {
        let names = migration.libraries().into_iter();
        names.filter_map(|name| Some((name.to_owned(), *self.checksums.get(name)?))).collect()
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its name, to be shared.
    pub fn shared_name(&self) -> &Arc<str> {
        &self.name
    }

    /// Returns the migrations that run once, in the order of their versions; without baselines.
    pub fn migrations(&self) -> &[Arc<Migration>] {
        &self.migrations
    }

    /// Returns the migrations that stand for everything up to their version, in the order of their versions.
    pub fn baselines(&self) -> &[Arc<Migration>] {
        &self.baselines
    }

    /// Returns the migrations that run again whenever they change, in the order of their files.
    pub fn repeatables(&self) -> &[Arc<Migration>] {
        &self.repeatables
    }

    /// Finds the repeatable migration of a name.
    pub fn repeatable(&self, name: &str) -> Option<&Arc<Migration>> {
        self.repeatables.iter().find(|migration| migration.name == name)
    }

    /// Finds the migration of a version that runs once; not a baseline.
    pub fn get(&self, version: Version) -> Option<&Arc<Migration>> {
        let found = self.migrations.binary_search_by_key(&version, |migration| migration.version);
        found.ok().map(|index| &self.migrations[index])
    }

    /// Finds what a key tells from the others; not a baseline.
    pub fn find(&self, key: &Key) -> Option<&Arc<Migration>> {
        match key {
            Key::Version(version) => self.get(*version),
            Key::Name(name) => self.repeatable(name),
        }
    }

    /// Returns the versions missing between neighbours if the versions form a sequence.
    ///
    /// Timestamps behind a sequence are no part of it, and neither is what a baseline has in it. Nothing for timestamps, for
    /// versions with dots, and for numbers with more holes than migrations, such as 10, 20, 30.
    pub fn gaps(&self) -> Vec<Version> {
        let mut own: Vec<Version> = self.migrations.iter().map(|migration| migration.version).collect();
        own.extend(self.elsewhere.iter().map(|other| other.version));
        own.sort_unstable();
        own.dedup();
        if own.iter().any(|version| version.number().is_none()) {
            return Vec::new();
        }
        let start = self.baselines.last().map(|baseline| baseline.version);
        let after =
            own.into_iter().filter(|version| version.is_sequential() && start.is_none_or(|start| *version > start));
        let sequence: Vec<Version> = start.into_iter().chain(after).collect();
        let gaps: Vec<Version> = sequence
            .windows(2)
            .flat_map(|pair| {
                let end = pair[1];
                std::iter::successors(pair[0].next(), |version| version.next())
                    .take_while(move |version| *version < end)
            })
            .take(sequence.len() + 1)
            .collect();
        if gaps.len() > sequence.len() { Vec::new() } else { gaps }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;
    use crate::model::{Body, Placement, Role};

    fn migration(version: u64, file: &str) -> Migration {
        Migration {
            version: Version::from(version),
            name: "x".into(),
            placement: Placement::default(),
            body: Body::Component { bytes: Cow::Borrowed(&b""[..]).into() },
            verify: None,
            asked: Vec::new(),
            manifest: None,
            file: file.into(),
        }
    }

    fn chain(versions: &[u64]) -> Chain {
        let migrations = versions.iter().map(|version| Arc::new(migration(*version, "x"))).collect();
        Chain::new("main", migrations).expect("no duplicates")
    }

    #[test]
    fn nothing_of_a_files_name_is_obeyed() {
        let twice = [migration(1, "1_a\u{1b}[2J.sql"), migration(1, "1_b\n.sql")].map(Arc::new);
        let error = Chain::new("main", twice.to_vec()).unwrap_err();
        assert_eq!(error.to_string(), "version 1 is used by 1_a\\u{1b}[2J.sql and 1_b\\n.sql");
    }

    #[test]
    fn orders_and_finds() {
        let chain = chain(&[30, 1, 20261120142629]);
        let versions: Vec<String> = chain.migrations().iter().map(|m| m.version.to_string()).collect();
        assert_eq!(versions, ["1", "30", "20261120142629"]);
        assert!(chain.get(Version::from(30)).is_some());
        assert!(chain.get(Version::from(2)).is_none());
    }

    #[test]
    fn names_all_files_of_all_duplicates() {
        let migrations = [(2, "2_b"), (1, "1_a"), (2, "002_c"), (3, "3_d"), (1, "01_e"), (1, "001_f")]
            .map(|(v, f)| Arc::new(migration(v, f)));
        let error = Chain::new("main", migrations.into()).expect_err("duplicates");
        assert_eq!(
            error.to_string(),
            "version 1 is used by 1_a and 01_e and 001_f; version 2 is used by 2_b and 002_c"
        );
    }

    #[test]
    fn finds_gaps_in_sequences_only() {
        let cases: [(&[u64], &[u64]); 8] = [
            (&[], &[]),
            (&[5], &[]),
            (&[1, 2, 3], &[]),
            (&[1, 4, 6], &[2, 3, 5]),
            (&[1, 3, 99_999], &[]),
            (&[10, 20, 30], &[]),
            (&[20260101000000, 20260102000000], &[]),
            (&[1, 3, 20260102000000], &[2]),
        ];
        for (versions, gaps) in cases {
            let expected: Vec<Version> = gaps.iter().copied().map(Version::from).collect();
            assert_eq!(chain(versions).gaps(), expected, "{versions:?}");
        }
    }

    #[test]
    fn what_a_baseline_has_in_it_is_no_gap_and_dots_make_no_sequence() {
        let gaps = |baseline: Option<u64>, versions: &[&str]| {
            let of = |version: Version, role| Migration {
                placement: Placement { role, ..Placement::default() },
                version,
                ..migration(0, "x")
            };
            let baseline = baseline.map(|version| of(Version::from(version), Role::Baseline));
            let own = versions.iter().map(|version| of(version.parse().expect(version), Role::Versioned));
            Chain::new("main", own.chain(baseline).map(Arc::new).collect()).expect("no duplicates").gaps()
        };
        assert_eq!(gaps(Some(7), &["1", "3", "8", "10"]), [Version::from(9)]);
        assert_eq!(gaps(Some(7), &["9"]), [Version::from(8)]);
        assert_eq!(gaps(Some(7), &[]), []);
        assert_eq!(gaps(Some(20260101000000), &["1", "3"]), []);
        assert_eq!(gaps(None, &["1", "2.1", "3"]), []);
    }

    proptest! {
        #[test]
        fn is_sorted_and_finds_what_it_holds(versions in prop::collection::btree_set(any::<u64>(), 0..50)) {
            let shuffled: Vec<u64> = versions.iter().rev().copied().collect();
            let chain = chain(&shuffled);
            prop_assert!(chain.migrations().is_sorted_by_key(|migration| migration.version));
            prop_assert!(versions.iter().all(|version| chain.get(Version::from(*version)).is_some()));
        }
    }
}
