//! Runs a step whose body is a transform.

use std::num::NonZeroU64;
use std::sync::Arc;

use super::component::seed;
use super::event::Event;
use super::hold::{bound, unbound, within_limits};
use super::prepare::{PrepareError, Prepared, PreparedStep};
use super::report::{RowCounts, StepError};
use super::run::Conditions;
use super::voice::Voice;
use super::work::Work;
use crate::code_events::CodeEvents;
use crate::db::{DbError, Session};
use crate::history::{RejectedRow, Standing};
use crate::interrupt::Interrupt;
use crate::limits::RunLimits;
use crate::model::{AppliedState, Body, Chunk, TransformSpec};
use crate::plan::Direction;
use crate::transform::{
    Apply, ApplyError, Checkpoint, Counts, Layout, LayoutProblem, Line, Progress, Reject, Run, TransformError, count,
    last, reject_json, with_runner,
};
use crate::wasm::{NotApplied, PluginError, TransformCall, TransformInstance, Used};
use whimbrel_packed::{CheckedBatch, CheckedColumn};

/// An instance as the pipeline wants it.
pub(super) struct Guest(TransformInstance);

impl Apply for Guest {
    type Error = PluginError;

    fn apply(&mut self, rows: usize, columns: &[&CheckedColumn]) -> Result<CheckedBatch, ApplyError<PluginError>> {
        self.0.apply(rows, columns).map_err(|not| match not {
            NotApplied::Failed { row, message } => ApplyError::Failed { row, message },
            NotApplied::Malformed(reason) => ApplyError::Malformed(reason),
            NotApplied::Stopped(error) => ApplyError::Stopped(error),
        })
    }

    fn take_lines(&mut self) -> Vec<Line> {
        self.0.take_lines()
    }

    fn fuel(&self) -> u64 {
        self.0.fuel()
    }
}

/// Holds the transforms that come first in a plan against the schema. What comes after other steps is looked at when
/// these are done: until then its tables may not be there yet.
pub(crate) fn check_transforms(session: &mut dyn Session, prepared: &Prepared) -> Result<(), PrepareError> {
    for step in &prepared.steps {
        let migration = &step.step.migration;
        let Some(spec) = spec(step) else { break };
        if !step.libraries.is_empty() {
            // What it names can be read only with its functions registered, when its step begins.
            continue;
        }
        let found = limited(session, step, |session| find_both(session, spec));
        match found {
            Ok(Ok(_)) => {}
            Ok(Err(problems)) => {
                let file = migration.manifest.as_ref().map_or(&migration.file, |manifest| &manifest.file).clone();
                return Err(PrepareError::Transform { migration: migration.title(), file, problems });
            }
            Err(source) => return Err(PrepareError::Look { migration: migration.title(), source }),
        }
    }
    Ok(())
}

/// Holds a transform and, if it has one, its inverse against the schema.
fn find_both(session: &mut dyn Session, spec: &TransformSpec) -> Result<Result<Layout, Vec<LayoutProblem>>, DbError> {
    let found = fitting(session, spec)?;
    let (Ok(_), Some(down)) = (&found, &spec.down) else { return Ok(found) };
    let of_down = |problem: LayoutProblem| LayoutProblem { message: format!("down: {}", problem.message), ..problem };
    match Layout::find(session, down)? {
        Ok(_) => Ok(found),
        Err(problems) => Ok(Err(problems.into_iter().map(of_down).collect())),
    }
}

/// Returns what a step's transform reads and writes in its direction.
pub(super) fn spec(step: &PreparedStep) -> Option<&TransformSpec> {
    match (&step.step.migration.body, step.step.direction) {
        (Body::Transform { spec, .. }, Direction::Up) => Some(spec),
        (Body::Transform { spec, .. }, Direction::Down) => spec.down.as_deref(),
        (Body::Script { spec, .. }, Direction::Up) => spec.as_deref(),
        (Body::Script { spec, .. }, Direction::Down) => spec.as_deref().and_then(|spec| spec.down.as_deref()),
        (Body::Sql { .. } | Body::Component { .. } | Body::Rust(_), _) => None,
    }
}

/// Transforms all rows in the transaction that is open.
pub(super) fn run_transform(
    mut session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
) -> (Box<dyn Session>, Result<Work, StepError>) {
    let spec = spec(step).expect("the plan reverts only what says how");
    // What a dry run shows is what the transform writes, and not what the host looks up for it.
    session.hold_recording(true);
    let mut result = whole(session.as_mut(), step, spec, conditions);
    if result.is_ok() && step.step.direction == Direction::Down && !conditions.unrecorded {
        // Rows that it kept aside are none of anybody's any more.
        result = result.and_then(|work| forget_aside(session.as_mut(), step, conditions).map(|()| work));
    }
    session.hold_recording(false);
    (session, result)
}

