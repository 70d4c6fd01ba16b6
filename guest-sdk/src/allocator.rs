//! Memory for guests. Small pieces come from lists of pieces of their size, which takes a tenth of what the allocator of
//! Rust's library takes in the sandbox; large ones come from that.
//!
//! Memory that was a small piece stays one of its size: at worst a guest has, for each size, what it once had of it.
#![expect(unsafe_code, reason = "an allocator hands out memory")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;

#[global_allocator]
static LISTS: Lists =
    Lists { free: [const { Cell::new(ptr::null_mut()) }; SIZES], next: Cell::new(ptr::null_mut()), left: Cell::new(0) };

/// Sizes are multiples of this, and everything is aligned to it.
const STEP: usize = 16;
/// The largest of the small pieces.
const MOST: usize = 512;
const SIZES: usize = MOST / STEP;
/// What small pieces are cut from.
const BLOCK: usize = 16 << 10;

/// Pieces that are free, each with the address of the next one in it.
struct Lists {
    free: [Cell<*mut u8>; SIZES],
    /// What is left of the block that pieces are cut from.
    next: Cell<*mut u8>,
    left: Cell<usize>,
}

// SAFETY: this is compiled for Wasm without atomics only, where there is one thread.
unsafe impl Sync for Lists {}

/// Tells which list a piece is from; nothing for a large one.
#[inline]
fn list(layout: Layout) -> Option<usize> {
    (layout.size() <= MOST && layout.align() <= STEP).then(|| layout.size().saturating_sub(1) / STEP)
}

impl Lists {
    /// Cuts a new piece; null when there is no more memory.
    #[cold]
    fn cut(&self, list: usize) -> *mut u8 {
        let size = (list + 1) * STEP;
        if self.left.get() < size {
            // SAFETY: a block is not empty, and its alignment is a power of two.
            let block = unsafe { System.alloc(Layout::from_size_align_unchecked(BLOCK, STEP)) };
            if block.is_null() {
                return block;
            }
            self.next.set(block);
            self.left.set(BLOCK);
        }
        let piece = self.next.get();
        // SAFETY: as much is left of the block.
        self.next.set(unsafe { piece.add(size) });
        self.left.set(self.left.get() - size);
        piece
    }
}

// SAFETY: a piece is in a list or somebody's, and never both; it has the size of its list, which the layout tells both
// times, and is aligned to `STEP`, as blocks and sizes are.
unsafe impl GlobalAlloc for Lists {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(list) = list(layout) else {
            // SAFETY: the caller's promise.
            return unsafe { System.alloc(layout) };
        };
        let piece = self.free[list].get();
        if piece.is_null() {
            return self.cut(list);
        }
        // SAFETY: a free piece begins with the address of the next one.
        self.free[list].set(unsafe { piece.cast::<*mut u8>().read() });
        piece
    }

    #[inline]
    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        let Some(list) = list(layout) else {
            // SAFETY: the caller's promise.
            return unsafe { System.dealloc(piece, layout) };
        };
        // SAFETY: nobody has the piece any more, and it has room for an address.
        unsafe { piece.cast::<*mut u8>().write(self.free[list].get()) };
        self.free[list].set(piece);
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if list(layout).is_none() {
            // SAFETY: the caller's promise. New memory is zero already, which the system knows.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // SAFETY: the caller's promise, and the piece has this size.
        unsafe {
            let piece = self.alloc(layout);
            if !piece.is_null() {
                piece.write_bytes(0, layout.size());
            }
            piece
        }
    }

    #[inline]
    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise: `size` fits the alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (list(layout), list(wanted)) {
            (Some(before), Some(after)) if before == after => piece,
            // SAFETY: the caller's promise.
            (None, None) => unsafe { System.realloc(piece, layout, size) },
            // SAFETY: the caller's promise, and both pieces have as many bytes.
            _ => unsafe {
                let moved = self.alloc(wanted);
                if !moved.is_null() {
                    ptr::copy_nonoverlapping(piece, moved, layout.size().min(size));
                    self.dealloc(piece, layout);
                }
                moved
            },
        }
    }
}
