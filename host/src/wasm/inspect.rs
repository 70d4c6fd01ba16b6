//! Looks into a component's bytes before anything is compiled.

use wasmparser::{Encoding, KnownCustom, Parser, Payload};

use super::script;
use super::wasi;
use crate::model::{Binary, Checksum};

/// The contract this host speaks.
const PACKAGE: &str = "whimbrel:migration";
const INTERFACES: [&str; 6] = ["types", "sql", "log", "rows", "signatures", "scripts"];
const CONTRACT: (u64, u64) = (0, 1);
/// The world of script engines.
const SCRIPT_ENGINE: &str = "script-engine";
/// What a migration exports that says itself whether it did what it should.
const VERIFY: &str = "verify";

/// What a component's bytes tell.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Inspection {
    /// Bytes.
    pub size: usize,
    /// SHA-256 of the bytes.
    pub checksum: Checksum,
    /// Names of what it imports, in order.
    pub imports: Vec<String>,
    /// Names of what it exports, in order.
    pub exports: Vec<String>,
    /// What made it: field (`language`, `processed-by`, `sdk`), name, version.
    pub producers: Vec<(String, String, String)>,
}

impl Inspection {
    /// Names the contract's world that the exports fit.
    pub fn world(&self) -> Option<&'static str> {
        let verified = self.exports(VERIFY);
        match (self.exports("up"), self.exports("apply")) {
            (true, _) => Some(match (self.exports("down"), verified) {
                (true, true) => "verified-reversible",
                (true, false) => "reversible",
                (false, true) => "verified-migration",
                (false, false) => "migration",
            }),
            (false, true) => Some(match (self.exports("revert"), verified) {
                (true, true) => "verified-reversible-transform",
                (true, false) => "reversible-transform",
                (false, true) => "verified-transform",
                (false, false) => "transform",
            }),
            (false, false) if self.exports("describe") && self.exports("call") => Some("functions"),
            (false, false) if !self.exports("down") && script::EXPORTS.into_iter().all(|name| self.exports(name)) => {
                Some(SCRIPT_ENGINE)
            }
            (false, false) => None,
        }
    }

    /// Tells whether an import is an interface of the contract.
    pub(super) fn is_of_contract(import: &str) -> bool {
        import.split_once('/').is_some_and(|(package, _)| package == PACKAGE)
    }

    fn exports(&self, name: &str) -> bool {
        self.exports.iter().any(|export| export == name)
    }

    /// Names the contract's functions that it exports.
    pub fn calls(&self) -> impl Iterator<Item = &'static str> {
        let names: &[&str] = match self.world() {
            Some(SCRIPT_ENGINE) => &script::EXPORTS,
            Some("functions") => &["describe", "call", "call-short", "long-answer"],
            _ => &["up", "down", "apply", "revert", "describe", "call", VERIFY],
        };
        names.iter().copied().filter(|name| self.exports(name))
    }

    /// Tells whether it can be reverted.
    pub fn is_reversible(&self) -> bool {
        self.exports(if self.is_transform() { "revert" } else { "down" }) && self.is_migration()
    }

    /// Tells whether it is a pure function from rows to rows.
    pub fn is_transform(&self) -> bool {
        self.exports("apply") && !self.exports("up")
    }

    /// Tells whether it is a migration that says itself whether it did what it should.
    pub fn is_verified(&self) -> bool {
        self.exports(VERIFY) && self.is_migration()
    }

    fn is_migration(&self) -> bool {
        self.exports("up") || self.exports("apply")
    }

    /// Tells whether it runs scripts.
    pub fn is_engine(&self) -> bool {
        self.world() == Some(SCRIPT_ENGINE)
    }

    /// Names the WASI interfaces it imports that the closed stand-in serves.
    pub fn wasi(&self) -> impl Iterator<Item = &str> {
        self.imports.iter().map(String::as_str).filter(|import| wasi::serves(import))
    }

    /// Refuses what this host cannot run.
    pub fn check(&self) -> Result<(), InspectError> {
        let mut unknown = Vec::new();
        for import in &self.imports {
            match offered(import) {
                Offer::Yes => {}
                Offer::OtherVersion(version) => {
                    return Err(InspectError::OtherVersion { import: import.clone(), version });
                }
                Offer::No => unknown.push(import.clone()),
            }
        }
        if !unknown.is_empty() {
            let language = self.made_in().map(|made| made.language);
            return Err(InspectError::UnknownImports { imports: unknown, language });
        }
        if self.world().is_none() {
            return Err(InspectError::OtherWorld { exports: self.exports.clone() });
        }
        Ok(())
    }
}

