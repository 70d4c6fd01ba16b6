//! What the history has kept of a migration, so that it can be reverted as it was applied.

use std::sync::Arc;

use super::{Body, Migration, Script, TransactionMode};
use crate::sql;

/// What the history has kept of a migration.
#[derive(Clone, Debug)]
pub enum Kept {
    /// All that is needed to revert it.
    Migration(Arc<Migration>),
    /// Something that cannot be used, and why.
    Unusable(String),
}

/// What is to be known beside the bytes to run them: what the layout of the files said, and not the files themselves.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct KeptForm {
    /// The script that reverts runs outside any transaction.
    pub outside: bool,
    /// Foreign keys are off while it runs.
    pub rebuild: bool,
    /// The tool whose layout it had has foreign keys off.
    pub keys_off: bool,
    /// Whether values are put into it; `None` when the settings decide.
    pub values: Option<bool>,
    /// It asks for the environment.
    pub environment: bool,
    /// Where a script in the language of some engine lay in its folder.
    pub path: Option<String>,
}

impl KeptForm {
    /// Finds what the bytes of a migration do not say themselves.
    pub fn of(migration: &Migration) -> Self {
        match &migration.body {
            Body::Sql { down: Some(down), .. } => Self::of_script(down),
            Body::Script { files, .. } => Self { path: Some(files.main.path.clone()), ..Self::default() },
            Body::Sql { down: None, .. } | Body::Component { .. } | Body::Transform { .. } | Body::Rust(_) => {
                Self::default()
            }
        }
    }

    fn of_script(script: &Script) -> Self {
        let says_itself = sql::directives(&script.text).unwrap_or_default();
        let (own, substitution) = (&script.directives, &script.substitution);
        let none = TransactionMode::None;
        Self {
            outside: own.transaction == none && says_itself.transaction != none,
            rebuild: own.rebuild && !says_itself.rebuild,
            keys_off: own.keys_off,
            values: substitution.wanted.or(substitution.usual.then_some(true)),
            environment: !substitution.environment.is_empty(),
            path: None,
        }
    }
}
