//! All migrations of one source, in order.

use std::fmt;
use std::sync::Arc;

use super::{Migration, Version};

/// Migrations ordered by version, each version once.
#[derive(Clone, Debug)]
pub struct Chain {
    name: String,
    migrations: Vec<Arc<Migration>>,
}

/// A version that several migrations claim.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Duplicate {
    /// The version.
    pub version: Version,
    /// What the migrations are called in messages.
    pub files: Vec<String>,
}

/// Why migrations make no chain.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ChainError {
    /// Versions are used more than once; all of them.
    Duplicates {
        /// The versions in order.
        duplicates: Vec<Duplicate>,
    },
}

impl fmt::Display for ChainError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Duplicates { duplicates } = self;
        for (i, Duplicate { version, files }) in duplicates.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(formatter, "{separator}version {version} is used by {}", files.join(" and "))?;
        }
        Ok(())
    }
}

impl std::error::Error for ChainError {}

impl Chain {
    /// Orders the migrations; refuses a version that is used twice.
    pub fn new(name: impl Into<String>, mut migrations: Vec<Migration>) -> Result<Self, ChainError> {
        migrations.sort_by_key(|migration| migration.version);
        let duplicates: Vec<Duplicate> = migrations
            .chunk_by(|left, right| left.version == right.version)
            .filter(|same| same.len() > 1)
            .map(|same| Duplicate {
                version: same[0].version,
                files: same.iter().map(|migration| migration.file.clone()).collect(),
            })
            .collect();
        if !duplicates.is_empty() {
            return Err(ChainError::Duplicates { duplicates });
        }
        Ok(Self { name: name.into(), migrations: migrations.into_iter().map(Arc::new).collect() })
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the migrations in order.
    pub fn migrations(&self) -> &[Arc<Migration>] {
        &self.migrations
    }

    /// Finds the migration of a version.
    pub fn get(&self, version: Version) -> Option<&Arc<Migration>> {
        let found = self.migrations.binary_search_by_key(&version, |migration| migration.version);
        found.ok().map(|index| &self.migrations[index])
    }

    /// Returns the versions missing between neighbours if the versions form a sequence.
    ///
    /// Nothing for timestamps and for numbers with more holes than migrations, such as 10, 20, 30.
    pub fn gaps(&self) -> Vec<Version> {
        if !self.migrations.last().is_some_and(|last| last.version.is_sequential()) {
            return Vec::new();
        }
        let gaps: Vec<Version> = self
            .migrations
            .windows(2)
            .flat_map(|pair| {
                let end = pair[1].version;
                std::iter::successors(pair[0].version.next(), |version| version.next())
                    .take_while(move |version| *version < end)
            })
            .collect();
        if gaps.len() > self.migrations.len() { Vec::new() } else { gaps }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;
    use crate::model::{Body, Placement};

    fn migration(version: u64, file: &str) -> Migration {
        Migration {
            version: Version::from(version),
            name: "x".into(),
            placement: Placement::default(),
            body: Body::Component { bytes: Cow::Borrowed(b"") },
            manifest: None,
            file: file.into(),
        }
    }

    fn chain(versions: &[u64]) -> Chain {
        let migrations = versions.iter().map(|version| migration(*version, "x")).collect();
        Chain::new("main", migrations).expect("no duplicates")
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
        let migrations =
            [(2, "2_b"), (1, "1_a"), (2, "002_c"), (3, "3_d"), (1, "01_e"), (1, "001_f")].map(|(v, f)| migration(v, f));
        let error = Chain::new("main", migrations.into()).expect_err("duplicates");
        assert_eq!(
            error.to_string(),
            "version 1 is used by 1_a and 01_e and 001_f; version 2 is used by 2_b and 002_c"
        );
    }

    #[test]
    fn finds_gaps_in_sequences_only() {
        let cases: [(&[u64], &[u64]); 7] = [
            (&[], &[]),
            (&[5], &[]),
            (&[1, 2, 3], &[]),
            (&[1, 4, 6], &[2, 3, 5]),
            (&[1, 3, 100_000], &[]),
            (&[10, 20, 30], &[]),
            (&[20260101000000, 20260102000000], &[]),
        ];
        for (versions, gaps) in cases {
            let expected: Vec<Version> = gaps.iter().copied().map(Version::from).collect();
            assert_eq!(chain(versions).gaps(), expected, "{versions:?}");
        }
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