/// Transforms all rows. In a dry run of a transform in chunks, those that are left of it.
fn whole(
    session: &mut dyn Session,
    step: &PreparedStep,
    spec: &TransformSpec,
    conditions: &Conditions<'_>,
) -> Result<Work, StepError> {
    let layout = find_to_run(session, step, spec)?;
    let from = resume(session, step, conditions, &layout)?;
    let call = call(step, &layout, conditions);
    let run = Run {
        layout: &layout,
        on_error: spec.on_error,
        jobs: jobs(step, spec, conditions),
        interrupt: conditions.interrupt,
    };
    hold(session, step, conditions)?;
    let start = |interrupt: &Interrupt| start(step, &call, interrupt);
    // A sample is of rows that are still to be done, and its numbers are its own.
    let sample = conditions.sample.map(NonZeroU64::get).filter(|_| conditions.dry_run);
    let left = from.total.saturating_sub(from.counts.rows);
    let sample = sample.filter(|sample| *sample < left);
    let counts = if sample.is_some() { Counts::default() } else { from.counts };
    let most = sample.or(from.key.is_none().then_some(from.total));
    let done = with_runner(&run, &start, from.key, counts, |runner| {
        runner.check_keys(session)?;
        let voice = voice(step, conditions);
        // Nobody else can add rows meanwhile: what comes after the last row, the transform's own writes have made.
        let end = last(session, &layout).map_err(|source| TransformError::Database {
            doing: "read",
            table: layout.source().to_owned(),
            source,
        })?;
        session.hold_recording(false);
        runner.advance(session, most, &mut |progress| tell(&voice, progress, from.total))?;
        session.hold_recording(true);
        if sample.is_none() && most.is_some() && runner.position() != end.as_deref() {
            return Err(TransformError::Moved { table: layout.source().to_owned() });
        }
        let of = sample.map(|_| left);
        let work = Work { fuel: Some(runner.fuel()), rows: Some(row_counts(runner.counts())), of, ..Work::default() };
        Ok((work, runner.take_rejects()))
    });
    release(session)?;
    let (work, rejects) = done.map_err(failed)?;
    let rejects = rejected_rows(&layout, &rejects);
    if conditions.unrecorded {
        return Ok(Work { rejects, ..work });
    }
    keep_aside(session, step, conditions, &rejects)?;
    Ok(work)
}

/// Returns where to begin. A row that says how far an earlier run came gives way to the one to come.
fn resume(
    session: &mut dyn Session,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    layout: &Layout,
) -> Result<Checkpoint, StepError> {
    let (chain, key) = (&step.step.chain, step.step.migration.key());
    if step.step.direction == Direction::Up && !conditions.unrecorded {
        if let Some(Standing { state: AppliedState::InProgress, details, .. }) =
            conditions.history.standing(session, chain, &key)?
        {
            let unusable = || StepError::Checkpoint { details: details.clone() };
            let checkpoint = Checkpoint::from_json(&details).ok_or_else(unusable)?;
            conditions.history.delete(session, chain, &key)?;
            return Ok(checkpoint);
        }
        forget_aside(session, step, conditions)?;
    }
    let total = count_held(session, step, conditions, layout)?;
    Ok(Checkpoint { total, ..Checkpoint::default() })
}

/// Forgets the rows that the migration kept aside: it is reverted, or begins with the first row again, as a repeatable one
/// does each time.
pub(super) fn forget_aside(
    session: &mut dyn Session,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
) -> Result<(), StepError> {
    Ok(conditions.history.forget_rejects(session, &step.step.chain, &step.step.migration.key())?)
}

/// Writes rows that could not be transformed into the table of such rows.
pub(super) fn keep_aside(
    session: &mut dyn Session,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    rejects: &[RejectedRow],
) -> Result<(), StepError> {
    Ok(conditions.history.reject(session, &step.step.chain, &step.step.migration.key(), rejects)?)
}

/// Makes of rows that could not be transformed what is kept and shown of them.
pub(super) fn rejected_rows(layout: &Layout, rejects: &[Reject]) -> Vec<RejectedRow> {
    let key = layout.key();
    let row = |reject: &Reject| RejectedRow {
        key: reject.key.clone(),
        reason: reject.reason.clone(),
        values: reject_json(reject, &key, layout.read()),
    };
    rejects.iter().map(row).collect()
}

/// Counts the rows that a transform is to read, as its migration may read them.
pub(super) fn count_held(
    session: &mut dyn Session,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    layout: &Layout,
) -> Result<u64, StepError> {
    hold(session, step, conditions)?;
    let counted = count(session, layout);
    release(session)?;
    counted.map_err(|source| {
        let table = layout.source().to_owned();
        failed(TransformError::Database { doing: "count the rows of", table, source })
    })
}

/// Holds the manifest's `[transform]` against the schema as it is now.
pub(super) fn find(session: &mut dyn Session, step: &PreparedStep, spec: &TransformSpec) -> Result<Layout, StepError> {
    settled(limited(session, step, |session| Layout::find(session, spec)))
}

fn settled(found: Result<Result<Layout, Vec<LayoutProblem>>, DbError>) -> Result<Layout, StepError> {
    let found = found.map_err(StepError::doing("look at the tables of the transform"))?;
    found.map_err(|problems| failed(TransformError::Layout { problems }))
}