/// Why bytes are not a component that this host can run.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// No bytes.
    #[error("the file is empty")]
    Empty,
    /// Not WebAssembly.
    #[error("the file is not WebAssembly: it does not begin with \"\\0asm\"")]
    NotWasm,
    /// A core module.
    #[error("the file is a core WebAssembly module, not a component")]
    CoreModule,
    /// Broken.
    #[error("the component is damaged or cut off at byte {offset}: {reason}")]
    Malformed {
        /// Where.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// It needs something the host does not have.
    #[error("the component imports {}, which this host does not offer", list(imports))]
    UnknownImports {
        /// What.
        imports: Vec<String>,
        /// The language it was written in, if it says so.
        language: Option<String>,
    },
    /// It was built for another version of the contract.
    #[error(
        "the component was built for version {version} of the contract whimbrel:migration ({import}), and this host \
         speaks {}.{}", CONTRACT.0, CONTRACT.1
    )]
    OtherVersion {
        /// The import that says so.
        import: String,
        /// The version.
        version: String,
    },
    /// It is no library of functions.
    #[error("the component is no library of functions: {}", other_than_functions(*world, exports))]
    NoFunctions {
        /// The world of the contract that it is of.
        world: Option<&'static str>,
        /// What it exports.
        exports: Vec<String>,
    },
    /// It exports no `up`.
    #[error(
        "the component is not a migration: it exports {}, but neither up nor apply nor \
             describe and call",
        list(exports)
    )]
    OtherWorld {
        /// What it exports.
        exports: Vec<String>,
    },
}

fn other_than_functions(world: Option<&str>, exports: &[String]) -> String {
    match world {
        Some(SCRIPT_ENGINE) => "it is a script engine".to_owned(),
        _ => format!("it exports {}, but not describe and call", list(exports)),
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "nothing".to_owned();
    }
    let names: Vec<String> = names.iter().map(|name| name.escape_debug().to_string()).collect();
    names.join(", ")
}

enum Offer {
    Yes,
    OtherVersion(String),
    No,
}

fn offered(import: &str) -> Offer {
    if wasi::serves(import) {
        return Offer::Yes;
    }
    let (path, version) = import.split_once('@').unwrap_or((import, ""));
    let Some((package, interface)) = path.split_once('/') else { return Offer::No };
    if package != PACKAGE {
        return Offer::No;
    }
    let mut numbers = version.split(['.', '-', '+']).map(|number| number.parse::<u64>().ok());
    if (numbers.next().flatten(), numbers.next().flatten()) != (Some(CONTRACT.0), Some(CONTRACT.1)) {
        return Offer::OtherVersion(version.to_owned());
    }
    // A later 0.1.x may have added interfaces; without them this host is the older one.
    if INTERFACES.contains(&interface) { Offer::Yes } else { Offer::No }
}

/// Reads a component's imports, exports and producers. Nothing is validated further.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, InspectError> {
    inspect_known(bytes, || Checksum::of(bytes))
}

/// As [`inspect`], of a migration's component.
pub(crate) fn inspect_binary(binary: &Binary) -> Result<Inspection, InspectError> {
    inspect_known(binary, || binary.checksum())
}

/// As [`inspect`], of bytes whose checksum may be known.
pub(super) fn inspect_known(bytes: &[u8], checksum: impl FnOnce() -> Checksum) -> Result<Inspection, InspectError> {
    if bytes.is_empty() {
        return Err(InspectError::Empty);
    }
    if !bytes.starts_with(b"\0asm") {
        return Err(InspectError::NotWasm);
    }
    let mut inspection = Inspection {
        size: bytes.len(),
        checksum: checksum(),
        imports: Vec::new(),
        exports: Vec::new(),
        producers: Vec::new(),
    };
    let malformed = |error: &wasmparser::BinaryReaderError| InspectError::Malformed {
        offset: error.offset() as u64,
        reason: error.message().to_owned(),
    };
    // Sections of nested modules and components come in between; only the outermost component's own count.
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(|error| malformed(&error))? {
            Payload::Version { encoding, .. } => {
                if depth == 0 && encoding == Encoding::Module {
                    return Err(InspectError::CoreModule);
                }
                depth += 1;
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(imports) if depth == 1 => {
                for import in imports {
                    let import = import.map_err(|error| malformed(&error))?;
                    // A type by itself is a name, not a power.
                    if !matches!(import.ty, wasmparser::ComponentTypeRef::Type(_)) {
                        inspection.imports.push(import.name.name.to_owned());
                    }
                }
            }
            Payload::ComponentExportSection(exports) if depth == 1 => {
                for export in exports {
                    let export = export.map_err(|error| malformed(&error))?;
                    inspection.exports.push(export.name.name.to_owned());
                }
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Producers(fields) = section.as_known() {
                    producers(fields, &mut inspection.producers);
                }
            }
            _ => {}
        }
    }
    Ok(inspection)
}

