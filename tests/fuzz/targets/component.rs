//! Bytes as a component: inspection never panics, tells what stands in the component and hides no import.
//!
//! Bytes that begin like WebAssembly are taken as they are; others are a recipe for a component in which others nest.
#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use wasmparser::{BinaryReader, ComponentExportSectionReader, ComponentImportSectionReader, ComponentTypeRef};
use wasmparser::{Validator, WasmFeatures};
use whimbrel::model::Checksum;
use whimbrel::wasm::{InspectError, Inspection, inspect};

const PREAMBLE: &[u8] = b"\0asm\x0d\0\x01\0";

fuzz_target!(|bytes: &[u8]| {
    if bytes.starts_with(b"\0asm") {
        return examine(bytes);
    }
    assert!(matches!(inspect(bytes), Err(InspectError::Empty | InspectError::NotWasm)));
    let Ok(recipe) = Recipe::arbitrary(&mut Unstructured::new(bytes)) else { return };
    let component = recipe.bake(4);
    let names = |kind: &dyn Fn(&Step) -> Option<&Name>| -> Vec<String> {
        recipe.steps.iter().filter_map(|step| kind(step).map(Name::text)).collect()
    };
    match inspect(&component) {
        // A raw section may be one of imports or of exports; `examine` reads those a second way.
        Ok(_) if recipe.has_raw() => {}
        Ok(inspection) => {
            assert_eq!(
                inspection.imports,
                names(&|step| if let Step::Import(name) = step { Some(name) } else { None })
            );
            assert_eq!(
                inspection.exports,
                names(&|step| if let Step::Export(name) = step { Some(name) } else { None })
            );
        }
        // Only raw sections may be broken.
        Err(error) => assert!(recipe.has_raw(), "a component that was built well is refused: {error}"),
    }
    examine(&component);
});

