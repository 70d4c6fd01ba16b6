//! A transform that behaves well or badly, as the parameter `do` in its manifest says.

pub mod rows;
#[path = "../../../bench/guest/src/work.rs"]
pub mod work;

#[cfg(target_family = "wasm")]
mod raw;
