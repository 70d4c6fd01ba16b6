//! Decides, before anything has changed, what each step's statements are held to.

use super::prepare::PrepareError;
use crate::grants::{Grant, Grants, Restriction};
use crate::history::History;
use crate::model::{Body, Manifest, Policy, TransactionMode, Version};
use crate::plan::{Plan, Step};

/// What a step's statements are held to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Hold {
    /// Nothing: it is the operator's own SQL, or a part of the program.
    Free,
    /// The rules for guests, and these grants if there are any in particular.
    To(Option<Box<Grants>>),
}

impl Hold {
    /// Returns the functions that are granted by name.
    #[cfg(feature = "wasm")]
    pub(super) fn functions(&self) -> &[String] {
        match self {
            Self::To(Some(grants)) => &grants.functions,
            Self::Free | Self::To(None) => &[],
        }
    }

    /// Returns the rules for a session; `None` when there are none.
    pub(super) fn restriction(&self, history: &History) -> Option<Restriction> {
        match self {
            Self::Free => None,
            Self::To(grants) => Some(Restriction { protected: history.tables(), grants: grants.as_deref().cloned() }),
        }
    }
}

/// A migration that asks for more than it is given.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AskedTooMuch {
    /// Version and name.
    pub migration: String,
    /// Its version.
    pub version: Version,
    /// Its manifest.
    pub file: String,
    /// What it asks for beyond what it is given.
    pub refused: Vec<Grant>,
    /// What of that no policy can give it.
    pub never: Vec<Grant>,
}

/// Decides for each step of a plan; everything that is refused to any of them is in the error.
pub(super) fn hold(plan: &Plan, policy: &Policy) -> Result<Vec<Hold>, PrepareError> {
    let mut refused = Vec::new();
    let mut holds = Vec::new();
    for step in &plan.steps {
        match one(step, policy)? {
            Ok(hold) => holds.push(hold),
            Err(grants) => refused.push(too_much(step, policy, grants)),
        }
    }
    if refused.is_empty() { Ok(holds) } else { Err(PrepareError::NotGranted { chain: plan.chain.clone(), refused }) }
}

fn one(step: &Step, policy: &Policy) -> Result<Result<Hold, Vec<Grant>>, PrepareError> {
    let migration = &step.migration;
    let asked = migration.manifest.as_ref().and_then(|manifest| manifest.grants.as_ref());
    let effective = || policy.effective(migration.version, asked).map(|grants| Hold::To(grants.map(Box::new)));
    Ok(match &migration.body {
        // The host writes for a transform, and what the owner's own triggers do then is no concern of the component.
        Body::Transform { .. } if !policy.is_untrusted() => effective().map(|_| Hold::To(None)),
        Body::Component { .. } | Body::Transform { .. } => effective(),
        // An owner's scripts are held to grants only where their manifest wants it.
        Body::Sql { .. } if policy.is_untrusted() || asked.is_some() => {
            if step.script().is_some_and(|script| script.directives.transaction == TransactionMode::None) {
                let (migration, file) = (migration.title(), migration.file.clone());
                return Err(PrepareError::HeldOutsideTransaction { migration, file });
            }
            effective()
        }
        Body::Sql { .. } | Body::Rust(_) => Ok(Hold::Free),
    })
}

fn too_much(step: &Step, policy: &Policy, refused: Vec<Grant>) -> AskedTooMuch {
    let migration = &step.migration;
    let file = |manifest: &Manifest| manifest.file.clone();
    AskedTooMuch {
        migration: migration.title(),
        version: migration.version,
        file: migration.manifest.as_ref().map_or_else(|| migration.file.clone(), file),
        never: policy.never(&refused),
        refused,
    }
}

impl AskedTooMuch {
    /// Writes the part of `whimbrel.toml` that would give it; `None` when there is nothing that can be given.
    pub fn policy(&self, chain: &str) -> Option<String> {
        let givable = self.refused.iter().filter(|grant| !self.never.contains(grant));
        let grants = Grants::collect(givable);
        (!grants.is_empty()).then(|| Policy::snippet(chain, self.version, &grants))
    }
}
