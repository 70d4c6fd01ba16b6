//! Bounds the memory that SQLite takes while guests run.
//!
//! SQLite counts what all connections of the process take together, and that is what it can be told to bound. So a
//! guest may have so much beyond what was taken when the first of those that run began, and guests that run at the same
//! time have the sum of what each may have. Other connections of the process count as well.
//!
//! One of the seven files of the host with unsafe code: `rusqlite` has no names for these functions.
//!
//! Why it is sound: they take and return numbers, apart from two places for numbers that outlive the call, and may be
//! called in any thread. A connection is open whenever they are called, so SQLite is initialised.
#![allow(unsafe_code, reason = "see above")]

use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rusqlite::ffi;

/// What is in force in this process. SQLite's own setting is the process's, too.
static IN_FORCE: Mutex<InForce> =
    Mutex::new(InForce { bounds: 0, together: 0, taken: 0, hard: 0, soft: 0, preparing: None });

struct InForce {
    /// How many bounds there are.
    bounds: u32,
    /// What they allow together.
    together: i64,
    /// What was taken before the first of them.
    taken: i64,
    /// SQLite's limits before the first of them; 0 is none.
    hard: i64,
    soft: i64,
    /// The limit while a guest's statement is being prepared.
    preparing: Option<i64>,
}

impl InForce {
    /// The limit that SQLite is to have.
    fn limit(&self) -> i64 {
        let limit = self.taken.saturating_add(self.together);
        let limit = self.preparing.map_or(limit, |preparing| limit.min(preparing));
        if self.hard > 0 { limit.min(self.hard) } else { limit }
    }
}

/// A bound, in force until it is dropped.
pub(super) struct HeapBound {
    bytes: i64,
}

impl HeapBound {
    /// Lets SQLite take so many bytes more than it has taken.
    pub(super) fn begin(bytes: u64) -> Self {
        // A limit of 0 is none.
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX).max(1);
        let mut all = IN_FORCE.lock().unwrap_or_else(PoisonError::into_inner);
        if all.bounds == 0 {
            *all = InForce { taken: used().0, hard: hard_limit(-1), soft: soft_limit(-1), ..*all };
        }
        all.bounds += 1;
        all.preparing = None;
        all.together = all.together.saturating_add(bytes);
        hard_limit(all.limit());
        Self { bytes }
    }

    /// Tells whether it can be what SQLite was refused memory by.
    pub(super) fn can_be_met(&self) -> bool {
        let limit = IN_FORCE.lock().unwrap_or_else(PoisonError::into_inner).limit();
        would_pass(limit)
    }
}

/// Bounds what one statement takes while it is prepared, until it is dropped: from a short text SQLite can make a program of any
/// length, in one go and without a look at the clock, and only memory stops it.
///
/// Where guests run at the same time nothing is bounded: it would be the others, too.
pub(super) struct PrepareBound<'a> {
    bytes: Option<i64>,
    met: &'a AtomicBool,
}

impl<'a> PrepareBound<'a> {
    /// Lets SQLite take so many bytes more than it has; `met` is set if it was refused memory for that.
    pub(super) fn begin(bytes: u64, met: &'a AtomicBool) -> Self {
        let mut all = IN_FORCE.lock().unwrap_or_else(PoisonError::into_inner);
        if all.bounds != 1 {
            return Self { bytes: None, met };
        }
        // What was highest before is no sign of what happens now.
        let now = status(ffi::SQLITE_STATUS_MEMORY_USED, true).0;
        status(ffi::SQLITE_STATUS_MALLOC_SIZE, true);
        let bytes = now.saturating_add(i64::try_from(bytes).unwrap_or(i64::MAX));
        all.preparing = Some(bytes);
        hard_limit(all.limit());
        Self { bytes: Some(bytes), met }
    }
}

impl Drop for PrepareBound<'_> {
    fn drop(&mut self) {
        let Some(bytes) = self.bytes else { return };
        self.met.store(would_pass(bytes), Ordering::Relaxed);
        let mut all = IN_FORCE.lock().unwrap_or_else(PoisonError::into_inner);
        if all.preparing.take().is_some() {
            hard_limit(all.limit());
            soft_limit(all.soft);
        }
    }
}

/// Tells whether so much memory may have been asked for that it would have passed a limit.
fn would_pass(limit: i64) -> bool {
    let (_, highest) = used();
    let (_, largest) = status(ffi::SQLITE_STATUS_MALLOC_SIZE, false);
    highest.saturating_add(largest) >= limit
}

impl Drop for HeapBound {
    fn drop(&mut self) {
        let mut all = IN_FORCE.lock().unwrap_or_else(PoisonError::into_inner);
        all.bounds -= 1;
        if all.bounds > 0 {
            all.together = all.together.saturating_sub(self.bytes);
            hard_limit(all.limit());
        } else {
            all.together = 0;
            hard_limit(all.hard);
            // It is never above the other, and went down with it.
            soft_limit(all.soft);
        }
    }
}

/// Sets SQLite's limit and returns the one before; a negative one sets nothing.
fn hard_limit(bytes: i64) -> i64 {
    // SAFETY: numbers only.
    unsafe { ffi::sqlite3_hard_heap_limit64(bytes) }
}

/// Sets from where on SQLite is sparing, and returns what was before; a negative one sets nothing.
fn soft_limit(bytes: i64) -> i64 {
    // SAFETY: numbers only.
    unsafe { ffi::sqlite3_soft_heap_limit64(bytes) }
}

/// Returns the bytes that SQLite has now, and the most it has had.
fn used() -> (i64, i64) {
    status(ffi::SQLITE_STATUS_MEMORY_USED, false)
}

/// Returns how much there is now and what was the most; `anew` forgets that.
fn status(what: c_int, anew: bool) -> (i64, i64) {
    let (mut now, mut highest) = (0, 0);
    // SAFETY: both places outlive the call.
    unsafe { ffi::sqlite3_status64(what, &raw mut now, &raw mut highest, c_int::from(anew)) };
    (now, highest)
}
