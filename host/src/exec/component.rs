//! Calls what the code of a step exports: `up`, `down`, `verify`.

use std::sync::Arc;

use super::hold::ambient;
use super::prepare::PreparedStep;
use super::report::StepError;
use super::run::Conditions;
use super::voice::Voice;
use super::work::Work;
use crate::db::Session;
use crate::grants::Restriction;
use crate::wasm::{Call, PluginError};

/// What code exports that says itself whether it did what it should.
pub(super) const VERIFY: &str = "verify";

/// Calls the component's export for the step's direction, with the session restricted.
pub(super) fn run_component(
    session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
) -> (Box<dyn Session>, Result<Work, StepError>) {
    let rules = step.hold.restriction(conditions.history);
    let (session, called) = call(session, step, conditions, step.step.direction.as_str(), rules);
    (session, called.map(|fuel| Work { fuel: Some(fuel), ..Work::default() }))
}

/// Calls the `verify` of a step's code, if it has one, with the session reading only; returns the fuel that it burnt.
pub(super) fn verify_code(
    session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
) -> (Box<dyn Session>, Result<Option<u64>, StepError>) {
    if !step.is_verified {
        return (session, Ok(None));
    }
    let (session, called) = call(session, step, conditions, VERIFY, Some(step.hold.reading_itself(conditions.history)));
    let result = called.map(Some).map_err(|error| match error {
        StepError::Guest(source) => StepError::Verify { source },
        other => other,
    });
    (session, result)
}

/// Calls an export of a step's code, with the session held to these rules; returns the fuel that it burnt.
fn call(
    mut session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    export: &'static str,
    rules: Option<Restriction>,
) -> (Box<dyn Session>, Result<u64, StepError>) {
    let plugin = step.plugin.as_ref().expect("prepare compiled every component of the plan");
    let migration = &step.step.migration;
    let params = migration.manifest.as_ref().map(|manifest| &manifest.params);
    let call = Call {
        export,
        chain: &step.step.chain,
        version: migration.version.to_string(),
        name: &migration.name,
        dry_run: conditions.is_for_nothing() && !step.is_strangers,
        started_at: u64::try_from(conditions.started_at.as_millisecond()).unwrap_or(0),
        params: params.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect(),
        limits: step.limits,
        seed: seed(step),
        script: migration.body.script().map(AsRef::as_ref),
        interrupt: conditions.interrupt.clone(),
        events: Arc::new(Voice { step: step.step.clone(), observer: Arc::clone(conditions.observer) }),
    };
    let ambient = ambient(step, call.started_at, call.seed);
    if let Err(error) = session.set_ambient(Some(ambient)) {
        return (session, Err(StepError::doing("hide the clock from the migration")(error)));
    }
    session.restrict(rules.map(Arc::new));
    let (mut session, result) = plugin.call(session, &call);
    session.restrict(None);
    let shown = session.set_ambient(None).map_err(StepError::doing("show the clock again"));
    let result = result.map(|output| output.fuel).map_err(|error| match error {
        PluginError::Interrupted => StepError::Interrupted,
        error => StepError::Guest(Box::new(error)),
    });
    (session, result.and_then(|fuel| shown.map(|()| fuel)))
}

/// Returns what stands for chance in a step: it depends on the bytes of the migration's code alone, so that a later
/// engine gives a script the same.
pub(super) fn seed(step: &PreparedStep) -> u64 {
    match step.step.migration.body.script() {
        Some(script) => script.checksum().seed(),
        None => step.plugin.as_ref().map_or(0, |plugin| plugin.inspection().checksum.seed()),
    }
}
