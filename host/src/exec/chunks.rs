//! Runs a transform chunk by chunk, each in a transaction of its own together with how far it is.

use std::cell::{Cell, OnceCell};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::autoincrement::Sequences;
use super::event::Event;
use super::functions::bring;
use super::holder::{holder, note};
use super::preconditions::instead;
use super::prepare::PreparedStep;
use super::report::{StepError, StepOutcome, StepReport};
use super::run::Conditions;
use super::step::{Timer, at_its_end, done_elsewhere, moment, write_row};
use super::transform::{
    Guest, call, count_held, failed, find_to_run, forget_aside, hold_within, jobs, keep_aside, rejected_rows, release,
    row_counts, start, tell, voice,
};
use super::verify::verify;
use super::watermark::Watermark;
use super::work::Work;
use crate::db::{Counters, DbError, Session};
use crate::history::{Advance, Standing};
use crate::interrupt::Interrupt;
use crate::limits::RunLimits;
use crate::lock::{Holder, Lease};
use crate::model::{AppliedState, Chunk, Key, TransformSpec};
use crate::transform::{Checkpoint, Counts, Layout, Run, Runner, TransformError, schema_version, with_runner};
use crate::wasm::{PluginError, TransformCall, Used};

/// How long a lease is good at least: for somebody on another host, who cannot look whether the process is there.
const SHORTEST_LEASE: Duration = Duration::from_secs(60);
/// How many times as long as the last chunk, and the pause after it, the next one may take.
const PATIENCE: u32 = 10;
/// No lease is good for longer.
const LONGEST_LEASE: Duration = Duration::from_secs(24 * 3600);

/// Tells whether a step runs chunk by chunk.
pub(super) fn has_chunks(step: &PreparedStep) -> bool {
    spec(step).is_some_and(|(spec, _)| spec.chunk != Chunk::Whole)
}

fn spec(step: &PreparedStep) -> Option<(&TransformSpec, u64)> {
    let spec = super::transform::spec(step)?;
    let rows = if let Chunk::Rows(rows) = spec.chunk { u64::from(rows.get()) } else { u64::MAX };
    Some((spec, rows))
}

/// What a chunk left to do.
enum Left {
    /// There is more after these rows.
    More(u64),
    /// Only to verify what became of all rows, and to commit the last chunk.
    TheEnd(Box<Advanced>),
    /// Another process has done the rest.
    DoneElsewhere,
    /// The schema is not what it was; the transaction is open.
    OtherSchema,
}

/// Why no chunk came after the last one.
enum Ended {
    /// All rows are done, and the transaction of the last chunk is open.
    TheEnd(Box<Advanced>, Work),
    /// Another process has done the rest.
    DoneElsewhere,
    /// The schema is not what it was; the transaction of the next chunk is open.
    OtherSchema,
}

/// A chunk that is not committed yet.
struct Advanced {
    began: Instant,
    /// What the session had done before it.
    before: Counters,
    fuel: u64,
    checkpoint: Checkpoint,
    lease: Lease,
    /// There were none before it in this run.
    is_first: bool,
}

/// What became of all chunks but the last.
enum Ran<'a> {
    /// Nothing is left, or nothing is to be done.
    Over(Box<StepReport>),
    /// The transaction of the last chunk is open.
    TheEnd(Box<Job<'a>>, Box<Advanced>, Work),
}

/// Runs what is left of a transform. When it fails, the chunks before stay done, and the next run goes on after them.
pub(super) fn in_chunks(
    mut session: Box<dyn Session>,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    watermark: &mut Watermark,
) -> (Box<dyn Session>, Result<StepReport, StepError>) {
    let functions = match bring(session.as_mut(), step, conditions) {
        Ok(functions) => functions,
        Err(error) => return (session, Err(error)),
    };
    let (mut session, result) = match run(session.as_mut(), step, conditions, watermark) {
        Ok(Ran::TheEnd(job, last, work)) => job.end(session, *last, work),
        Ok(Ran::Over(report)) => (session, Ok(*report)),
        Err(error) => (session, Err(error)),
    };
    if let Err(error) = session.rollback() {
        tracing::warn!("rollback failed: {error}");
    }
    let ended = functions.end(session.as_mut());
    (session, result.and_then(|report| ended.map(|_| report)))
}

