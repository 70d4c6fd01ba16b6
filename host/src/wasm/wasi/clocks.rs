//! `wasi:clocks` and `wasi:io/poll`: a clock that stands still, and waiting that takes no time.
//!
//! The clock on the wall stands at the run's recorded start. The monotonic clock begins at 0 and moves a little at each
//! look and by as much as a guest waits, so that every loop that waits for it ends, at once and always alike.

use std::collections::BTreeMap;

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Linker, Lower, Resource, ResourceType};

use super::{Wasi, interface};
use crate::wasm::state::State;

type Store<'a> = StoreContextMut<'a, State>;

/// How far the monotonic clock moves at each look: one millisecond.
const STEP: u64 = 1_000_000;

/// Something to wait for: a moment of the monotonic clock.
pub(super) struct Pollable;

/// The moments that handles stand for.
#[derive(Default)]
pub(super) struct Waits {
    moments: BTreeMap<u32, u64>,
    last: u32,
}

#[derive(ComponentType, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

impl Wasi {
    fn look(&mut self) -> u64 {
        self.elapsed = self.elapsed.saturating_add(STEP);
        self.elapsed
    }

    /// Makes a handle on a moment; 0 is always over.
    pub(super) fn wait_for(&mut self, moment: u64) -> Resource<Pollable> {
        self.waits.last = self.waits.last.wrapping_add(1);
        self.waits.moments.insert(self.waits.last, moment);
        Resource::new_own(self.waits.last)
    }

    fn moment(&self, pollable: &Resource<Pollable>) -> u64 {
        self.waits.moments.get(&pollable.rep()).copied().unwrap_or(0)
    }

    /// Lets the time pass until one of the moments is over, and returns which are.
    fn poll(&mut self, moments: &[u64]) -> Vec<u32> {
        let first = moments.iter().min().copied().unwrap_or(0);
        self.elapsed = self.elapsed.max(first);
        let over = (0..).zip(moments).filter(|(_, moment)| **moment <= self.elapsed);
        over.map(|(index, _)| index).collect()
    }
}

pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut wall = linker.instance(&interface("clocks/wall-clock"))?;
    wall.func_wrap("now", |store: Store<'_>, (): ()| {
        let started_at = store.data().wasi.started_at;
        // Below a thousand milliseconds, so it fits.
        let nanoseconds = u32::try_from(started_at % 1000).unwrap_or(0) * 1_000_000;
        Ok((Datetime { seconds: started_at / 1000, nanoseconds },))
    })?;
    wall.func_wrap("resolution", |_: Store<'_>, (): ()| Ok((Datetime { seconds: 0, nanoseconds: 1_000_000 },)))?;

    let mut monotonic = linker.instance(&interface("clocks/monotonic-clock"))?;
    monotonic.func_wrap("now", |mut store: Store<'_>, (): ()| Ok((store.data_mut().wasi.look(),)))?;
    monotonic.func_wrap("resolution", |_: Store<'_>, (): ()| Ok((STEP,)))?;
    monotonic.func_wrap("subscribe-instant", |mut store: Store<'_>, (when,): (u64,)| {
        Ok((store.data_mut().wasi.wait_for(when),))
    })?;
    monotonic.func_wrap("subscribe-duration", |mut store: Store<'_>, (length,): (u64,)| {
        let wasi = &mut store.data_mut().wasi;
        Ok((wasi.wait_for(wasi.elapsed.saturating_add(length)),))
    })?;

    let mut poll = linker.instance(&interface("io/poll"))?;
    poll.resource("pollable", ResourceType::host::<Pollable>(), |mut store, handle| {
        store.data_mut().wasi.waits.moments.remove(&handle);
        Ok(())
    })?;
    poll.func_wrap("[method]pollable.ready", |mut store: Store<'_>, (pollable,): (Resource<Pollable>,)| {
        let wasi = &mut store.data_mut().wasi;
        let moment = wasi.moment(&pollable);
        Ok((wasi.look() >= moment,))
    })?;
    poll.func_wrap("[method]pollable.block", |mut store: Store<'_>, (pollable,): (Resource<Pollable>,)| {
        let wasi = &mut store.data_mut().wasi;
        wasi.poll(&[wasi.moment(&pollable)]);
        Ok(())
    })?;
    poll.func_wrap("poll", |mut store: Store<'_>, (pollables,): (Vec<Resource<Pollable>>,)| {
        if pollables.is_empty() {
            return Err(wasmtime::Error::msg("the guest waits for nothing"));
        }
        let wasi = &mut store.data_mut().wasi;
        let moments: Vec<u64> = pollables.iter().map(|pollable| wasi.moment(pollable)).collect();
        Ok((wasi.poll(&moments),))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wait_ends() {
        let mut wasi = Wasi::new(5, 7);
        assert_eq!((wasi.look(), wasi.look()), (STEP, 2 * STEP));
        assert_eq!(wasi.poll(&[100 * STEP, 50 * STEP, 50 * STEP, 0]), [3]);
        assert_eq!(wasi.poll(&[100 * STEP, 50 * STEP, 50 * STEP]), [1, 2]);
        assert_eq!(wasi.look(), 51 * STEP);
        assert_eq!(wasi.poll(&[u64::MAX]), [0]);
        assert_eq!(wasi.look(), u64::MAX);
    }
}
