//! The engines that the program carries, compressed.

use std::borrow::Cow;

use crate::model::Checksum;
use crate::wasm::Known;

/// An engine that the program carries.
#[derive(Debug)]
pub(super) struct BuiltIn {
    pub(super) name: &'static str,
    /// What it says of itself too; here so that nothing has to be unpacked to know which files are scripts.
    pub(super) extensions: &'static [&'static str],
    packed: &'static [u8],
    /// Digest and size of what is packed, so that nothing has to be unpacked that was compiled before.
    known: &'static str,
}

/// All of them. `cargo xtask plugins --update` makes the files.
pub(super) static ALL: &[BuiltIn] = &[
    BuiltIn {
        name: "javascript",
        extensions: &["js", "mjs", "ts", "mts"],
        packed: include_bytes!("../../engines/quickjs.wasm.zst"),
        known: include_str!("../../engines/quickjs.wasm.known"),
    },
    #[cfg(feature = "engine-python")]
    BuiltIn {
        name: "python",
        extensions: &["py"],
        packed: include_bytes!("../../engines/monty.wasm.zst"),
        known: include_str!("../../engines/monty.wasm.known"),
    },
];

impl BuiltIn {
    /// Returns its component. In one piece: in a stream each byte would be copied again from the decoder's window.
    pub(super) fn unpack(&self) -> Cow<'static, [u8]> {
        let unpacked = zstd::bulk::decompress(self.packed, self.known().size);
        Cow::Owned(unpacked.expect("the program's own bytes are what was packed"))
    }

    /// Returns what is known of its component.
    pub(super) fn known(&self) -> Known {
        let (checksum, size) = self.known.trim_end().split_once(' ').expect("a digest and a size");
        Known { checksum: checksum.parse::<Checksum>().expect("a digest"), size: size.parse().expect("a size") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wasm::{Compilation, ComponentCache, Engine, Inspection};

    #[test]
    fn what_is_known_of_an_engine_is_what_it_is() {
        for engine in ALL {
            let bytes = engine.unpack();
            let known = Known { checksum: Checksum::of(&bytes), size: bytes.len() };
            assert_eq!(engine.known(), known, "{}", engine.name);
        }
    }

    #[test]
    fn one_that_was_compiled_is_found_without_its_bytes() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = ComponentCache::Folder(folder.path().to_owned());
        let engine = Engine::for_scripts(&Compilation { cache, ..Compilation::default() }).expect("an engine");
        let known = ALL[0].known();
        assert!(engine.find(&known).expect("nothing fails").is_none());
        let compiled = engine.compile(&ALL[0].unpack()).expect("it compiles");
        let found = engine.find(&known).expect("nothing fails").expect("it is kept");
        let expected = Inspection { producers: Vec::new(), ..compiled.inspection().clone() };
        assert_eq!(*found.inspection(), expected);
    }
}