fn run<'a>(
    session: &mut dyn Session,
    step: &'a PreparedStep,
    conditions: &'a Conditions<'a>,
    watermark: &mut Watermark,
) -> Result<Ran<'a>, StepError> {
    let (spec, rows) = spec(step).expect("only transforms have chunks");
    session.begin().map_err(StepError::beginning)?;
    note(session, step, conditions);
    if !watermark.still_needed(session, &step.step, conditions)? {
        return Ok(Ran::Over(Box::new(done_elsewhere(step))));
    }
    let standing = standing(session, step, conditions)?.filter(is_begun);
    let came = standing.as_ref().and_then(|standing| Checkpoint::from_json(&standing.details));
    watermark.has_chunks = came.is_some_and(|checkpoint| checkpoint.key.is_some());
    // One that is in progress has been asked before.
    if standing.is_none()
        && let Some(report) = instead(session, step, conditions)?
    {
        session.commit().map_err(StepError::doing("commit"))?;
        return Ok(Ran::Over(Box::new(report)));
    }
    let mut job = Job {
        step,
        conditions,
        layout: find_to_run(session, step, spec)?,
        schema: schema_version(session).map_err(look())?,
        rows,
        timer: Timer::start(session),
        holder: holder(step, conditions),
        begun_by: OnceCell::new(),
        limits: Cell::new(step.limits),
        used: Used::default(),
    };
    let (mut last, mut burnt) = (None, 0);
    let ran = loop {
        match job.chunks(session, spec, watermark, &mut last, &mut burnt) {
            Ok(Ended::OtherSchema) => {
                if let Err(error) = job.look_again(session, spec) {
                    break Err(error);
                }
            }
            Ok(Ended::TheEnd(chunk, work)) => break Ok(Some((chunk, work))),
            Ok(Ended::DoneElsewhere) => break Ok(None),
            Err(error) => break Err(error),
        }
    };
    if ran.is_err() && last.is_some() {
        job.release(session);
    }
    Ok(match ran? {
        Some((chunk, work)) => Ran::TheEnd(Box::new(job), chunk, work),
        None => Ran::Over(Box::new(done_elsewhere(step))),
    })
}

enum Stop {
    Transform(TransformError<PluginError>),
    Host(StepError),
}

impl<E: Into<StepError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Host(error.into())
    }
}

/// What all chunks share.
struct Job<'a> {
    step: &'a PreparedStep,
    conditions: &'a Conditions<'a>,
    layout: Layout,
    /// The version of the schema that the layout was found in.
    schema: i64,
    rows: u64,
    timer: Timer,
    holder: Holder,
    /// The run that began it, which is another one as soon as somebody lets it begin anew.
    begun_by: OnceCell<String>,
    /// What the chunks before have left of the limits of its statements.
    limits: Cell<RunLimits>,
    /// What the instances have used.
    used: Used,
}

