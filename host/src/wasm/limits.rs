//! What bounds a guest: fuel, memory, tables and handles.

use wasmtime::{ResourceLimiter, Store};

use super::state::State;
use super::used::Used;
use crate::limits::{Limit, LimitReached, RunLimits};

/// Handles a component's instances may hold on what they make for each other, beside those of the contract.
const OWN_HANDLES: usize = 1_000;

/// Bounds memories, tables and instances of one store, together with those it counts with, and keeps the first limit met.
#[derive(Debug)]
pub(super) struct Bounds {
    pub(super) limits: RunLimits,
    pub(super) used: Used,
    reached: Option<LimitReached>,
}

impl Bounds {
    /// Bounds one more of the instances that have used so much together.
    pub(super) fn new(limits: RunLimits, used: Used) -> Self {
        Self { limits, used, reached: None }
    }

    /// Returns the first limit that was met.
    pub(super) fn reached(&self) -> Option<LimitReached> {
        self.reached
    }

    /// Checks an amount and keeps the limit if it is met, whatever the guest makes of it.
    pub(super) fn check(&mut self, limit: Limit, amount: u64) -> Result<(), LimitReached> {
        self.limits.check(limit, amount).inspect_err(|reached| self.meet(*reached))
    }

    /// Keeps the first limit met.
    pub(super) fn meet(&mut self, reached: LimitReached) {
        self.reached.get_or_insert(reached);
    }
}

impl ResourceLimiter for Bounds {
    /// Traps at the limit: a guest that were told could only go on with less than it needs.
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current) as u64;
        self.check(Limit::Memory, self.used.memory_with(more))?;
        self.used.grow_memory(more);
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current) as u64;
        self.check(Limit::TableElements, self.used.elements_with(more))?;
        self.used.grow_elements(more);
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.limits.size(Limit::Instances)
    }

    fn tables(&self) -> usize {
        self.limits.size(Limit::Tables)
    }

    fn memories(&self) -> usize {
        self.limits.size(Limit::Memories)
    }
}

/// Finds the limit that the engine's own words stand for.
pub(super) fn recognise(error: &wasmtime::Error) -> Option<Limit> {
    if error.downcast_ref::<wasmtime::Trap>() == Some(&wasmtime::Trap::OutOfFuel) {
        return Some(Limit::Fuel);
    }
    let words = error.root_cause().to_string();
    let counted = |limit| words.contains("count too high").then_some(limit);
    match words.strip_prefix("resource limit exceeded: ") {
        Some(rest) if rest.starts_with("memory") => return counted(Limit::Memories),
        Some(rest) if rest.starts_with("table") => return counted(Limit::Tables),
        Some(rest) if rest.starts_with("instance") => return counted(Limit::Instances),
        _ => {}
    }
    if words.contains("fuel allocated for hostcalls") {
        return Some(Limit::BytesPerCall);
    }
    words.starts_with("cannot allocate another handle").then_some(Limit::OpenHandles)
}

/// Puts the limits on what a store's guest may use.
pub(super) fn bound(store: &mut Store<State>, limits: &RunLimits) -> wasmtime::Result<()> {
    store.limiter(|state| &mut state.bounds);
    store.set_fuel(limits.of(Limit::Fuel))?;
    // Twice the limit: what is a little beyond is an answer for the guest, what is far beyond a trap. The engine
    // counts a value by its size in the host, which for short ones is more than its own.
    store.set_hostcall_fuel(limits.size(Limit::BytesPerCall).saturating_mul(2).saturating_add(1 << 20));
    store.set_max_component_handles(limits.size(Limit::OpenHandles).saturating_add(OWN_HANDLES));
    Ok(())
}
