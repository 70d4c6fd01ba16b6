//! Counts what is allocated, which is how the interpreter knows when a script has too much.
#![expect(unsafe_code, reason = "an allocator is")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::Ordering::Relaxed;

use monty_types::{BASELINE_MEMORY, LIVE_MEMORY};

/// Bytes of an instance's memory that scripts do not get: the interpreter's own, and what is on its way to the host.
const RESERVED: u64 = 16 << 20;

thread_local! {
    static LIMIT: Cell<Option<usize>> = const { Cell::new(None) };
}

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE_MEMORY.fetch_add(layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        LIVE_MEMORY.fetch_add(layout.size(), Relaxed);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        LIVE_MEMORY.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(piece, layout) }
    }

    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LIVE_MEMORY.fetch_sub(layout.size(), Relaxed);
        LIVE_MEMORY.fetch_add(size, Relaxed);
        unsafe { System.realloc(piece, layout, size) }
    }
}

/// Decides how much of an instance's memory scripts get; pieces of it are lost between others. `None` is no limit.
pub(crate) fn limit(memory: u64) -> Option<usize> {
    // What is there already counts: an instance is new.
    BASELINE_MEMORY.store(0, Relaxed);
    let limit = memory.saturating_sub(RESERVED + memory / 8).max(1 << 20);
    LIMIT.set((memory > 0).then(|| usize::try_from(limit).unwrap_or(usize::MAX)));
    LIMIT.get()
}

/// Tells whether this is more than scripts get.
pub(crate) fn beyond(bytes: usize) -> bool {
    LIMIT.get().is_some_and(|limit| bytes > limit)
}

/// Returns how much is allocated.
pub(crate) fn used() -> usize {
    LIVE_MEMORY.load(Relaxed)
}
