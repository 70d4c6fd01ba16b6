//! Measures whimbrel against native code and its peers.
fn main() {}
