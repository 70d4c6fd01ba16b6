//! One compiled component: a new store and instance for each call, the session goes in and comes back.

use std::fmt;
use std::sync::Arc;

use wasmtime::component::{InstancePre, Resource, TypedFunc};
use wasmtime::{Store, Trap, WasmBacktrace};

use super::bindings::whimbrel::migration::types::Context;
use super::error::PluginError;
use super::handles::TransactionHandle;
use super::inspect::Inspection;
use super::limits::{self, Bounds};
use super::script::{FailureOut, RequestIn, ScriptFailure};
use super::state::State;
use super::turns::{self, Watchdog};
use super::used::Used;
use super::wasi::Wasi;
use crate::code_events::CodeEvents;
use crate::db::Session;
use crate::interrupt::Interrupt;
use crate::limits::{Limit, RunLimits};
use crate::model::ScriptFiles;

/// Bytes kept of what a guest returns as its error.
const MESSAGE_BYTES: usize = 16 << 10;
/// Frames kept of a guest's backtrace.
const BACKTRACE_FRAMES: usize = 30;

/// What a component returns instead of having done its work.
enum Refusal {
    /// Its own words.
    Words(String),
    /// What a script engine says.
    Script(Box<ScriptFailure>),
}

type Export = TypedFunc<(Resource<TransactionHandle>, Context), (Result<(), String>,)>;

/// One compiled component.
pub struct Plugin {
    pub(super) linked: InstancePre<State>,
    inspection: Inspection,
    /// It is run within limits.
    pub(super) guarded: bool,
}

impl fmt::Debug for Plugin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Plugin").field("inspection", &self.inspection).finish_non_exhaustive()
    }
}

/// What to call, and under which conditions.
pub struct Call<'a> {
    /// `up`, `down` or `verify`.
    pub export: &'static str,
    /// Name of the chain.
    pub chain: &'a str,
    /// Version of the migration.
    pub version: String,
    /// Name of the migration.
    pub name: &'a str,
    /// Everything will be rolled back.
    pub dry_run: bool,
    /// Recorded start of the run, in milliseconds since 1970.
    pub started_at: u64,
    /// What stands for chance.
    pub seed: u64,
    /// The script to be run, if the component is an engine.
    pub script: Option<&'a ScriptFiles>,
    /// The manifest's parameters.
    pub params: Vec<(String, String)>,
    /// What it may use.
    pub limits: RunLimits,
    /// Stops it from outside.
    pub interrupt: Interrupt,
    /// Hears what it says.
    pub events: Arc<dyn CodeEvents>,
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Call")
            .field("export", &self.export)
            .field("chain", &self.chain)
            .field("version", &self.version)
            .field("name", &self.name)
            .field("dry_run", &self.dry_run)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// What a finished call used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Output {
    /// Fuel burnt.
    pub fuel: u64,
}

impl Plugin {
    pub(super) fn new(linked: InstancePre<State>, inspection: Inspection, guarded: bool) -> Self {
        Self { linked, inspection, guarded }
    }

    /// Returns what its bytes told.
    pub fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    /// Calls an export with the session's open transaction. The session comes back with its handles closed, whatever
    /// happened; whether to commit is the caller's decision.
    pub fn call(&self, session: Box<dyn Session>, call: &Call<'_>) -> (Box<dyn Session>, Result<Output, PluginError>) {
        let mut session = session;
        if let Err(source) = session.set_limits(self.guarded.then_some(&call.limits)) {
            return (session, Err(PluginError::NotLimited { source }));
        }
        let wasi = Wasi::new(call.started_at, call.seed);
        let state =
            State::new(Bounds::new(call.limits, Used::default()), wasi, Some(session), Arc::clone(&call.events));
        let mut store = Store::new(self.linked.engine(), state);
        let result = turns::begin(&mut store, &call.limits, &call.interrupt, self.guarded)
            .map_err(|error| explain(&error, store.data_mut()))
            .and_then(|watchdog| self.run(&mut store, call, &watchdog));
        let fuel = call.limits.of(Limit::Fuel).saturating_sub(store.get_fuel().unwrap_or(0));
        let mut session = store.into_data().into_session().expect("nobody takes the session out during a call");
        session.set_deadline(None);
        session.close_handles();
        if let Err(error) = session.set_limits(None) {
            tracing::warn!("the limits of a migration stay in force: {error}");
        }
        (session, result.map(|()| Output { fuel }))
    }

