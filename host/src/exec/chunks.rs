//! Runs a transform chunk by chunk, each in a transaction of its own together with how far it is.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::event::Event;
use super::functions::bring;
use super::holder::{holder, note};
use super::preconditions::instead;
use super::prepare::PreparedStep;
use super::report::{StepError, StepOutcome, StepReport};
use super::run::{Conditions, Watermark};
use super::step::{Timer, done_elsewhere, moment, write_row};
use super::transform::{Guest, call, failed, find, hold, jobs, keep_aside, release, row_counts, start, tell, voice};
use super::verify::verify;
use super::work::Work;
use crate::db::{Counters, Session};
use crate::history::Advance;
use crate::interrupt::Interrupt;
use crate::lock::{Holder, Lease};
use crate::model::{AppliedState, Chunk, TransformSpec};
use crate::transform::{Checkpoint, Counts, Layout, Run, Runner, TransformError, count, with_runner};
use crate::wasm::PluginError;

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
    More,
    Nothing,
    /// Another process has done the rest.
    DoneElsewhere,
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
    let result = run(session.as_mut(), step, conditions, watermark);
    if let Err(error) = session.rollback() {
        tracing::warn!("rollback failed: {error}");
    }
    let ended = functions.end(session.as_mut());
    (session, result.and_then(|report| ended.map(|_| report)))
}

fn run(
    session: &mut dyn Session,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
    watermark: &mut Watermark,
) -> Result<StepReport, StepError> {
    let (spec, rows) = spec(step).expect("only transforms have chunks");
    session.begin().map_err(StepError::doing("begin a transaction"))?;
    note(session, step, conditions);
    if !watermark.still_needed(session, &step.step, conditions)? {
        return Ok(done_elsewhere(step));
    }
    let (chain, version) = (&step.step.chain, step.step.migration.version);
    // One that is in progress has been asked before.
    if conditions.history.details(session, chain, version)?.is_none()
        && let Some(report) = instead(session, step, conditions)?
    {
        session.commit().map_err(StepError::doing("commit"))?;
        return Ok(report);
    }
    let layout = find(session, spec)?;
    let timer = Timer::start(session);
    let call = call(step, &layout, conditions);
    let run =
        Run { layout: &layout, on_error: spec.on_error, jobs: jobs(spec, conditions), interrupt: conditions.interrupt };
    let start = |interrupt: &Interrupt| start(step, &call, interrupt);
    let job = Job { step, conditions, layout: &layout, rows, timer: &timer, holder: &holder(step, conditions) };
    // What stops the pipeline and what stops the host's own statements are two kinds of error.
    let mut host = None;
    let mut last = None;
    let done = with_runner(&run, &start, None, Counts::default(), |runner| {
        loop {
            let (began, rows) = (Instant::now(), runner.counts().rows);
            match job.chunk(session, runner, last) {
                Ok(Left::More) => {
                    let rows = runner.counts().rows.saturating_sub(rows);
                    if let Some(throttle) = conditions.throttle {
                        throttle.pause(rows, began.elapsed(), conditions.interrupt);
                    }
                    last = Some(began.elapsed());
                }
                Ok(Left::Nothing) => {
                    let work = Work { fuel: Some(runner.fuel()), rows: Some(row_counts(runner.counts())), of: None };
                    return Ok(timer.report(session, step, work, StepOutcome::Done));
                }
                Ok(Left::DoneElsewhere) => return Ok(done_elsewhere(step)),
                Err(Stop::Transform(error)) => return Err(error),
                Err(Stop::Host(error)) => {
                    host = Some(error);
                    return Err(TransformError::Interrupted);
                }
            }
        }
    });
    if done.is_err() && last.is_some() {
        job.release(session);
    }
    done.map_err(|error| host.unwrap_or_else(|| failed(error)))
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
    layout: &'a Layout,
    rows: u64,
    timer: &'a Timer,
    holder: &'a Holder,
}

