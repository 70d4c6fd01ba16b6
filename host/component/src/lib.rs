//! Makes a component of a core WebAssembly module. Pure: bytes in, bytes out; runs nothing.

mod adapter;

use wasm_metadata::Producers;
use wasmparser::{Encoding, Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

/// The contract, as text.
pub const CONTRACT: &str = include_str!("../../../guest-sdk/wit/whimbrel.wit");

/// Worlds of the contract that a migration's component can have, and what each exports; of several that the exports of a
/// module fit, the first is meant.
const WORLDS: [(&str, &[&str]); 8] = [
    ("verified-reversible", &["up", "down", "verify"]),
    ("reversible", &["up", "down"]),
    ("verified-migration", &["up", "verify"]),
    ("migration", &["up"]),
    ("verified-reversible-transform", &["apply", "revert", "verify"]),
    ("reversible-transform", &["apply", "revert"]),
    ("verified-transform", &["apply", "verify"]),
    ("transform", &["apply"]),
];

/// How a module becomes a component.
#[derive(Clone, Debug, Default)]
pub struct Wrapping {
    /// The world of the contract; none lets the exports decide.
    pub world: Option<String>,
    /// The language it is written in, for `inspect`.
    pub language: Option<String>,
    /// What compiled it: name and version.
    pub tool: Option<(String, String)>,
}

/// Why there is no component.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WrapError {
    /// Not WebAssembly.
    #[error("the file is not WebAssembly")]
    NotWasm,
    /// Broken.
    #[error("the module is damaged: {reason}")]
    Malformed {
        /// What is wrong.
        reason: String,
    },
    /// It exports none of the contract's functions.
    #[error("the module exports neither up nor apply, but {exports}")]
    NoWorld {
        /// What it exports.
        exports: String,
    },
    /// There is no such world.
    #[error("a migration has no world {world}; it has one of {}", WORLDS.map(|(name, _)| name).join(", "))]
    UnknownWorld {
        /// What was asked for.
        world: String,
    },
    /// The world that was named has no `verify`, and the module has.
    #[error("the module exports verify, and nobody would ask it: the world {world} has none")]
    Unasked {
        /// The world.
        world: String,
    },
    /// It does not fit the world.
    #[error("the module does not fit the contract: {reason}")]
    Encode {
        /// What does not fit.
        reason: String,
    },
}

/// Makes a component of a core module: describes its world, unless it brings a description, stands in for WASI, and
/// records what made it. Of a component only the record is made.
pub fn wrap(bytes: &[u8], wrapping: &Wrapping) -> Result<Vec<u8>, WrapError> {
    let module = Module::read(bytes)?;
    if module.is_component {
        return record(bytes, wrapping);
    }
    let encode = |error| WrapError::Encode { reason: format!("{error:#}") };
    let mut resolve = Resolve::default();
    let package = resolve.push_str("whimbrel.wit", CONTRACT).map_err(encode)?;
    let mut bytes = record(&without_debug(bytes), wrapping)?;
    if !module.describes_itself {
        let name = match &wrapping.world {
            Some(world) => module.named(world)?,
            None => module.world()?,
        };
        let world = resolve.select_world(&[package], Some(name)).map_err(encode)?;
        wit_component::embed_component_metadata(&mut bytes, &resolve, world, StringEncoding::UTF8).map_err(encode)?;
    }
    let mut encoder = ComponentEncoder::default().module(&bytes).map_err(encode)?.validate(true);
    if module.wants_wasi {
        encoder = encoder.adapter(adapter::NAME, &adapter::module(&resolve, package)?).map_err(encode)?;
    }
    encoder.encode().map_err(encode)
}

