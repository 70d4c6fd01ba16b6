//! Why a plan cannot be run; nothing has changed then.

use super::hold::AskedTooMuch;
use crate::limits::Excess;
use crate::shown::{Shown, joined};

/// Why a plan cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// A component cannot be compiled.
    #[cfg(feature = "wasm")]
    #[error("migration {migration} cannot be loaded ({})", Shown(file))]
    Component {
        /// Version and name.
        migration: String,
        /// Its file.
        file: String,
        /// Why.
        #[source]
        source: crate::wasm::CompileError,
    },
    /// A manifest asks for more than its migration may use.
    #[error("migration {migration} {} ({})", excesses.iter().map(Excess::to_string).collect::<Vec<_>>().join(", "), Shown(file))]
    Limits {
        /// Name of the chain.
        chain: String,
        /// Version and name.
        migration: String,
        /// Its version, or its name where it is repeatable, as it stands in a policy.
        key: crate::model::Key,
        /// Its manifest.
        file: String,
        /// What is too much; at least one.
        excesses: Vec<Excess>,
    },
    /// The database does not have what a transform reads or writes.
    #[cfg(feature = "wasm")]
    #[error("the transform of migration {migration} does not fit the database: {} ({})", list(problems), Shown(file))]
    Transform {
        /// Version and name.
        migration: String,
        /// Its manifest.
        file: String,
        /// Everything that does not fit.
        problems: Vec<crate::transform::LayoutProblem>,
    },
    /// The database cannot be looked at.
    #[cfg(feature = "wasm")]
    #[error("cannot look at the tables of migration {migration}")]
    Look {
        /// Version and name.
        migration: String,
        /// What it said.
        #[source]
        source: crate::db::DbError,
    },
    /// The manifest says that the component is a transform, and it is none; or the other way round.
    #[cfg(feature = "wasm")]
    #[error("the component of migration {migration} {is}, and its manifest {says} ({})", Shown(file))]
    OtherWorld {
        /// Version and name.
        migration: String,
        /// Its file.
        file: String,
        /// What the component is.
        is: &'static str,
        /// What the manifest takes it for.
        says: &'static str,
    },
    /// A script cannot be run, or there is no engine for it.
    #[cfg(feature = "wasm")]
    #[error("migration {migration} cannot be loaded ({})", Shown(file))]
    Script {
        /// Version and name.
        migration: String,
        /// Its file.
        file: String,
        /// Why.
        #[source]
        source: Box<super::scripts::ScriptPrepareError>,
    },
    /// A library of functions cannot be used.
    #[cfg(feature = "wasm")]
    #[error("the functions of {library}, which migration {migration} calls, cannot be used ({})", Shown(file))]
    Functions {
        /// What migrations call it.
        library: String,
        /// Version and name of the first migration that does.
        migration: String,
        /// Its file.
        file: String,
        /// Why.
        #[source]
        source: crate::wasm::PluginError,
    },
    /// Two functions of one name, or one that has the name of one of SQLite's own.
    #[error("migration {migration} would call a function {function} that is not the only one: {reason}")]
    FunctionName {
        /// Version and name.
        migration: String,
        /// The function.
        function: String,
        /// What else is called so.
        reason: String,
    },
    /// A component is to be reverted and has no `down`.
    #[error("migration {migration} cannot be reverted: its code exports no down ({})", Shown(file))]
    Irreversible {
        /// Version and name.
        migration: String,
        /// Its file.
        file: String,
    },
    /// Migrations ask for more than the policy gives them.
    #[error("{}", not_granted(refused))]
    NotGranted {
        /// Each of them, with what it is refused.
        refused: Vec<AskedTooMuch>,
    },
    /// What a script does outside a transaction could not be undone when it goes beyond its grants.
    #[error("migration {migration} is held to grants and may not run outside a transaction ({})", Shown(file))]
    HeldOutsideTransaction {
        /// Version and name.
        migration: String,
        /// Its file.
        file: String,
    },
    /// Without foreign keys it would do to other tables what it is not granted, and leave rows without parents.
    #[error(
        "migration {migration} is held to grants and may not rebuild tables with foreign keys off ({})",
        Shown(file)
    )]
    HeldRebuild {
        /// Version and name.
        migration: String,
        /// Its file.
        file: String,
    },
    /// Everything is to run in one transaction, and this step commits on its own.
    #[error("migration {migration} {why}, so it cannot be part of one transaction with others ({})", Shown(file))]
    NotInOneTransaction {
        /// Version and name.
        migration: String,
        /// Its file.
        file: String,
        /// What it does.
        why: &'static str,
    },
    /// More than one migration cannot be loaded.
    #[error("{} migrations cannot be loaded: {}", errors.len(), each(errors))]
    Several {
        /// Why each of them cannot.
        errors: Vec<PrepareError>,
    },
    /// This build runs no components.
    #[error("migration {migration} is a component, and this build of whimbrel runs none ({})", Shown(file))]
    NoWasm {
        /// Version and name.
        migration: String,
        /// Its file.
        file: String,
    },
}

