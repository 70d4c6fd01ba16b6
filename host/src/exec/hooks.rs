//! Runs what the owner has run at the moments of a run, each hook in the transaction that its moment says.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::event::Event;
use super::foreign_keys::commit;
use super::prepare::{Prepared, PreparedStep};
use super::report::{HookFailure, Report, RunError, StepError, StepOutcome, StepReport};
use super::run::Conditions;
use super::rust::run_rust;
use super::scope::Scope;
use super::work::work;
use crate::db::{Session, Transaction};
use crate::interrupt::Interrupt;
use crate::model::{Hook, HookContext, Moment};
use crate::plan::Step;

/// How long the hooks of a run that was stopped may take, all together: less than whoever stops it mostly waits.
const GRACE: Duration = Duration::from_secs(3);

/// A hook that can be run.
pub(super) struct PreparedHook {
    pub(super) hook: Arc<Hook>,
    /// Its body as a step that is in no chain.
    pub(super) step: PreparedStep,
}

impl Prepared {
    fn hooks(&self, moment: Moment) -> impl Iterator<Item = &PreparedHook> {
        self.hooks.iter().map(AsRef::as_ref).filter(move |hook| hook.hook.moment == moment)
    }

    /// Returns the step that stands for a run in messages: the first one, or that of a hook where nothing is to be done.
    pub(super) fn first_step(&self) -> Option<&Step> {
        let hook = || self.hooks.first().map(|hook| &hook.step.step);
        self.steps.first().map(|step| &step.step).or_else(hook)
    }
}

/// Runs the hooks of a step inside its transaction, before its work or after it.
pub(super) fn of_step(
    session: Box<dyn Session>,
    moment: Moment,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
) -> (Box<dyn Session>, Result<(), StepError>) {
    let mut session = session;
    for hook in step.hooks.iter().filter(|hook| hook.hook.moment == moment) {
        let about = HookContext::new(moment, conditions.is_for_nothing());
        let about = about.about(&step.step.chain, &step.step.migration, step.step.direction);
        let (returned, result) = run(session, hook, conditions, &about, Some(&step.step));
        session = returned;
        if result.is_err() {
            return (session, result);
        }
    }
    (session, Ok(()))
}

/// Runs a step that commits on its own, with its hooks in transactions of their own before and after it.
pub(super) fn around(
    session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    body: impl FnOnce(Box<dyn Session>) -> (Box<dyn Session>, Result<StepReport, StepError>),
) -> (Box<dyn Session>, Result<StepReport, StepError>) {
    let (session, before) = alone(session, step, Moment::BeforeEach, conditions);
    if let Err(error) = before {
        return (session, Err(error));
    }
    let (session, done) = body(session);
    match done {
        Ok(report) if report.outcome == StepOutcome::Done => {
            let (session, after) = alone(session, step, Moment::AfterEach, conditions);
            (session, after.map(|()| report).map_err(StepError::after_the_commit))
        }
        done => (session, done),
    }
}

fn alone(
    mut session: Box<dyn Session>,
    step: &PreparedStep,
    moment: Moment,
    conditions: &Conditions<'_>,
) -> (Box<dyn Session>, Result<(), StepError>) {
    if !step.hooks.iter().any(|hook| hook.hook.moment == moment) {
        return (session, Ok(()));
    }
    if let Err(error) = session.begin().map_err(StepError::doing("begin a transaction")) {
        return (session, Err(error));
    }
    let (mut session, result) = of_step(session, moment, step, conditions);
    let result = result.and_then(|()| commit(session.as_mut()));
    undo(session.as_mut());
    (session, result)
}

/// Runs the hooks that come before the first step or after the last one, inside a transaction that is open, or each in
/// one of its own.
pub(super) fn of_run(
    session: Box<dyn Session>,
    moment: Moment,
    prepared: &Prepared,
    conditions: &Conditions<'_>,
) -> (Box<dyn Session>, Result<(), StepError>) {
    let mut session = session;
    let inside = session.in_transaction();
    for hook in prepared.hooks(moment) {
        let about = HookContext::new(moment, conditions.is_for_nothing());
        let (returned, result) = if inside {
            run(session, hook, conditions, &about, None)
        } else {
            in_its_own(session, hook, conditions, &about)
        };
        session = returned;
        if result.is_err() {
            return (session, result);
        }
    }
    (session, Ok(()))
}

/// Runs the steps of a run between the hooks before and after them; when it fails, the hooks for that.
///
/// The transaction of a run that has one only is closed before: it has come to nothing.
pub(super) fn between(
    session: Box<dyn Session>,
    prepared: &Prepared,
    conditions: &Conditions<'_>,
    steps: impl FnOnce(Box<dyn Session>) -> (Box<dyn Session>, Result<Report, Box<RunError>>),
) -> (Box<dyn Session>, Result<Report, Box<RunError>>) {
    let began = Instant::now();
    let mut session = session;
    let scope = match Scope::of_hooks(session.as_mut(), prepared) {
        Ok(scope) => scope,
        Err(source) => return (session, Err(stopped(prepared, Report::default(), source))),
    };
    let (session, before) = of_run(session, Moment::BeforeAll, prepared, conditions);
    let (session, result) = match before {
        Ok(()) => steps(session),
        Err(source) => {
            let done = Report { warnings: prepared.plan.warnings.clone(), ..Report::default() };
            (session, Err(stopped(prepared, done, source)))
        }
    };
    let (session, result) = match result {
        Ok(report) => {
            let (session, after) = of_run(session, Moment::AfterAll, prepared, conditions);
            let report = Report { duration: began.elapsed(), ..report };
            match after {
                Ok(()) => (session, Ok(report)),
                Err(source) => (session, Err(stopped(prepared, report, source))),
            }
        }
        error => (session, error),
    };
    let (mut session, result) = on_error(session, prepared, conditions, result);
    scope.end(session.as_mut());
    (session, result)
}

