//! Does the work of one step inside whatever transaction is open. Begins and commits nothing.

use std::sync::Arc;

use super::event::{Event, LogLevel};
use super::prepare::PreparedStep;
use super::report::StepError;
use super::run::Conditions;
use crate::db::{ErrorCode, Session, Transaction};
use crate::model::{Body, RustMigration, Script, TransactionMode};
use crate::plan::Direction;

/// What the work used, beyond what the session counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Work {
    pub(super) fuel: Option<u64>,
}

/// Runs the body. The session goes in and comes back, because a component's store owns it meanwhile.
pub(super) fn work(
    session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
) -> (Box<dyn Session>, Result<Work, StepError>) {
    match &step.step.migration.body {
        Body::Sql { .. } => {
            let mut session = session;
            let result = step.step.script().map_or(Ok(()), |script| run_script(session.as_mut(), script));
            (session, result.map(|()| Work::default()))
        }
        Body::Rust(code) => {
            let mut session = session;
            let result = run_rust(session.as_mut(), code.as_ref(), step.step.direction);
            (session, result.map(|()| Work::default()))
        }
        Body::Component { .. } => run_component(session, step, conditions),
    }
}

fn run_script(session: &mut dyn Session, script: &Script) -> Result<(), StepError> {
    session.execute_script(&script.text).map_err(|failed| match failed.error.code {
        ErrorCode::Interrupted => StepError::Interrupted,
        _ => StepError::Statement {
            script: script.clone(),
            failed: Box::new(failed),
            kept: script.directives.transaction == TransactionMode::None,
        },
    })
}

fn run_rust(session: &mut dyn Session, code: &dyn RustMigration, direction: Direction) -> Result<(), StepError> {
    let mut transaction = Transaction::new(session);
    match direction {
        Direction::Up => code.up(&mut transaction),
        Direction::Down => code.down(&mut transaction),
    }
    .map_err(|source| StepError::Rust { source })
}

/// Passes what a guest says on to the log and the observer.
#[cfg(feature = "wasm")]
struct Voice {
    step: crate::plan::Step,
    observer: Arc<dyn super::event::Observer>,
}

#[cfg(feature = "wasm")]
impl crate::wasm::GuestEvents for Voice {
    fn log(&self, level: crate::wasm::LogLevel, message: &str) {
        use crate::wasm::LogLevel as Guest;
        let (migration, name) = (self.step.migration.version, self.step.migration.name.as_str());
        // A macro, because the level is part of tracing's static call site.
        macro_rules! trace {
            ($level:ident, $macro:ident) => {{
                tracing::$macro!(target: "whimbrel::guest", version = %migration, name, "{message}");
                LogLevel::$level
            }};
        }
        let level = match level {
            Guest::Trace => trace!(Trace, trace),
            Guest::Debug => trace!(Debug, debug),
            Guest::Info => trace!(Info, info),
            Guest::Warn => trace!(Warn, warn),
            Guest::Error => trace!(Error, error),
        };
        self.observer.event(&Event::Log { step: &self.step, level, message });
    }

    fn progress(&self, done: u64, total: Option<u64>) {
        self.observer.event(&Event::Progress { step: &self.step, done, total });
    }
}

#[cfg(feature = "wasm")]
fn run_component(
    mut session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
) -> (Box<dyn Session>, Result<Work, StepError>) {
    use crate::wasm::{Call, PluginError, RunLimits};

    let plugin = step.plugin.as_ref().expect("prepare compiled every component of the plan");
    let migration = &step.step.migration;
    let limits = migration.manifest.as_ref().map(|manifest| &manifest.limits);
    let params = migration.manifest.as_ref().map(|manifest| &manifest.params);
    let call = Call {
        export: step.step.direction.as_str(),
        chain: conditions.chain.name(),
        version: migration.version.to_string(),
        name: &migration.name,
        dry_run: conditions.dry_run,
        started_at: u64::try_from(conditions.started_at.as_millisecond()).unwrap_or(0),
        params: params.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect(),
        limits: limits.map_or(RunLimits::default(), |asked| RunLimits::default().with(asked)),
        interrupt: conditions.interrupt.clone(),
        events: Arc::new(Voice { step: step.step.clone(), observer: Arc::clone(conditions.observer) }),
    };
    let restriction = crate::grants::Restriction { protected: conditions.history.tables() };
    session.restrict(Some(Arc::new(restriction)));
    let (mut session, result) = plugin.call(session, &call);
    session.restrict(None);
    let result = match result {
        Ok(output) => Ok(Work { fuel: Some(output.fuel) }),
        Err(PluginError::Interrupted) => Err(StepError::Interrupted),
        Err(error) => Err(StepError::Guest(Box::new(error))),
    };
    (session, result)
}

#[cfg(not(feature = "wasm"))]
fn run_component(
    _: Box<dyn Session>,
    _: &PreparedStep,
    _: &Conditions<'_>,
) -> (Box<dyn Session>, Result<Work, StepError>) {
    unreachable!("prepare refuses components in a build without them")
}