impl PrepareError {
    /// Names the migration that it is about, by version and name, if it is one.
    pub fn migration(&self) -> Option<&str> {
        match self {
            #[cfg(feature = "wasm")]
            Self::Component { migration, .. }
            | Self::Transform { migration, .. }
            | Self::Look { migration, .. }
            | Self::OtherWorld { migration, .. }
            | Self::Script { migration, .. }
            | Self::Functions { migration, .. } => Some(migration),
            Self::Limits { migration, .. }
            | Self::FunctionName { migration, .. }
            | Self::Irreversible { migration, .. }
            | Self::HeldOutsideTransaction { migration, .. }
            | Self::HeldRebuild { migration, .. }
            | Self::NotInOneTransaction { migration, .. }
            | Self::NoWasm { migration, .. } => Some(migration),
            Self::NotGranted { .. } | Self::Several { .. } => None,
        }
    }

    /// Tells whether something was stopped from outside, and nothing is wrong otherwise.
    pub fn is_interruption(&self) -> bool {
        match self {
            #[cfg(feature = "wasm")]
            Self::Component { source: crate::wasm::CompileError::Interrupted, .. } => true,
            #[cfg(feature = "wasm")]
            Self::Functions { source: crate::wasm::PluginError::Interrupted, .. } => true,
            #[cfg(feature = "wasm")]
            Self::Script { source, .. } => source.is_interruption(),
            #[cfg(feature = "wasm")]
            Self::Look { source, .. } => source.code == crate::db::ErrorCode::Interrupted,
            _ => false,
        }
    }
}

#[cfg(feature = "wasm")]
fn list(problems: &[crate::transform::LayoutProblem]) -> String {
    problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; ")
}

/// Tells each with its causes, which are nobody's `source`.
fn each(errors: &[PrepareError]) -> String {
    let told = |error: &PrepareError| {
        let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    };
    errors.iter().map(told).collect::<Vec<_>>().join("; ")
}

fn not_granted(refused: &[AskedTooMuch]) -> String {
    let one = |one: &AskedTooMuch| {
        let grants: Vec<String> = one.refused.iter().map(ToString::to_string).collect();
        let grants = joined(&grants, ", ");
        format!("migration {} asks for more than it is given: {grants} ({})", one.migration, Shown(&one.file))
    };
    refused.iter().map(one).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grants::{Grant, TableGrant, Verb};

    #[test]
    fn says_all_that_is_refused_and_why() {
        let asked = |version: u64, tables: &[&str]| AskedTooMuch {
            chain: "main".to_owned(),
            migration: format!("{version} m"),
            key: crate::model::Key::Version(version.into()),
            file: format!("m/{version}_m.toml"),
            refused: tables.iter().map(|table| Grant::On(Verb::Read, TableGrant::whole(*table))).collect(),
            never: Vec::new(),
            hosts_own: Vec::new(),
        };
        let error = PrepareError::NotGranted { refused: vec![asked(1, &["a", "b"]), asked(2, &["c"])] };
        assert_eq!(
            error.to_string(),
            "migration 1 m asks for more than it is given: read = [\"a\"], read = [\"b\"] (m/1_m.toml); \
             migration 2 m asks for more than it is given: read = [\"c\"] (m/2_m.toml)"
        );
    }

    #[cfg(feature = "wasm")]
    #[test]
    fn says_of_each_migration_why_it_cannot_be_loaded() {
        let broken = |migration: &str| PrepareError::Look {
            migration: migration.to_owned(),
            source: crate::db::DbError::new(crate::db::ErrorCode::Database, "the moon"),
        };
        let error = PrepareError::Several { errors: vec![broken("1 a"), broken("2 b")] };
        assert_eq!(
            error.to_string(),
            "2 migrations cannot be loaded: cannot look at the tables of migration 1 a: the moon; \
             cannot look at the tables of migration 2 b: the moon"
        );
    }
}
