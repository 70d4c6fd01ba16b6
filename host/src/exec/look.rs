//! Looks at the bytes of components before any is compiled: whether they are one that this host runs, of the world that
//! they are taken for, and with exports of the contract's types. Changes nothing.

use super::prepare::PrepareError;
use crate::limits::{Limit, RunLimits};
use crate::model::Body;
use crate::plan::{Direction, Step};
use crate::wasm::{CompileError, Inspection, check_exports, inspect_binary};

/// How closely is looked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Closely {
    /// At what is imported and exported by name: the rest is found when it is compiled, at once.
    Names,
    /// At the types of the exports, too, for who compiles nothing.
    Types,
}

/// Finds what is wrong with the bytes of the components among some steps, each with its limits.
pub(super) fn look<'a>(steps: impl Iterator<Item = (&'a Step, RunLimits)>, closely: Closely) -> Vec<PrepareError> {
    steps.filter_map(|(step, limits)| one(step, &limits, closely).err()).collect()
}

fn one(step: &Step, limits: &RunLimits, closely: Closely) -> Result<(), PrepareError> {
    let (Body::Component { bytes } | Body::Transform { bytes, .. }) = &step.migration.body else { return Ok(()) };
    let look = || -> Result<Inspection, CompileError> {
        limits.check(Limit::ComponentSize, bytes.len() as u64)?;
        let found = inspect_binary(bytes)?;
        found.check()?;
        Ok(found)
    };
    let failed =
        |source| PrepareError::Component { migration: step.title(), file: step.migration.file.clone(), source };
    let found = look().map_err(failed)?;
    fits(step, &found)?;
    match closely {
        Closely::Names => Ok(()),
        Closely::Types => check_exports(bytes, &found).map_err(failed),
    }
}

/// Refuses a component of another world than its step needs.
fn fits(step: &Step, found: &Inspection) -> Result<(), PrepareError> {
    let (migration, file) = (step.title(), step.migration.file.clone());
    let for_a_transform = "has a `[transform]`";
    let for_a_migration = "takes it for a migration";
    let other = match (&step.migration.body, found.world()) {
        (Body::Transform { .. }, Some("functions")) => Some(("is a library of functions", for_a_transform)),
        (Body::Transform { .. }, Some("script-engine")) => Some(("is a script engine", for_a_transform)),
        (Body::Transform { .. }, _) if !found.is_transform() => Some(("exports no apply", for_a_transform)),
        (Body::Transform { spec, .. }, _) if spec.down.is_some() && !found.is_reversible() => {
            Some(("exports no revert", "has a `[transform.down]`"))
        }
        (Body::Component { .. }, Some("functions")) => Some(("is a library of functions", for_a_migration)),
        (Body::Component { .. }, Some("script-engine")) => Some(("is a script engine", for_a_migration)),
        (Body::Component { .. }, _) if found.is_transform() => Some(("is a transform", "has no `[transform]`")),
        _ => None,
    };
    match other {
        Some((is, says)) => Err(PrepareError::OtherWorld { migration, file, is, says }),
        None if step.direction == Direction::Down && !found.is_reversible() => {
            Err(PrepareError::Irreversible { migration, file })
        }
        None => Ok(()),
    }
}
