//! The engines that the program carries, compressed.

use std::borrow::Cow;

/// Room for those there are; the files do not tell their size. What fits is unpacked in one piece: in a stream
/// each byte would be copied again from the decoder's window, and again whenever the result grows. What is not written
/// to is never touched.
const ROOM: usize = 32 << 20;

/// An engine that the program carries.
#[derive(Debug)]
pub(super) struct BuiltIn {
    pub(super) name: &'static str,
    /// What it says of itself too; here so that nothing has to be unpacked to know which files are scripts.
    pub(super) extensions: &'static [&'static str],
    packed: &'static [u8],
}

/// All of them. `cargo xtask plugins --update` makes the files.
pub(super) static ALL: &[BuiltIn] = &[
    BuiltIn {
        name: "javascript",
        extensions: &["js", "mjs", "ts", "mts"],
        packed: include_bytes!("../../engines/quickjs.wasm.zst"),
    },
    #[cfg(feature = "engine-python")]
    BuiltIn { name: "python", extensions: &["py"], packed: include_bytes!("../../engines/monty.wasm.zst") },
];

impl BuiltIn {
    /// Returns its component.
    pub(super) fn unpack(&self) -> Cow<'static, [u8]> {
        let unpacked = zstd::bulk::decompress(self.packed, ROOM).or_else(|_| zstd::decode_all(self.packed));
        Cow::Owned(unpacked.expect("the program's own bytes are what was packed"))
    }
}