/// Collects who made a module; a broken section is no reason to refuse a component.
fn producers(fields: wasmparser::ProducersSectionReader<'_>, into: &mut Vec<(String, String, String)>) {
    for field in fields.into_iter().flatten() {
        for value in field.values.into_iter().flatten() {
            let entry = (field.name.to_owned(), value.name.to_owned(), value.version.to_owned());
            if !into.contains(&entry) && into.len() < 100 {
                into.push(entry);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_it_offers() {
        let cases = [
            ("whimbrel:migration/sql@0.1.0", "yes"),
            ("whimbrel:migration/log@0.1.7", "yes"),
            ("whimbrel:migration/sql@0.2.0", "0.2.0"),
            ("whimbrel:migration/sql", ""),
            ("whimbrel:migration/tea@0.1.0", "no"),
            ("wasi:clocks/wall-clock@0.2.0", "yes"),
            ("wasi:http/types@0.2.0", "no"),
            ("sql", "no"),
        ];
        for (import, expected) in cases {
            let found = match offered(import) {
                Offer::Yes => "yes".to_owned(),
                Offer::No => "no".to_owned(),
                Offer::OtherVersion(version) => version,
            };
            assert_eq!(found, expected, "{import}");
        }
    }

    #[test]
    fn refuses_what_is_no_component() {
        let cases: [(&[u8], InspectError); 3] = [
            (b"", InspectError::Empty),
            (b"SQLite format 3\0", InspectError::NotWasm),
            (b"\0asm\x01\0\0\0", InspectError::CoreModule),
        ];
        for (bytes, expected) in cases {
            assert_eq!(inspect(bytes).unwrap_err(), expected);
        }
        assert!(matches!(inspect(b"\0asm\x0d\0\x01\0\xff"), Err(InspectError::Malformed { .. })));
    }

    #[test]
    fn names_the_world_that_the_exports_fit() {
        let short = ["describe", "call", "call-short", "long-answer"];
        let cases: [(&[&str], Option<&str>, &[&str]); 13] = [
            (&["up"], Some("migration"), &["up"]),
            (&["up", "down"], Some("reversible"), &["up", "down"]),
            (&["verify", "up"], Some("verified-migration"), &["up", "verify"]),
            (&["down", "up", "verify"], Some("verified-reversible"), &["up", "down", "verify"]),
            (&["apply"], Some("transform"), &["apply"]),
            (&["apply", "revert"], Some("reversible-transform"), &["apply", "revert"]),
            (&["apply", "verify"], Some("verified-transform"), &["apply", "verify"]),
            (&["apply", "revert", "verify"], Some("verified-reversible-transform"), &["apply", "revert", "verify"]),
            (&["describe", "call", "verify"], Some("functions"), &["describe", "call"]),
            (&short, Some("functions"), &short),
            (&script::EXPORTS, Some("script-engine"), &script::EXPORTS),
            (&["verify"], None, &["verify"]),
            (&["down", "verify"], None, &["down", "verify"]),
        ];
        for (exports, world, calls) in cases {
            let mut inspection = inspect(b"\0asm\x0d\0\x01\0").expect("an empty component");
            inspection.exports = exports.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(inspection.world(), world, "{exports:?}");
            assert_eq!(inspection.calls().collect::<Vec<_>>(), calls, "{exports:?}");
            let has = |word: &str| world.is_some_and(|world| world.contains(word));
            let told = [inspection.is_verified(), inspection.is_reversible(), inspection.is_transform()];
            assert_eq!(told, ["verified", "reversible", "transform"].map(has), "{exports:?}");
        }
    }

    #[test]
    fn an_empty_component_is_no_migration() {
        let inspection = inspect(b"\0asm\x0d\0\x01\0").unwrap();
        assert_eq!(inspection.check().unwrap_err(), InspectError::OtherWorld { exports: vec![] });
    }
}