    fn run(&self, store: &mut Store<State>, call: &Call<'_>, watchdog: &Watchdog) -> Result<(), PluginError> {
        if let Ok(session) = store.data_mut().session() {
            session.set_deadline(Some(watchdog.deadline));
        }
        let returned = watchdog.attend(self.invoke(store, call));
        store.data_mut().end_lines();
        if call.interrupt.is_raised() {
            return Err(PluginError::Interrupted);
        }
        let state = store.data_mut();
        // A limit stands above whatever the guest made of it; the first one met is the one to tell.
        let met = returned.as_ref().err().and_then(limits::recognise);
        let timed_out = watchdog.timed_out().then_some(Limit::Time);
        let reached = state.reached().or_else(|| met.or(timed_out).map(|limit| call.limits.reached(limit)));
        if let Some(reached) = reached {
            return Err(PluginError::Limit(reached));
        }
        match returned {
            Ok(Ok(())) => {
                // Where the transaction has ended, that is what there is to say, and is said by whoever opened it.
                let is_left = |session: &mut dyn Session| session.open_savepoints() > 0 && session.in_transaction();
                let left = state.session().is_ok_and(is_left);
                if left || state.savepoint_dropped { Err(PluginError::SavepointOpen) } else { Ok(()) }
            }
            Ok(Err(Refusal::Words(mut message))) => {
                message.truncate(message.floor_char_boundary(MESSAGE_BYTES));
                Err(PluginError::Refused { message, statement: state.failed.take() })
            }
            Ok(Err(Refusal::Script(failure))) => {
                // A statement whose error the script has caught is not why it failed.
                let statement = state.failed.take().filter(|_| failure.code == "sql");
                Err(PluginError::Script { failure, statement })
            }
            Err(error) => Err(explain(&error, state)),
        }
    }

    async fn invoke(&self, store: &mut Store<State>, call: &Call<'_>) -> wasmtime::Result<Result<(), Refusal>> {
        let instance = self.linked.instantiate_async(&mut *store).await?;
        if let Some(script) = call.script {
            let run = instance
                .get_typed_func::<(Resource<TransactionHandle>, RequestIn<'_>), (Result<(), FailureOut>,)>(
                    &mut *store,
                    "run",
                )?;
            let request = RequestIn::new(script, call.export, self.context(call), &call.limits);
            let (returned,) = run.call_async(store, (Resource::new_own(0), request)).await?;
            return Ok(returned.map_err(|failure| Refusal::Script(Box::new(failure.into()))));
        }
        let export: Export = instance.get_typed_func(&mut *store, call.export)?;
        let (returned,) = export.call_async(store, (Resource::new_own(0), self.context(call))).await?;
        Ok(returned.map_err(Refusal::Words))
    }

    fn context(&self, call: &Call<'_>) -> Context {
        Context {
            chain: call.chain.to_owned(),
            version: call.version.clone(),
            name: call.name.to_owned(),
            tenant: None,
            dry_run: call.dry_run,
            started_at: call.started_at,
            seed: call.seed,
            params: call.params.clone(),
        }
    }
}

/// Tells a trap with all that is known about it.
pub(super) fn explain(error: &wasmtime::Error, state: &mut State) -> PluginError {
    let trap = error.downcast_ref::<Trap>();
    if trap.is_none() && is_out_of_memory(error) {
        return PluginError::NoMemory { reason: error.root_cause().to_string() };
    }
    let cause = trap.map_or_else(|| error.root_cause().to_string(), Trap::to_string);
    let reason = match state.last_words.take().or_else(|| state.wasi.take_complaints()) {
        Some(words) => format!("{words} ({cause})"),
        None => cause,
    };
    let frames = error.downcast_ref::<WasmBacktrace>().map(WasmBacktrace::frames).unwrap_or_default();
    let names = frames
        .iter()
        .map(|frame| frame.func_name().map_or_else(|| format!("function {}", frame.func_index()), demangle));
    PluginError::Trapped { reason, backtrace: names.take(BACKTRACE_FRAMES).collect(), statement: state.failed.take() }
}

/// Tells whether the system refused the host memory, be it for a new instance or for a stack.
fn is_out_of_memory(error: &wasmtime::Error) -> bool {
    let cause = error.root_cause();
    #[cfg(unix)]
    if cause.downcast_ref::<rustix::io::Errno>() == Some(&rustix::io::Errno::NOMEM) {
        return true;
    }
    cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::OutOfMemory)
}

fn demangle(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}
