//! Why the history of another tool is not taken over.

use super::{Choice, ForeignTable, Tool};
use crate::db::DbError;
use crate::model::{Version, VersionError};
use crate::shown::Shown;

/// Why a history was not taken over. Nothing has changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// No table looks like a history.
    #[error("{}", not_found(choice))]
    NotFound {
        /// What was looked for.
        choice: Choice,
    },
    /// Several tables look like one.
    #[error("several tables look like histories: {}", tables(found))]
    Several {
        /// The tables.
        found: Vec<ForeignTable>,
    },
    /// The history must go into one chain, and several are meant.
    #[error("there are several chains: {}", chains.join(", "))]
    SeveralChains {
        /// Their names.
        chains: Vec<String>,
    },
    /// The chain has a history of ours already.
    #[error("the history of chain {chain} has {rows} {} already", if *rows == 1 { "row" } else { "rows" })]
    Begun {
        /// The chain.
        chain: String,
        /// How many rows there are.
        rows: usize,
    },
    /// Somebody else is migrating.
    #[error("{tool} is migrating this database: {by} holds its lock")]
    Locked {
        /// The tool.
        tool: Tool,
        /// Who.
        by: String,
    },
    /// A version to begin at was named, and every row of the tool's has one of its own.
    #[error("the history of {tool} is taken over row by row, so it cannot be said where the chain begins")]
    Baseline {
        /// The tool.
        tool: Tool,
    },
    /// Its table cannot go on being written.
    #[error("the history of {tool} cannot be kept up to date: {reason}")]
    KeepWriting {
        /// The tool.
        tool: Tool,
        /// Why.
        reason: &'static str,
    },
    /// The history says what nobody should build upon.
    #[error("the history of {tool} cannot be taken over as it is: {}", list(problems))]
    Stopped {
        /// The tool.
        tool: Tool,
        /// Its table.
        table: String,
        /// What is in the way; at least one.
        problems: Vec<AdoptProblem>,
    },
    /// The database refused.
    #[error("cannot read the history of another tool")]
    Database {
        /// What the database said.
        #[source]
        source: DbError,
    },
}

/// What is in the way of taking a history over.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum AdoptProblem {
    /// A migration began and did not finish, or failed.
    Unfinished {
        /// What the tool calls it.
        migration: String,
        /// What the tool says.
        reason: String,
    },
    /// The file of an applied migration is another one now.
    Changed {
        /// Version and name.
        migration: String,
        /// The file.
        file: String,
        /// What the tool kept.
        recorded: String,
        /// What it would keep now.
        found: String,
    },
    /// A version that is none of ours.
    Version {
        /// What the tool calls it.
        migration: String,
        /// Why.
        source: VersionError,
    },
    /// The tool has recorded a version for which there is no migration, and its table holds only how far it came.
    NoSuchVersion {
        /// The version.
        version: Version,
    },
    /// The tool has applied a migration of which it keeps no version, and there is no such file.
    NoSuchFile {
        /// What the tool keeps of it: a name, or a hash.
        migration: String,
    },
    /// The tool, which knows migrations by their names alone, has applied one that the folder has another in the place of.
    OtherName {
        /// What the tool calls it.
        migration: String,
        /// The file that has its version.
        file: String,
    },
    /// Two migrations that the tool has applied have one version here.
    Twice {
        /// What the tool calls the second one.
        migration: String,
    },
    /// The history tells only that there is one, so that everything in the folder is still to come, and no beginning is below
    /// version 0.
    BeginsAtZero {
        /// Version and name of the migration of version 0.
        migration: String,
        /// Its file.
        file: String,
    },
}

impl std::fmt::Display for AdoptProblem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unfinished { migration, reason } => {
                write!(formatter, "{} is not finished: {}", migration.escape_debug(), reason.escape_debug())
            }
            Self::Changed { migration, file, .. } => {
                write!(formatter, "{} was changed after it was applied: {}", Shown(migration), Shown(file))
            }
            Self::Version { migration, source } => write!(formatter, "{}: {source}", migration.escape_debug()),
            Self::NoSuchVersion { version } => {
                write!(formatter, "the database is at version {version}, and there is no such migration")
            }
            Self::NoSuchFile { migration } => {
                write!(formatter, "{} is applied, and there is no such file", migration.escape_debug())
            }
            Self::OtherName { migration, file } => write!(
                formatter,
                "{} is applied, and in its place there is a file of another name: {}",
                migration.escape_debug(),
                Shown(file)
            ),
            Self::Twice { migration } => {
                write!(
                    formatter,
                    "{} is applied, and another one of the same version as well",
                    migration.escape_debug()
                )
            }
            Self::BeginsAtZero { migration, file } => {
                write!(
                    formatter,
                    "{} would count as applied, since the chain begins at 0: {}",
                    Shown(migration),
                    Shown(file)
                )
            }
        }
    }
}

fn not_found(choice: &Choice) -> String {
    match (choice.tool, &choice.table) {
        (None, None) => "no table looks like the history of another tool".to_owned(),
        (Some(tool), None) => format!("no table looks like the history of {tool}"),
        (None, Some(table)) => format!("the table {} does not look like a history", table.escape_debug()),
        (Some(tool), Some(table)) => {
            format!("the table {} does not look like the history of {tool}", table.escape_debug())
        }
    }
}

fn list(problems: &[AdoptProblem]) -> String {
    problems.iter().map(AdoptProblem::to_string).collect::<Vec<_>>().join("; ")
}

fn tables(found: &[ForeignTable]) -> String {
    let names = found.iter().map(|found| format!("{} ({})", found.table.escape_debug(), found.tool));
    names.collect::<Vec<_>>().join(", ")
}

impl From<DbError> for AdoptError {
    fn from(source: DbError) -> Self {
        Self::Database { source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_everything_that_is_in_the_way() {
        let unfinished =
            AdoptProblem::Unfinished { migration: "3 c".to_owned(), reason: "it is\n\"dirty\"".to_owned() };
        let file = "m/2_b\u{1b}.sql".to_owned();
        let (recorded, found) = ("00".to_owned(), "11".to_owned());
        let changed = AdoptProblem::Changed { migration: "2 b".to_owned(), file, recorded, found };
        let stopped = |problems| AdoptError::Stopped { tool: Tool::Goose, table: "t".to_owned(), problems };
        let error = crate::Error::from(stopped(vec![changed, unfinished]));
        assert_eq!(
            error.to_string(),
            "the history of goose cannot be taken over as it is: 2 b was changed after it was applied: m/2_b\\u{1b}.sql; \
             3 c is not finished: it is\\n\\\"dirty\\\""
        );
    }
}
