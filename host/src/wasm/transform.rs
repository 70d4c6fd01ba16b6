//! Calls a transform, batch after batch, in one instance.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::component::{ComponentType, Func, Instance, Lift, Lower};
use wasmtime::{Store, Trap};
use whimbrel_packed::{CheckedBatch, CheckedColumn};

use super::bindings::whimbrel::migration::types;
use super::convert;
use super::error::PluginError;
use super::limits::{self, Bounds};
use super::plugin::{self, Plugin};
use super::script::{FailureOut, OUT_OF_MEMORY, RequestIn, ScriptFailure};
use super::state::State;
use super::turns::{self, Watchdog};
use super::used::Used;
use super::wasi::Wasi;
use super::weight::Weight;
use crate::code_events::CodeEvents;
use crate::interrupt::Interrupt;
use crate::limits::{Limit, RunLimits};
use crate::log_level::LogLevel;
use crate::model::ScriptFiles;

/// Names of the exports.
pub(super) const APPLY: &str = "apply";
pub(super) const REVERT: &str = "revert";
/// Bytes kept of what a guest says about a row.
const MESSAGE_BYTES: usize = 1 << 10;

/// A column on its way in; its bytes are copied into the guest only.
#[derive(ComponentType, Lower)]
#[component(record)]
struct ColumnIn<'a> {
    kind: u8,
    tags: &'a [u8],
    words: &'a [u8],
    heap: &'a [u8],
}

/// A batch on its way in.
#[derive(ComponentType, Lower)]
#[component(record)]
struct BatchIn<'a> {
    rows: u32,
    columns: &'a [ColumnIn<'a>],
}

/// Why a batch was not transformed, as the guest says it.
#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct Failure {
    row: Option<u32>,
    message: String,
}

/// As a script engine answers.
type ScriptAnswer = (Result<types::Batch, FailureOut>,);

impl From<Failure> for NotApplied {
    fn from(Failure { row, mut message }: Failure) -> Self {
        message.truncate(message.floor_char_boundary(MESSAGE_BYTES));
        Self::Failed { row, message }
    }
}

impl From<FailureOut> for NotApplied {
    fn from(failure: FailureOut) -> Self {
        let row = failure.row;
        let failure = ScriptFailure::from(failure);
        if failure.code == OUT_OF_MEMORY {
            // What a script may have is not up to a row: with more, or after other rows, the same one can be transformed.
            return Self::Stopped(PluginError::Script { failure: Box::new(failure), statement: None });
        }
        Failure { row, message: failure.sentence() }.into()
    }
}

impl TransformCall {
    /// Names the function of the script that an engine makes ready.
    fn script_export(&self) -> &'static str {
        if self.revert { REVERT } else { "transform" }
    }

    /// Names the export that maps a batch.
    fn export(&self) -> &'static str {
        match (&self.script, self.revert) {
            (Some(_), _) => "transform",
            (None, true) => REVERT,
            (None, false) => APPLY,
        }
    }
}

type Answer = (Result<types::Batch, Failure>,);

/// What every instance of one transform is given.
#[derive(Clone, Debug)]
pub struct TransformCall {
    /// Undo, and not do.
    pub revert: bool,
    /// Name of the chain.
    pub chain: String,
    /// Version of the migration.
    pub version: String,
    /// Name of the migration.
    pub name: String,
    /// Everything will be rolled back.
    pub dry_run: bool,
    /// Recorded start of the run, in milliseconds since 1970.
    pub started_at: u64,
    /// The manifest's parameters, and the names of the columns.
    pub params: Vec<(String, String)>,
    /// What an instance may use; fuel and bytes are those of all instances together.
    pub limits: RunLimits,
    /// What the instances before it have used.
    pub used: Used,
    /// What stands for chance.
    pub seed: u64,
    /// The script whose function it is, if the component is an engine.
    pub script: Option<Arc<ScriptFiles>>,
}

/// What the guest made of a batch, if not rows.
#[derive(Debug)]
pub enum NotApplied {
    /// It says that it cannot.
    Failed {
        /// The row at fault, if it is a single one.
        row: Option<u32>,
        /// Its words.
        message: String,
    },
    /// Its answer is no batch.
    Malformed(String),
    /// It stopped.
    Stopped(PluginError),
}

/// One instance of a transform.
pub struct TransformInstance {
    store: Store<State>,
    apply: Func,
    context: types::Context,
    /// The component is an engine, and has the script.
    is_script: bool,
    limits: RunLimits,
    interrupt: Interrupt,
    lines: Arc<Lines>,
    watchdog: Watchdog,
}

/// Keeps what the guest logs until somebody asks.
#[derive(Default)]
struct Lines(Mutex<Vec<(LogLevel, String)>>);

impl CodeEvents for Lines {
    fn log(&self, level: LogLevel, message: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((level, message.to_owned()));
    }

    /// The host knows better how far it is.
    fn progress(&self, _: u64, _: Option<u64>) {}
}