impl Job<'_> {
    /// Runs chunk after chunk as long as the schema stays as it is; the transaction of the first one is open already.
    /// Notes how long the last one took, and what all of them burnt.
    fn chunks(
        &self,
        session: &mut dyn Session,
        spec: &TransformSpec,
        watermark: &mut Watermark,
        last: &mut Option<Duration>,
        burnt: &mut u64,
    ) -> Result<Ended, StepError> {
        let conditions = self.conditions;
        let call = TransformCall { used: self.used.clone(), ..call(self.step, &self.layout, conditions) };
        let run = Run {
            layout: &self.layout,
            on_error: spec.on_error,
            jobs: jobs(self.step, spec, conditions),
            interrupt: conditions.interrupt,
        };
        let start = |interrupt: &Interrupt| start(self.step, &call, interrupt);
        // What stops the pipeline and what stops the host's own statements are two kinds of error.
        let mut host = None;
        let mut open = true;
        let done = with_runner(&run, &start, None, Counts::default(), |runner| {
            let ended = loop {
                let began = Instant::now();
                match self.chunk(session, runner, *last, std::mem::take(&mut open)) {
                    Ok(Left::More(rows)) => {
                        watermark.has_chunks = true;
                        if let Some(throttle) = conditions.throttle {
                            throttle.pause(rows, began.elapsed(), conditions.interrupt);
                        }
                        *last = Some(began.elapsed());
                    }
                    Ok(Left::TheEnd(chunk)) => {
                        let fuel = burnt.saturating_add(runner.fuel());
                        let rows = Some(row_counts(runner.counts()));
                        break Ended::TheEnd(chunk, Work { fuel: Some(fuel), rows, ..Work::default() });
                    }
                    Ok(Left::DoneElsewhere) => break Ended::DoneElsewhere,
                    Ok(Left::OtherSchema) => break Ended::OtherSchema,
                    Err(Stop::Transform(error)) => return Err(error),
                    Err(Stop::Host(error)) => {
                        host = Some(error);
                        return Err(TransformError::Interrupted);
                    }
                }
            };
            *burnt = burnt.saturating_add(runner.fuel());
            Ok(ended)
        });
        done.map_err(|error| host.unwrap_or_else(|| failed(error)))
    }

    /// Holds the transform against a schema that has changed between two chunks.
    fn look_again(&mut self, session: &mut dyn Session, spec: &TransformSpec) -> Result<(), StepError> {
        let layout = find_to_run(session, self.step, spec)?;
        if !layout.goes_on_as(&self.layout) {
            let (table, key) = (layout.source().to_owned(), layout.key().join(", "));
            return Err(failed(TransformError::OtherKey { table, key }));
        }
        self.layout = layout;
        self.schema = schema_version(session).map_err(look())?;
        Ok(())
    }

    /// Runs one chunk from wherever the history says, after one that took so long; its transaction may be open already.
    fn chunk(
        &self,
        session: &mut dyn Session,
        runner: &mut Runner<'_, Guest>,
        last: Option<Duration>,
        open: bool,
    ) -> Result<Left, Stop> {
        let _span = tracing::debug_span!("chunk", from = runner.counts().rows).entered();
        let began = Instant::now();
        let first = last.is_none();
        if !open {
            session.begin().map_err(StepError::doing("begin a transaction"))?;
            note(session, self.step, self.conditions);
            if schema_version(session).map_err(look())? != self.schema {
                return Ok(Left::OtherSchema);
            }
        }
        let standing = standing(session, self.step, self.conditions)?;
        // In the transaction in which it was found to be needed: a repeatable one that is at its end begins anew.
        let standing = if open { standing.filter(is_begun) } else { standing };
        if let Some(Standing { begun_by, .. }) = &standing
            && self.begun_by.get_or_init(|| begun_by.clone()) != begun_by
        {
            // Perhaps by other code, which would go on between the rows of this one.
            return Err(StepError::Vanished.into());
        }
        let total = match standing {
            Some(standing) if standing.state.is_at_an_end() => return Ok(Left::DoneElsewhere),
            Some(Standing { details, .. }) => {
                // Read inside the lock: another process may have done chunks meanwhile.
                let unusable = || StepError::Checkpoint { details: details.clone() };
                let checkpoint = Checkpoint::from_json(&details).ok_or_else(unusable)?;
                runner.resume(checkpoint.key, checkpoint.counts);
                checkpoint.total
            }
            None if first => self.announce(session)?,
            None => return Err(StepError::Vanished.into()),
        };
        let (fuel, counters, rows) = (runner.fuel(), session.counters(), runner.counts().rows);
        let sequences = Sequences::look(session, self.step)?;
        hold_within(session, self.step, self.conditions, &self.limits.get())?;
        let advanced = self.advance(session, runner, open, total);
        if let Some(left) = release(session)? {
            self.limits.set(left);
        }
        let more = advanced.map_err(Stop::Transform)?;
        sequences.map_or(Ok(()), |sequences| sequences.check(session))?;
        let rejects = rejected_rows(&self.layout, &runner.take_rejects());
        keep_aside(session, self.step, self.conditions, &rejects)?;
        let chunk = Advanced {
            began,
            before: counters,
            fuel: runner.fuel().saturating_sub(fuel),
            checkpoint: Checkpoint { key: runner.position().map(<[_]>::to_vec), counts: runner.counts(), total },
            lease: lease(&self.holder, self.step.step.migration.key(), last.unwrap_or_else(|| began.elapsed())),
            is_first: first,
        };
        if !more {
            return Ok(Left::TheEnd(Box::new(chunk)));
        }
        self.commit(session, &chunk, AppliedState::InProgress)?;
        Ok(Left::More(runner.counts().rows.saturating_sub(rows)))
    }

    /// Verifies what became of all rows, and commits the last chunk.
    fn end(
        &self,
        session: Box<dyn Session>,
        mut last: Advanced,
        work: Work,
    ) -> (Box<dyn Session>, Result<StepReport, StepError>) {
        let (mut session, verified) = verify(session, self.step, self.conditions);
        let result = verified.and_then(|fuel| {
            last.fuel = last.fuel.saturating_add(fuel.unwrap_or(0));
            self.commit(session.as_mut(), &last, at_its_end(&self.step.step.migration))?;
            let work = work.and_burnt(fuel);
            Ok(self.timer.report(session.as_ref(), self.step, work, StepOutcome::Done))
        });
        if result.is_err() && !last.is_first {
            self.release(session.as_mut());
        }
        (session, result)
    }

    /// Commits a chunk together with how far it came.
    fn commit(&self, session: &mut dyn Session, chunk: &Advanced, state: AppliedState) -> Result<(), StepError> {
        let (history, step) = (self.conditions.history, &self.step.step);
        let advance = Advance {
            state,
            duration: chunk.began.elapsed(),
            counters: session.counters().since(chunk.before),
            fuel: chunk.fuel,
            details: &chunk.checkpoint.to_json(),
            lease: &chunk.lease,
        };
        history.advance(session, &step.chain, &step.migration.key(), &advance)?;
        if self.conditions.interrupt.is_raised() {
            return Err(StepError::Interrupted);
        }
        session.commit().map_err(StepError::doing("commit"))?;
        let (done, total) = (chunk.checkpoint.counts.rows, chunk.checkpoint.total);
        self.conditions.observer.event(&Event::ChunkCommitted { step, done, total });
        Ok(())
    }

    /// Says that this run is not at work on it any more. Nobody waits for that, so a failure is not the run's.
    fn release(&self, session: &mut dyn Session) {
        let (history, step) = (self.conditions.history, &self.step.step);
        let (chain, key) = (&step.chain, step.migration.key());
        session.hold_interrupt(true);
        let released = session
            .rollback()
            .map_err(StepError::doing("roll back"))
            .and_then(|()| Ok(history.release(session, chain, &key, &self.holder.run_id)?));
        session.hold_interrupt(false);
        if let Err(error) = released {
            tracing::debug!("the lease stays until its time is over: {error}");
        }
    }

    fn advance(
        &self,
        session: &mut dyn Session,
        runner: &mut Runner<'_, Guest>,
        open: bool,
        total: u64,
    ) -> Result<bool, TransformError<PluginError>> {
        if open {
            runner.check_keys(session)?;
        }
        let voice = voice(self.step, self.conditions);
        runner.advance(session, Some(self.rows), &mut |progress| tell(&voice, progress, total))
    }

    /// Writes the row that says it is in progress; returns how many rows there are.
    fn announce(&self, session: &mut dyn Session) -> Result<u64, StepError> {
        let total = count_held(session, self.step, self.conditions, &self.layout)?;
        forget_aside(session, self.step, self.conditions)?;
        let mut report = self.timer.report(session, self.step, Work::default(), StepOutcome::Done);
        report.counters = Counters::default();
        report.duration = Duration::ZERO;
        write_row(session, &report, &self.timer, self.conditions, AppliedState::InProgress)?;
        self.begun_by.get_or_init(|| self.conditions.run_id());
        Ok(total)
    }
}

/// Reads where the history has the step's migration.
fn standing(
    session: &mut dyn Session,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
) -> Result<Option<Standing>, StepError> {
    Ok(conditions.history.standing(session, &step.step.chain, &step.step.migration.key())?)
}

/// Tells whether a migration has begun and is not at its end.
fn is_begun(standing: &Standing) -> bool {
    !standing.state.is_at_an_end()
}

fn look() -> impl FnOnce(DbError) -> StepError {
    StepError::doing("look at the schema")
}

/// Makes the lease that is written with a chunk, after one that took so long.
fn lease(holder: &Holder, key: Key, last: Duration) -> Lease {
    let now = Timestamp::now();
    let time = last.saturating_mul(PATIENCE).clamp(SHORTEST_LEASE, LONGEST_LEASE);
    Lease { holder: holder.clone(), key, heartbeat: moment(now), until: moment(now + time) }
}
