//! Pieces of JSON that several verbs share. The shapes are public: `host/docs/json.md` describes them.

use serde::Serialize;
use whimbrel::model::{Reversibility, Role, TransactionMode, Version};
use whimbrel::plan::Step;
use whimbrel::source::Ignored;

use crate::place::Place;

/// Names the schema of a verb's output.
pub(crate) fn schema(verb: &str) -> String {
    format!("whimbrel/{verb}/1")
}

/// A place in a file; a file that is known without one; or nothing, which is `null` everywhere.
#[derive(Default, Serialize)]
pub(crate) struct PlaceJson {
    file: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
}

/// Writes a place as JSON.
pub(crate) fn place_json(place: &Place) -> PlaceJson {
    PlaceJson {
        file: Some(place.file.clone()),
        line: place.position.map(|(line, _)| line),
        column: place.position.map(|(_, column)| column),
    }
}

/// Writes a file as a place as JSON.
pub(crate) fn file_json(file: Option<String>) -> PlaceJson {
    PlaceJson { file, ..PlaceJson::default() }
}

/// Returns the only chain there is; nothing if there are several.
pub(crate) fn only(chains: &[String]) -> Option<String> {
    match chains {
        [only] => Some(only.clone()),
        _ => None,
    }
}

/// Returns a version; nothing for a repeatable migration, which has none.
pub(crate) fn version(role: Role, version: Version) -> Option<String> {
    (role != Role::Repeatable).then(|| version.to_string())
}

/// Names when a migration runs.
pub(crate) fn role(role: Role) -> &'static str {
    match role {
        Role::Versioned => "versioned",
        Role::Baseline => "baseline",
        Role::Repeatable => "repeatable",
    }
}

/// A file that is no migration.
#[derive(Serialize)]
pub(crate) struct IgnoredJson {
    file: String,
    reason: String,
}

/// Writes ignored files as JSON.
pub(crate) fn ignored(ignored: &[Ignored]) -> Vec<IgnoredJson> {
    let one = |ignored: &Ignored| IgnoredJson { file: ignored.file.clone(), reason: ignored.reason.clone() };
    ignored.iter().map(one).collect()
}

/// One migration in one direction. Versions are texts, since they can be larger than JavaScript's numbers.
#[derive(Serialize)]
pub(crate) struct StepJson {
    direction: &'static str,
    chain: String,
    version: Option<String>,
    name: String,
    /// `versioned`, `baseline` or `repeatable`.
    role: &'static str,
    kind: &'static str,
    file: String,
    description: Option<String>,
    /// Whether it runs in a transaction.
    transaction: bool,
    rebuild: bool,
    reversible: Option<bool>,
}

/// Writes a step as JSON.
pub(crate) fn step(step: &Step) -> StepJson {
    let migration = &step.migration;
    let directives = step.script().map(|script| &script.directives);
    StepJson {
        direction: step.direction.as_str(),
        chain: step.chain.to_string(),
        version: version(migration.role(), migration.version),
        name: migration.name.clone(),
        role: role(migration.role()),
        kind: migration.kind().as_str(),
        file: step.script().map_or(&migration.file, |script| &script.file).clone(),
        description: migration.description().map(str::to_owned),
        transaction: directives.is_none_or(|directives| directives.transaction == TransactionMode::Normal),
        rebuild: directives.is_some_and(|directives| directives.rebuild),
        reversible: reversible(migration.reversibility()),
    }
}

/// Writes whether a migration can be reverted; null where only the component knows.
pub(crate) fn reversible(reversibility: Reversibility) -> Option<bool> {
    match reversibility {
        Reversibility::Reversible => Some(true),
        Reversibility::Irreversible => Some(false),
        Reversibility::Unknown => None,
    }
}