impl Plugin {
    /// Makes an instance of a transform.
    pub fn transform(&self, call: &TransformCall, interrupt: &Interrupt) -> Result<TransformInstance, PluginError> {
        let lines = Arc::<Lines>::default();
        let wasi = Wasi::new(call.started_at, call.seed);
        let events = Arc::clone(&lines) as Arc<dyn CodeEvents>;
        let state = State::new(Bounds::new(call.limits, call.used.with_own_memory()), wasi, None, events);
        let mut store = Store::new(self.linked.engine(), state);
        let started = turns::begin(&mut store, &call.limits, interrupt, self.guarded).and_then(|watchdog| {
            let instance = watchdog.attend(self.linked.instantiate_async(&mut store))?;
            let apply = instance.get_func(&mut store, call.export());
            Ok((watchdog, instance, apply))
        });
        let (watchdog, instance, apply) = match started {
            Ok((watchdog, instance, Some(apply))) => (watchdog, instance, apply),
            Ok((_, _, None)) => return Err(PluginError::NoExport { export: call.export() }),
            Err(error) => return Err(stopped(&error, store.data_mut(), &call.limits, interrupt, None)),
        };
        let context = types::Context {
            chain: call.chain.clone(),
            version: call.version.clone(),
            name: call.name.clone(),
            tenant: None,
            dry_run: call.dry_run,
            started_at: call.started_at,
            seed: call.seed,
            params: call.params.clone(),
        };
        let (limits, interrupt, is_script) = (call.limits, interrupt.clone(), call.script.is_some());
        let mut made = TransformInstance { store, apply, context, is_script, limits, interrupt, lines, watchdog };
        if let Some(script) = &call.script {
            made.load(instance, script, call.script_export())?;
        }
        Ok(made)
    }
}

impl fmt::Debug for TransformInstance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TransformInstance")
            .field("is_script", &self.is_script)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl TransformInstance {
    /// Transforms a batch of these columns. After a failure that is not the guest's own word it is of no more use.
    pub fn apply(&mut self, rows: usize, columns: &[&CheckedColumn]) -> Result<CheckedBatch, NotApplied> {
        self.cross(columns.weight())?;
        let columns: Vec<ColumnIn<'_>> = columns
            .iter()
            .map(|column| ColumnIn {
                kind: column.code(),
                tags: column.tags(),
                words: column.words().as_flattened(),
                heap: column.heap(),
            })
            .collect();
        let batch = BatchIn { rows: u32::try_from(rows).unwrap_or(u32::MAX), columns: &columns };
        let called = if self.is_script {
            self.apply
                .typed::<(BatchIn<'_>,), ScriptAnswer>(&self.store)
                .and_then(|apply| self.watchdog.attend(apply.call_async(&mut self.store, (batch,))))
                .map(|(answer,)| answer.map_err(NotApplied::from))
        } else {
            self.apply
                .typed::<(BatchIn<'_>, &types::Context), Answer>(&self.store)
                .and_then(|apply| self.watchdog.attend(apply.call_async(&mut self.store, (batch, &self.context))))
                .map(|(answer,)| answer.map_err(NotApplied::from))
        };
        // What was burnt by all of them is exact where a call ends, however they take turns.
        match called.and_then(|answer| self.watchdog.settle(self.fuel()).map(|()| answer)) {
            Ok(Ok(batch)) => {
                self.cross(batch.weight())?;
                convert::checked(batch).map_err(|error| NotApplied::Malformed(error.to_string()))
            }
            Ok(Err(refused)) => Err(refused),
            Err(error) => {
                let (state, timed) = (self.store.data_mut(), Some(&self.watchdog));
                Err(NotApplied::Stopped(stopped(&error, state, &self.limits, &self.interrupt, timed)))
            }
        }
    }

    /// Counts bytes that cross the boundary.
    fn cross(&mut self, bytes: u64) -> Result<(), NotApplied> {
        self.store.data_mut().cross(bytes).map_err(|reached| NotApplied::Stopped(PluginError::Limit(reached)))
    }

    /// Has an engine load the script.
    fn load(&mut self, instance: Instance, script: &ScriptFiles, export: &str) -> Result<(), PluginError> {
        let request = RequestIn::new(script, export, self.context.clone(), &self.limits);
        let loaded = instance
            .get_typed_func::<(RequestIn<'_>,), (Result<(), FailureOut>,)>(&mut self.store, "load")
            .and_then(|load| self.watchdog.attend(load.call_async(&mut self.store, (request,))));
        match loaded {
            Ok((Ok(()),)) => Ok(()),
            Ok((Err(failure),)) => Err(PluginError::Script { failure: Box::new(failure.into()), statement: None }),
            Err(error) => {
                let (state, timed) = (self.store.data_mut(), Some(&self.watchdog));
                Err(stopped(&error, state, &self.limits, &self.interrupt, timed))
            }
        }
    }

    /// Takes what the guest logged since the last time.
    pub fn take_lines(&mut self) -> Vec<(LogLevel, String)> {
        std::mem::take(&mut self.lines.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the fuel burnt so far.
    pub fn fuel(&self) -> u64 {
        self.limits.of(Limit::Fuel).saturating_sub(self.store.get_fuel().unwrap_or(0))
    }
}

/// Tells why a call did not come back.
pub(super) fn stopped(
    error: &wasmtime::Error,
    state: &mut State,
    limits: &RunLimits,
    interrupt: &Interrupt,
    watchdog: Option<&Watchdog>,
) -> PluginError {
    // The interrupt that stops a guest is a trap like any other.
    if interrupt.is_raised() && error.downcast_ref::<Trap>() == Some(&Trap::Interrupt) {
        return PluginError::Interrupted;
    }
    let timed_out = watchdog.filter(|watchdog| watchdog.timed_out()).map(|_| Limit::Time);
    let met = limits::recognise(error).or(timed_out);
    match state.reached().or_else(|| met.map(|limit| limits.reached(limit))) {
        Some(reached) => PluginError::Limit(reached),
        None => plugin::explain(error, state),
    }
}