/// Makes the error of a hook that came before the first step or after the last one.
pub(super) fn stopped(prepared: &Prepared, done: Report, source: StepError) -> Box<RunError> {
    let failed = match &source {
        StepError::Hook { hook, .. } => Step::of_hook(hook),
        _ => prepared.first_step().expect("a hook has failed, so there is one").clone(),
    };
    Box::new(RunError { done, failed, source, on_error: Vec::new() })
}

/// Runs the hooks for a run that has failed; what they fail with is told beside the first error.
pub(super) fn on_error(
    session: Box<dyn Session>,
    prepared: &Prepared,
    conditions: &Conditions<'_>,
    result: Result<Report, Box<RunError>>,
) -> (Box<dyn Session>, Result<Report, Box<RunError>>) {
    let mut error = match result {
        Err(error) if prepared.hooks(Moment::OnError).next().is_some() => error,
        result => return (session, result),
    };
    let mut session = session;
    // Also after an interrupt: who has begun something in another hook ends it here, in the time there is for that.
    let bounded = match conditions.interrupt.is_raised() {
        true => Interrupt::new().within(GRACE),
        false => Interrupt::new(),
    };
    let conditions = Conditions { interrupt: &bounded, ..*conditions };
    session.hold_interrupt_until(Instant::now() + GRACE);
    let mut failures = Vec::new();
    for hook in prepared.hooks(Moment::OnError) {
        let step = &error.failed;
        let is_concerned = !step.chain.is_empty() && hook.hook.concerns(&step.chain, step.direction);
        if !is_concerned && hook.hook.chain.is_some() {
            continue;
        }
        let mut about = HookContext::new(Moment::OnError, conditions.is_for_nothing());
        about.error = Some(&error.source);
        if !matches!(&error.source, StepError::Hook { hook, .. } if !hook.moment.is_each()) {
            about = about.about(&step.chain, &step.migration, step.direction);
        }
        let (returned, result) = in_its_own(session, hook, &conditions, &about);
        session = returned;
        if let Err(source) = result {
            failures.push(HookFailure { hook: Arc::clone(&hook.hook), source });
        }
    }
    session.hold_interrupt(false);
    error.on_error = failures;
    (session, Err(error))
}

/// Runs a hook in a transaction of its own, which a dry run rolls back.
fn in_its_own(
    mut session: Box<dyn Session>,
    hook: &PreparedHook,
    conditions: &Conditions<'_>,
    about: &HookContext<'_>,
) -> (Box<dyn Session>, Result<(), StepError>) {
    if let Err(error) = session.begin().map_err(StepError::doing("begin a transaction")) {
        return (session, Err(error.of_hook(&hook.hook)));
    }
    let (mut session, result) = run(session, hook, conditions, about, None);
    let result = result.and_then(|()| match conditions.dry_run {
        true => Ok(()),
        false => commit(session.as_mut()).map_err(|error| error.of_hook(&hook.hook)),
    });
    undo(session.as_mut());
    (session, result)
}

/// Runs a hook inside the transaction that is open.
fn run(
    session: Box<dyn Session>,
    hook: &PreparedHook,
    conditions: &Conditions<'_>,
    about: &HookContext<'_>,
    step: Option<&Step>,
) -> (Box<dyn Session>, Result<(), StepError>) {
    let began = Instant::now();
    let (mut session, result) = match &hook.hook.code {
        _ if conditions.interrupt.is_raised() => (session, Err(StepError::Interrupted)),
        Some(code) => {
            let mut session = session;
            let call = |transaction: &mut Transaction<'_>| code.call(transaction, about);
            let called = run_rust(session.as_mut(), &hook.step.step, conditions, call);
            (session, called)
        }
        None => {
            let (session, worked) = work(session, &hook.step, conditions);
            (session, worked.map(drop))
        }
    };
    let result = result.and_then(|()| match () {
        () if conditions.interrupt.is_raised() => Err(StepError::Interrupted),
        () if !session.in_transaction() => Err(StepError::TransactionEnded),
        () => Ok(()),
    });
    session.close_handles();
    if result.is_ok() {
        let (hook, duration) = (hook.hook.as_ref(), began.elapsed());
        conditions.observer.event(&Event::HookFinished { hook, step, duration });
    }
    (session, result.map_err(|error| error.of_hook(&hook.hook)))
}

fn undo(session: &mut dyn Session) {
    if let Err(error) = session.rollback() {
        tracing::warn!("rollback failed: {error}");
    }
}
