//! Puts what unwinds the stack after a panic into the program, as `build.rs` found it: loading it from the system, as the
//! standard library would, takes two hundredths of a run that has nothing to do. Whoever uses the library decides this
//! for a program of their own.

#[link(name = "gcc_eh", kind = "static", modifiers = "-bundle")]
unsafe extern "C" {}