fn examine(bytes: &[u8]) {
    let features = WasmFeatures::default() | WasmFeatures::COMPONENT_MODEL;
    let valid = Validator::new_with_features(features).validate_all(bytes);
    let inspection = match inspect(bytes) {
        Ok(inspection) => inspection,
        Err(error) => {
            if let InspectError::Malformed { offset, .. } = error {
                assert!(valid.is_err(), "a valid component is called malformed: {error}");
                assert!(offset <= bytes.len() as u64, "byte {offset} of {}", bytes.len());
            }
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    assert_eq!(inspection.size, bytes.len());
    assert_eq!(inspection.checksum, Checksum::of(bytes));
    // wasmparser takes a file that is cut off between two sections of a nested component for whole.
    let Some((imports, exports)) = outermost(bytes) else { return };
    assert_eq!(inspection.imports, imports, "imports");
    assert_eq!(inspection.exports, exports, "exports");
    if let Ok(types) = valid {
        for import in &inspection.imports {
            assert!(types.as_ref().component_item_for_import(import).is_some(), "{import} is imported");
        }
        for export in &inspection.exports {
            assert!(types.as_ref().component_item_for_export(export).is_some(), "{export} is exported");
        }
    }
    assert_check(&inspection);
}

/// What passes needs nothing but the contract and the stand-in for WASI, and does something.
fn assert_check(inspection: &Inspection) {
    let own = |import: &String| import.starts_with("whimbrel:migration/");
    match inspection.check() {
        Ok(()) => {
            let offered = |import: &String| own(import) || import.starts_with("wasi:");
            assert!(inspection.imports.iter().all(offered), "{:?}", inspection.imports);
            assert!(inspection.world().is_some());
        }
        Err(InspectError::UnknownImports { imports, .. }) => {
            assert!(!imports.is_empty() && imports.iter().all(|import| inspection.imports.contains(import)));
        }
        Err(InspectError::OtherVersion { import, .. }) => assert!(own(&import) && inspection.imports.contains(&import)),
        Err(InspectError::OtherWorld { .. }) => assert!(inspection.world().is_none()),
        Err(other) => panic!("inspection had no objection, its check says: {other}"),
    }
}

/// Reads imports and exports a second way: by the lengths of the outermost sections alone. `None` if the last one is
/// longer than the file.
fn outermost(bytes: &[u8]) -> Option<(Vec<String>, Vec<String>)> {
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut reader = BinaryReader::new(&bytes[PREAMBLE.len()..], PREAMBLE.len());
    while !reader.eof() {
        let id = reader.read_u8().expect("a section's number");
        let length = reader.read_var_u32().expect("a section's length");
        let start = reader.original_position();
        let content = reader.read_bytes(length as usize).ok()?;
        let content = BinaryReader::new(content, start);
        match id {
            10 => {
                let section = ComponentImportSectionReader::new(content).expect("imports");
                for import in section.into_iter().map(|import| import.expect("import")) {
                    if !matches!(import.ty, ComponentTypeRef::Type(_)) {
                        imports.push(import.name.name.to_owned());
                    }
                }
            }
            11 => {
                let section = ComponentExportSectionReader::new(content).expect("exports");
                exports.extend(section.into_iter().map(|export| export.expect("export").name.name.to_owned()));
            }
            _ => {}
        }
    }
    Some((imports, exports))
}

/// A component to build, section by section.
#[derive(Arbitrary, Debug)]
struct Recipe {
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
enum Step {
    Import(Name),
    Export(Name),
    Nested(Recipe),
    Module,
    Producers(Name, Name),
    Custom(Name),
    /// A section of any number and content.
    Raw(u8, Vec<u8>),
}

#[derive(Arbitrary, Debug)]
enum Name {
    Sql,
    Log,
    LaterLog,
    OtherVersion,
    Wasi,
    Up,
    Down,
    Any(String),
}

impl Name {
    fn text(&self) -> String {
        match self {
            Self::Sql => "whimbrel:migration/sql@0.1.0",
            Self::Log => "whimbrel:migration/log@0.1.0",
            Self::LaterLog => "whimbrel:migration/log@0.1.7",
            Self::OtherVersion => "whimbrel:migration/sql@0.2.0",
            Self::Wasi => "wasi:filesystem/types@0.2.0",
            Self::Up => "up",
            Self::Down => "down",
            Self::Any(text) => text,
        }
        .to_owned()
    }
}

impl Recipe {
    fn has_raw(&self) -> bool {
        self.steps.iter().any(|step| match step {
            Step::Raw(..) => true,
            Step::Nested(recipe) => recipe.has_raw(),
            _ => false,
        })
    }

    /// Builds it; components nest no deeper than `depth`.
    fn bake(&self, depth: usize) -> Vec<u8> {
        let mut bytes = PREAMBLE.to_vec();
        for step in &self.steps {
            let (id, content) = match step {
                // One function type is not enough to be valid, and inspection does not ask.
                Step::Import(name) => (10, [&[1, 0], string(&name.text()).as_slice(), &[1, 0]].concat()),
                Step::Export(name) => (11, [&[1, 0], string(&name.text()).as_slice(), &[1, 0, 0]].concat()),
                Step::Nested(recipe) if depth > 0 => (4, recipe.bake(depth - 1)),
                Step::Nested(_) => continue,
                Step::Module => (1, b"\0asm\x01\0\0\0".to_vec()),
                Step::Producers(name, version) => {
                    let value = [string(&name.text()), string(&version.text())].concat();
                    (0, [string("producers"), vec![1], string("language"), vec![1], value].concat())
                }
                Step::Custom(name) => (0, string(&name.text())),
                Step::Raw(id, content) => (*id, content.clone()),
            };
            bytes.push(id);
            bytes.extend(length(content.len()));
            bytes.extend(content);
        }
        bytes
    }
}

fn string(text: &str) -> Vec<u8> {
    [length(text.len()), text.as_bytes().to_vec()].concat()
}

/// Writes a length in LEB128.
fn length(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
