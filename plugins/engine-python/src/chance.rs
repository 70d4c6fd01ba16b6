//! Chance as the interpreter asks the system for it: the same in every run. What scripts draw begins with their seed.
#![expect(unsafe_code, reason = "the name under which getrandom calls it")]

use std::cell::Cell;

thread_local! {
    static STATE: Cell<u64> = const { Cell::new(0x9e37_79b9_7f4a_7c15) };
}

#[unsafe(no_mangle)]
unsafe extern "Rust" fn __getrandom_v03_custom(place: *mut u8, length: usize) -> Result<(), getrandom::Error> {
    // SAFETY: getrandom gives a place of this length that nobody else uses.
    let bytes = unsafe {
        std::ptr::write_bytes(place, 0, length);
        std::slice::from_raw_parts_mut(place, length)
    };
    for byte in bytes {
        // xorshift64: all that is wanted are numbers that differ.
        let mut state = STATE.get();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        STATE.set(state);
        *byte = (state >> 56) as u8;
    }
    Ok(())
}