/// Leaves out what only debuggers read, which can be many times the code. The names of functions stay, for backtraces.
fn without_debug(bytes: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for payload in Parser::new(0).parse_all(bytes).flatten() {
        let Payload::CustomSection(section) = payload else { continue };
        let (contents, name) = (section.range(), section.name());
        if !name.starts_with(".debug") && name != "sourceMappingURL" {
            continue;
        }
        // Before the contents stand the section's number, 0, and its size; nothing else is between two sections.
        let start = (from..contents.start).rev().find(|at| header_ends(bytes, *at, contents.clone()));
        if let Some(start) = start {
            kept.extend_from_slice(&bytes[from..start]);
            from = contents.end;
        }
    }
    kept.extend_from_slice(&bytes[from..]);
    kept
}

/// Tells whether a custom section with these contents begins here.
fn header_ends(bytes: &[u8], at: usize, contents: std::ops::Range<usize>) -> bool {
    let size =
        bytes[at + 1..contents.start].iter().rev().fold(0_usize, |size, byte| size << 7 | usize::from(byte & 0x7f));
    let more = bytes[at + 1..contents.start].iter().rev().skip(1).all(|byte| byte & 0x80 != 0);
    bytes[at] == 0 && more && size == contents.len() && contents.start - at <= 6 && contents.start > at + 1
}

/// Adds who made it to the bytes.
fn record(bytes: &[u8], wrapping: &Wrapping) -> Result<Vec<u8>, WrapError> {
    if wrapping.language.is_none() && wrapping.tool.is_none() {
        return Ok(bytes.to_vec());
    }
    let mut producers = Producers::empty();
    if let Some(language) = &wrapping.language {
        producers.add("language", language, "");
    }
    if let Some((name, version)) = &wrapping.tool {
        producers.add("processed-by", name, version);
    }
    producers.add_to_wasm(bytes).map_err(|error| WrapError::Malformed { reason: format!("{error:#}") })
}

/// What is to be known about the bytes.
#[derive(Default)]
struct Module {
    is_component: bool,
    describes_itself: bool,
    wants_wasi: bool,
    exports: Vec<String>,
}

impl Module {
    fn read(bytes: &[u8]) -> Result<Self, WrapError> {
        if !bytes.starts_with(b"\0asm") {
            return Err(WrapError::NotWasm);
        }
        let malformed = |error: wasmparser::BinaryReaderError| WrapError::Malformed { reason: error.to_string() };
        let mut module = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(malformed)? {
                Payload::Version { encoding: Encoding::Component, .. } => {
                    module.is_component = true;
                    return Ok(module);
                }
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        module.wants_wasi |= import.map_err(malformed)?.module == adapter::NAME;
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        module.exports.push(export.map_err(malformed)?.name.to_owned());
                    }
                }
                Payload::CustomSection(section) => {
                    module.describes_itself |= section.name().starts_with("component-type");
                }
                _ => {}
            }
        }
        Ok(module)
    }

    /// Finds the world that was named for it. A check that is left out would look like one that holds; but what exports
    /// everything, as the SDK for Go does, has only the world to say what it is.
    fn named(&self, world: &str) -> Result<&'static str, WrapError> {
        let found = WORLDS.iter().find(|(name, _)| *name == world);
        let (name, exports) = found.ok_or_else(|| WrapError::UnknownWorld { world: world.to_owned() })?;
        let has = |name| self.exports.iter().any(|export| export == name);
        if has("verify") && !exports.contains(&"verify") && !(has("up") && has("apply")) {
            return Err(WrapError::Unasked { world: world.to_owned() });
        }
        Ok(name)
    }

    fn world(&self) -> Result<&'static str, WrapError> {
        let has = |name: &&str| self.exports.iter().any(|export| export == name);
        let found = WORLDS.iter().find(|(_, exports)| exports.iter().all(has));
        found.map(|(name, _)| *name).ok_or_else(|| {
            let exports: Vec<_> = self.exports.iter().map(|name| name.escape_debug().to_string()).collect();
            let exports = if exports.is_empty() { "nothing".to_owned() } else { exports.join(", ") };
            WrapError::NoWorld { exports }
        })
    }
}
