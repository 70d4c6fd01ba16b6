//! Memory as C wants it, out of Rust's: before each piece stands how long it is.
#![expect(unsafe_code, reason = "C frees what it has without saying how long it is")]

use std::alloc::{self, Layout};
use std::ffi::c_void;
use std::ptr;

use rquickjs_sys::size_t;

/// Bytes before a piece, and what everything is aligned to.
const HEAD: usize = 8;

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(HEAD)?, HEAD).ok()
}

/// Writes the length before a piece, and returns the piece.
unsafe fn piece(start: *mut u8, size: usize) -> *mut c_void {
    if start.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: `start` begins at least `HEAD` bytes, aligned to it.
    unsafe {
        start.cast::<usize>().write(size);
        start.add(HEAD).cast()
    }
}

/// Returns the beginning and the length of a piece that [`piece`] made.
unsafe fn whole(piece: *const c_void) -> (*mut u8, usize) {
    // SAFETY: the length stands `HEAD` bytes before it.
    unsafe {
        let start = piece.cast::<u8>().sub(HEAD).cast_mut();
        (start, start.cast::<usize>().read())
    }
}

pub(crate) unsafe extern "C" fn malloc(_: *mut c_void, size: size_t) -> *mut c_void {
    let size = size as usize;
    let Some(layout) = layout(size) else { return ptr::null_mut() };
    // SAFETY: never without a length.
    unsafe { piece(alloc::alloc(layout), size) }
}

pub(crate) unsafe extern "C" fn calloc(_: *mut c_void, count: size_t, size: size_t) -> *mut c_void {
    let Some(size) = (count as usize).checked_mul(size as usize) else { return ptr::null_mut() };
    let Some(layout) = layout(size) else { return ptr::null_mut() };
    // SAFETY: never without a length.
    unsafe { piece(alloc::alloc_zeroed(layout), size) }
}

pub(crate) unsafe extern "C" fn free(_: *mut c_void, piece: *mut c_void) {
    if piece.is_null() {
        return;
    }
    // SAFETY: made here, with this layout.
    unsafe {
        let (start, size) = whole(piece);
        if let Some(layout) = layout(size) {
            alloc::dealloc(start, layout);
        }
    }
}

pub(crate) unsafe extern "C" fn realloc(opaque: *mut c_void, old: *mut c_void, size: size_t) -> *mut c_void {
    if old.is_null() {
        // SAFETY: as `malloc`.
        return unsafe { malloc(opaque, size) };
    }
    let new = size as usize;
    // SAFETY: made here, with this layout.
    unsafe {
        let (start, size) = whole(old);
        match (layout(size), layout(new)) {
            (Some(before), Some(after)) => piece(alloc::realloc(start, before, after.size()), new),
            _ => ptr::null_mut(),
        }
    }
}

pub(crate) unsafe extern "C" fn size(piece: *const c_void) -> size_t {
    if piece.is_null() {
        return 0;
    }
    // SAFETY: made here.
    unsafe { whole(piece).1 as size_t }
}