/// Prepares what a manifest says within the limits that its statements have when they run. The database knows no rules of
/// grants meanwhile, because the host looks at its schema; nothing of the manifest is run.
fn limited<T>(
    session: &mut dyn Session,
    step: &PreparedStep,
    look: impl FnOnce(&mut dyn Session) -> Result<T, DbError>,
) -> Result<T, DbError> {
    within_limits(session, step, &step.limits)?;
    let looked = look(session);
    session.set_deadline(None);
    session.set_limits(None)?;
    looked
}

/// Does what [`find`] does for a transform that is to run over all rows.
pub(super) fn find_to_run(
    session: &mut dyn Session,
    step: &PreparedStep,
    spec: &TransformSpec,
) -> Result<Layout, StepError> {
    settled(limited(session, step, |session| fitting(session, spec)))
}

/// Finds the layout; in chunks, only where nothing moves rows that are done.
fn fitting(session: &mut dyn Session, spec: &TransformSpec) -> Result<Result<Layout, Vec<LayoutProblem>>, DbError> {
    let found = Layout::find(session, spec)?;
    let (Ok(layout), Chunk::Rows(_)) = (&found, spec.chunk) else { return Ok(found) };
    let problems = layout.moves(session, spec)?;
    if problems.is_empty() { Ok(found) } else { Ok(Err(problems)) }
}

pub(super) fn failed(error: TransformError<PluginError>) -> StepError {
    match error {
        TransformError::Interrupted
        | TransformError::Guest { source: PluginError::Interrupted, .. }
        | TransformError::Start { source: PluginError::Interrupted } => StepError::Interrupted,
        error => StepError::Transform(Box::new(error)),
    }
}

pub(super) fn row_counts(counts: Counts) -> RowCounts {
    let Counts { rows, written, unchanged, rejected } = counts;
    RowCounts { rows, written, unchanged, rejected }
}

/// How many instances work at the same time.
pub(super) fn jobs(step: &PreparedStep, spec: &TransformSpec, conditions: &Conditions<'_>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    conditions.jobs.or(spec.jobs).map_or_else(cores, usize::from).min(step.most_instances)
}

/// The host's statements are the manifest's too: its filter, its query, the triggers they set off.
pub(super) fn hold(
    session: &mut dyn Session,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
) -> Result<(), StepError> {
    hold_within(session, step, conditions, &step.limits)
}

/// As [`hold`], within what is left of the migration's limits.
pub(super) fn hold_within(
    session: &mut dyn Session,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    limits: &RunLimits,
) -> Result<(), StepError> {
    bound(session, step, conditions, seed(step), limits)?;
    session.restrict(step.hold.restriction(conditions.history).map(Arc::new));
    Ok(())
}

/// Ends what [`hold`] began; returns what is left of the limits, where there were any.
pub(super) fn release(session: &mut dyn Session) -> Result<Option<RunLimits>, StepError> {
    session.restrict(None);
    unbound(session)
}

fn started_at(conditions: &Conditions<'_>) -> u64 {
    u64::try_from(conditions.started_at.as_millisecond()).unwrap_or(0)
}

pub(super) fn start(step: &PreparedStep, call: &TransformCall, interrupt: &Interrupt) -> Result<Guest, PluginError> {
    let plugin = step.plugin.as_ref().expect("prepare compiled every component of the plan");
    plugin.transform(call, interrupt).map(Guest)
}

pub(super) fn call(step: &PreparedStep, layout: &Layout, conditions: &Conditions<'_>) -> TransformCall {
    let migration = &step.step.migration;
    let params = migration.manifest.as_ref().map(|manifest| &manifest.params).into_iter().flatten();
    let named = |name: &str, values: &[String]| -> Vec<(String, String)> {
        values.iter().map(|value| (name.to_owned(), value.clone())).collect()
    };
    let mut all: Vec<(String, String)> = params.map(|(key, value)| (key.clone(), value.clone())).collect();
    all.append(&mut named("whimbrel.read", layout.read()));
    all.append(&mut named("whimbrel.write", layout.write()));
    all.append(&mut named("whimbrel.into", layout.into().map(str::to_owned).as_slice()));
    TransformCall {
        revert: step.step.direction == Direction::Down,
        chain: step.step.chain.to_string(),
        version: migration.version.to_string(),
        name: migration.name.clone(),
        dry_run: conditions.is_for_nothing() && !step.is_strangers,
        started_at: started_at(conditions),
        params: all,
        limits: step.limits,
        used: Used::default(),
        seed: seed(step),
        script: migration.body.script().cloned(),
    }
}

pub(super) fn voice(step: &PreparedStep, conditions: &Conditions<'_>) -> Voice {
    Voice { step: step.step.clone(), observer: Arc::clone(conditions.observer) }
}

pub(super) fn tell(voice: &Voice, progress: Progress<'_>, total: u64) {
    match progress {
        Progress::Line(level, line) => voice.log(level, line),
        Progress::Written(counts) => {
            voice.observer.event(&Event::Progress { step: &voice.step, done: counts.rows, total: Some(total) });
        }
    }
}
