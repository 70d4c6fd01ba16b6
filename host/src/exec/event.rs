//! What a run tells while it goes on.

use std::sync::Arc;
use std::time::Duration;

use super::report::StepReport;
use crate::history::foreign::Adoption;
use crate::log_level::LogLevel;
use crate::model::Hook;
use crate::plan::Step;

/// What a run tells while it goes on.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Other tools have applied migrations of the chain, of which our history has no row: what is applied already is about to be
    /// planned as if it was not. [`Migrator::adopt`](crate::Migrator::adopt) takes it over.
    OtherHistories {
        /// What would be taken over, of each history that there is.
        found: &'a [Adoption],
    },
    /// Components are about to be compiled.
    Compiling {
        /// How many.
        components: usize,
    },
    /// A step is about to wait for the write lock and to begin.
    StepStarted {
        /// The step.
        step: &'a Step,
        /// Its number in the plan, from 1.
        number: usize,
        /// Steps in the plan.
        of: usize,
    },
    /// A migration's code logged a line.
    Log {
        /// The step.
        step: &'a Step,
        /// How much it matters.
        level: LogLevel,
        /// The line. Text from a guest: hostile.
        message: &'a str,
    },
    /// A migration's code told how far it is.
    Progress {
        /// The step.
        step: &'a Step,
        /// Units done.
        done: u64,
        /// Units in all.
        total: Option<u64>,
    },
    /// A chunk of a transform is committed, and so is how far it is.
    ChunkCommitted {
        /// The step.
        step: &'a Step,
        /// Rows done.
        done: u64,
        /// Rows there were at the beginning.
        total: u64,
    },
    /// A step has ended well: committed, skipped, or rolled back in a dry run.
    StepFinished {
        /// What it did.
        report: &'a StepReport,
    },
    /// A hook has done its work; its transaction goes on with the step, or is about to be committed or rolled back.
    HookFinished {
        /// The hook.
        hook: &'a Hook,
        /// The step, for a hook that comes with each.
        step: Option<&'a Step>,
        /// How long it took.
        duration: Duration,
    },
    /// A step has failed and is undone.
    StepFailed {
        /// The step.
        step: &'a Step,
    },
}

/// Hears events. Called on the thread that runs the migrations. A closure becomes one by [`observer_fn`].
///
/// The run goes on when the call returns. Some events are told inside the transaction of a step, and where a run has made its database
/// itself it keeps that to itself between steps as well: another connection that reads or writes the same file in here, or
/// another thread for which this waits, may wait for the run, which waits for this. Note what is told, and look afterwards.
pub trait Observer: Send + Sync {
    /// Hears one event.
    fn event(&self, event: &Event<'_>);
}

/// Hears what somebody else keeps, too.
impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn event(&self, event: &Event<'_>) {
        O::event(self, event);
    }
}

/// Makes an observer of a closure.
///
/// ```
/// use whimbrel::{Event, Migrator, observer_fn};
///
/// let migrator = Migrator::builder().observer(observer_fn(|event| {
///     if let Event::StepFinished { report } = event {
///         println!("{} in {:?}", report.step.migration.title(), report.duration);
///     }
/// }));
/// # let _ = migrator;
/// ```
pub fn observer_fn(hear: impl Fn(&Event<'_>) + Send + Sync) -> impl Observer {
    struct Hears<F>(F);
    impl<F: Fn(&Event<'_>) + Send + Sync> Observer for Hears<F> {
        fn event(&self, event: &Event<'_>) {
            self.0(event);
        }
    }
    Hears(hear)
}

/// Hears nothing.
impl Observer for () {
    fn event(&self, _: &Event<'_>) {}
}