impl Job<'_> {
    /// Runs one chunk from wherever the history says, after one that took so long; the transaction of the first one is
    /// open already.
    fn chunk(
        &self,
        session: &mut dyn Session,
        runner: &mut Runner<'_, Guest>,
        last: Option<Duration>,
    ) -> Result<Left, Stop> {
        let _span = tracing::debug_span!("chunk", from = runner.counts().rows).entered();
        let began = Instant::now();
        let first = last.is_none();
        if !first {
            session.begin().map_err(StepError::doing("begin a transaction"))?;
            note(session, self.step, self.conditions);
        }
        let (chain, version) = (&self.step.step.chain, self.step.step.migration.version);
        let total = match self.conditions.history.details(session, chain, version)? {
            Some((AppliedState::Applied, _)) => return Ok(Left::DoneElsewhere),
            Some((_, details)) => {
                // Read inside the lock: another process may have done chunks meanwhile.
                let unusable = || StepError::Checkpoint { details: details.clone() };
                let checkpoint = Checkpoint::from_json(&details).ok_or_else(unusable)?;
                runner.resume(checkpoint.key, checkpoint.counts);
                checkpoint.total
            }
            None if first => self.announce(session)?,
            None => return Err(StepError::Vanished.into()),
        };
        let (fuel, counters) = (runner.fuel(), session.counters());
        hold(session, self.step, self.conditions)?;
        let advanced = self.advance(session, runner, first, total);
        release(session)?;
        let more = advanced.map_err(Stop::Transform)?;
        keep_aside(session, self.step, self.conditions, self.layout, &runner.take_rejects())?;
        if !more {
            verify(session, self.step, self.conditions)?;
        }
        let checkpoint = Checkpoint { key: runner.position().map(<[_]>::to_vec), counts: runner.counts(), total };
        let advance = Advance {
            state: if more { AppliedState::InProgress } else { AppliedState::Applied },
            duration: began.elapsed(),
            counters: session.counters().since(counters),
            fuel: runner.fuel().saturating_sub(fuel),
            details: &checkpoint.to_json(),
            lease: &lease(self.holder, last.unwrap_or_else(|| began.elapsed())),
        };
        self.conditions.history.advance(session, chain, version, &advance)?;
        if self.conditions.interrupt.is_raised() {
            return Err(StepError::Interrupted.into());
        }
        session.commit().map_err(StepError::doing("commit"))?;
        let (step, done) = (&self.step.step, runner.counts().rows);
        self.conditions.observer.event(&Event::ChunkCommitted { step, done, total });
        Ok(if more { Left::More } else { Left::Nothing })
    }

    /// Says that this run is not at work on it any more. Nobody waits for that, so a failure is not the run's.
    fn release(&self, session: &mut dyn Session) {
        let (history, step) = (self.conditions.history, &self.step.step);
        let (chain, version) = (&step.chain, step.migration.version);
        session.hold_interrupt(true);
        let released = session
            .rollback()
            .map_err(StepError::doing("roll back"))
            .and_then(|()| Ok(history.release(session, chain, version, &self.holder.run_id)?));
        session.hold_interrupt(false);
        if let Err(error) = released {
            tracing::debug!("the lease stays until its time is over: {error}");
        }
    }

    fn advance(
        &self,
        session: &mut dyn Session,
        runner: &mut Runner<'_, Guest>,
        first: bool,
        total: u64,
    ) -> Result<bool, TransformError<PluginError>> {
        if first {
            runner.check_keys(session)?;
        }
        let voice = voice(self.step, self.conditions);
        runner.advance(session, Some(self.rows), &mut |progress| tell(&voice, progress, total))
    }

    /// Writes the row that says it is in progress; returns how many rows there are.
    fn announce(&self, session: &mut dyn Session) -> Result<u64, StepError> {
        let total = count(session, self.layout).map_err(StepError::doing("count the rows of the transform"))?;
        let mut report = self.timer.report(session, self.step, Work::default(), StepOutcome::Done);
        report.counters = Counters::default();
        report.duration = Duration::ZERO;
        write_row(session, &report, self.timer, self.conditions, AppliedState::InProgress)?;
        Ok(total)
    }
}

/// Makes the lease that is written with a chunk, after one that took so long.
fn lease(holder: &Holder, last: Duration) -> Lease {
    let now = Timestamp::now();
    let time = last.saturating_mul(PATIENCE).clamp(SHORTEST_LEASE, LONGEST_LEASE);
    Lease { holder: holder.clone(), heartbeat: moment(now), until: moment(now + time) }
}
