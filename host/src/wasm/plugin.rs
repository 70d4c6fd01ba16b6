//! One compiled component: a new store and instance for each call, the session goes in and comes back.

use std::sync::Arc;
use std::time::Instant;

use wasmtime::component::{InstancePre, Resource, TypedFunc};
use wasmtime::{Store, Trap, WasmBacktrace};

use super::bindings::whimbrel::migration::types::Context;
use super::error::{CompileError, PluginError};
use super::handles::TransactionHandle;
use super::inspect::Inspection;
use super::limits::{self, Bounds, RunLimits, Watchdog};
use super::state::{GuestEvents, State};
use crate::db::Session;
use crate::interrupt::Interrupt;

/// Seeds stay where every language's numbers are exact.
const SEED_MASK: u64 = (1 << 53) - 1;
/// Frames kept of a guest's backtrace.
const BACKTRACE_FRAMES: usize = 30;

type Export = TypedFunc<(Resource<TransactionHandle>, Context), (Result<(), String>,)>;

/// One compiled component.
pub struct Plugin {
    linked: InstancePre<State>,
    inspection: Inspection,
}

/// What to call, and under which conditions.
pub struct Call<'a> {
    /// `up` or `down`.
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
    /// The manifest's parameters.
    pub params: Vec<(String, String)>,
    /// What it may use.
    pub limits: RunLimits,
    /// Stops it from outside.
    pub interrupt: Interrupt,
    /// Hears what it says.
    pub events: Arc<dyn GuestEvents>,
}

/// What a finished call used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Output {
    /// Fuel burnt.
    pub fuel: u64,
}

/// A guest that may log while it is looked at, to nobody.
struct Silent;

impl GuestEvents for Silent {
    fn log(&self, _: crate::LogLevel, _: &str) {}
    fn progress(&self, _: u64, _: Option<u64>) {}
}

impl Plugin {
    /// Checks, on a trial instance without any session, that the exports have the contract's types.
    pub(super) fn new(linked: InstancePre<State>, inspection: Inspection) -> Result<Self, CompileError> {
        let plugin = Self { linked, inspection };
        plugin.check_exports().map_err(|error| CompileError::Invalid { reason: format!("{error:#}") })?;
        Ok(plugin)
    }

    /// Returns what its bytes told.
    pub fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    fn check_exports(&self) -> wasmtime::Result<()> {
        let limits = RunLimits::default();
        let mut store = self.store(&limits, None, Arc::new(Silent));
        let _watchdog = limits::apply(&mut store, &limits, &Interrupt::new())?;
        let instance = self.linked.instantiate(&mut store)?;
        for export in ["up", "down"] {
            if self.inspection.exports.iter().any(|name| name == export) {
                let typed: wasmtime::Result<Export> = instance.get_typed_func(&mut store, export);
                typed.map_err(|error| {
                    error.context(format!("the export {export} has other types than the contract's"))
                })?;
            }
        }
        Ok(())
    }

    fn store(
        &self,
        limits: &RunLimits,
        session: Option<Box<dyn Session>>,
        events: Arc<dyn GuestEvents>,
    ) -> Store<State> {
        Store::new(self.linked.engine(), State::new(Bounds::new(limits), session, events))
    }

    /// Calls an export with the session's open transaction. The session comes back with its handles closed, whatever
    /// happened; whether to commit is the caller's decision.
    pub fn call(&self, session: Box<dyn Session>, call: &Call<'_>) -> (Box<dyn Session>, Result<Output, PluginError>) {
        let mut store = self.store(&call.limits, Some(session), Arc::clone(&call.events));
        let result = limits::apply(&mut store, &call.limits, &call.interrupt)
            .map_err(|error| PluginError::Trapped {
                reason: format!("{error:#}"),
                backtrace: Vec::new(),
                statement: None,
            })
            .and_then(|watchdog| self.run(&mut store, call, &watchdog));
        let fuel = call.limits.fuel.saturating_sub(store.get_fuel().unwrap_or(0));
        let mut session = store.into_data().session.expect("nobody takes the session out during a call");
        session.set_deadline(None);
        session.close_handles();
        (session, result.map(|()| Output { fuel }))
    }

    fn run(&self, store: &mut Store<State>, call: &Call<'_>, watchdog: &Watchdog) -> Result<(), PluginError> {
        if let Ok(session) = store.data_mut().session() {
            session.set_deadline(Some(watchdog.deadline));
        }
        let returned = self.invoke(store, call);
        if call.interrupt.is_raised() {
            return Err(PluginError::Interrupted);
        }
        if watchdog.timed_out() || Instant::now() >= watchdog.deadline {
            return Err(PluginError::Limit { limit: "time", value: format!("{:?}", call.limits.time) });
        }
        match returned {
            Ok(Ok(())) => {
                let state = store.data_mut();
                let left = state.session().is_ok_and(|session| session.open_savepoints() > 0);
                if left || state.savepoint_dropped { Err(PluginError::SavepointOpen) } else { Ok(()) }
            }
            Ok(Err(message)) => Err(PluginError::Refused { message, statement: store.data_mut().failed.take() }),
            Err(error) => Err(explain(&error, store.data_mut(), call)),
        }
    }

    fn invoke(&self, store: &mut Store<State>, call: &Call<'_>) -> wasmtime::Result<Result<(), String>> {
        let instance = self.linked.instantiate(&mut *store)?;
        let export: Export = instance.get_typed_func(&mut *store, call.export)?;
        let (returned,) = export.call(store, (Resource::new_own(0), self.context(call)))?;
        Ok(returned)
    }

    fn context(&self, call: &Call<'_>) -> Context {
        let (seed, _) = self.inspection.checksum.0.split_first_chunk().expect("a digest has 32 bytes");
        Context {
            chain: call.chain.to_owned(),
            version: call.version.clone(),
            name: call.name.to_owned(),
            tenant: None,
            dry_run: call.dry_run,
            started_at: call.started_at,
            seed: u64::from_le_bytes(*seed) & SEED_MASK,
            params: call.params.clone(),
        }
    }
}

/// Tells a limit from a trap, and a trap with all that is known about it.
fn explain(error: &wasmtime::Error, state: &mut State, call: &Call<'_>) -> PluginError {
    let trap = error.downcast_ref::<Trap>();
    if trap == Some(&Trap::OutOfFuel) {
        return PluginError::Limit { limit: "fuel", value: call.limits.fuel.to_string() };
    }
    if state.bounds.memory_refused {
        return PluginError::Limit { limit: "memory", value: format!("{} bytes", call.limits.memory) };
    }
    let cause = trap.map_or_else(|| error.root_cause().to_string(), Trap::to_string);
    let reason = match state.last_words.take() {
        Some(words) => format!("{words} ({cause})"),
        None => cause,
    };
    let frames = error.downcast_ref::<WasmBacktrace>().map(WasmBacktrace::frames).unwrap_or_default();
    let names = frames
        .iter()
        .map(|frame| frame.func_name().map_or_else(|| format!("function {}", frame.func_index()), demangle));
    PluginError::Trapped { reason, backtrace: names.take(BACKTRACE_FRAMES).collect(), statement: state.failed.take() }
}

fn demangle(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}
