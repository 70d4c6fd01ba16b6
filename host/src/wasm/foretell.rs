//! Holds the types of a component's exports against the contract's from its bytes alone, as the linker does later. Compiles
//! nothing and runs nothing.

use std::collections::HashSet;

use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentDefinedType, ComponentEntityType, ComponentValType, ResourceId,
};
use wasmparser::types::Types;
use wasmparser::{Parser, PrimitiveValType, ValidPayload, Validator};

use super::error::CompileError;
use super::features::FEATURES;
use super::fits;
use super::inspect::Inspection;
use super::shape::Shape;

/// Checks the types of everything in a component, and that its exports have the contract's. Looks into no function.
pub(crate) fn check_exports(bytes: &[u8], inspection: &Inspection) -> Result<(), CompileError> {
    let invalid = |reason: String| CompileError::Invalid { reason };
    let mut validator = Validator::new_with_features(FEATURES);
    let mut found = None;
    for payload in Parser::new(0).parse_all(bytes) {
        let checked = payload.and_then(|payload| validator.payload(&payload));
        // Each module and component inside has an end of its own; the outermost one's comes last.
        if let ValidPayload::End(types) = checked.map_err(|error| invalid(error.to_string()))? {
            found = Some(types);
        }
    }
    let Some(types) = found else { return Ok(()) };
    let exports = Exports { transactions: transactions(&types, inspection), types };
    for export in inspection.calls() {
        fits::compare(export, &exports.shape(export), inspection.is_engine()).map_err(invalid)?;
    }
    Ok(())
}

/// Finds the resource that the contract calls a transaction among what is imported.
fn transactions(types: &Types, inspection: &Inspection) -> HashSet<ResourceId> {
    let of = |import: &String| {
        let ComponentEntityType::Instance(instance) = types.component_item_for_import(import)?.ty else { return None };
        let transaction = types.as_ref().get(instance)?.exports.get("transaction")?;
        match transaction.ty {
            ComponentEntityType::Type { created: ComponentAnyTypeId::Resource(id), .. } => Some(id.resource()),
            _ => None,
        }
    };
    inspection.imports.iter().filter(|import| Inspection::is_of_contract(import)).filter_map(of).collect()
}

/// The exports of a component, by their types.
struct Exports {
    types: Types,
    transactions: HashSet<ResourceId>,
}

impl Exports {
    /// Writes what an export is.
    fn shape(&self, export: &str) -> String {
        let function = match self.types.component_item_for_export(export).map(|item| item.ty) {
            Some(ComponentEntityType::Func(function)) => &self.types[function],
            Some(_) => return "not a function".to_owned(),
            None => return "not there".to_owned(),
        };
        let mut shape = Shape::default();
        shape.word(if function.async_ { "async " } else { "" });
        shape.parts("(", function.params.iter(), ") -> ", |shape, (_, ty)| self.write(shape, ty));
        if let Some(ty) = &function.result {
            self.write(&mut shape, ty);
        }
        shape.finish()
    }

    /// Writes a type, as far as the contract's calls use it.
    fn write(&self, shape: &mut Shape, ty: &ComponentValType) {
        let defined = match ty {
            ComponentValType::Primitive(primitive) => return shape.word(primitive_name(*primitive)),
            ComponentValType::Type(id) => &self.types[*id],
        };
        let inner = |shape: &mut Shape, ty: &ComponentValType| self.write(shape, ty);
        match defined {
            ComponentDefinedType::Primitive(primitive) => shape.word(primitive_name(*primitive)),
            ComponentDefinedType::Own(id) if self.transactions.contains(&id.resource()) => {
                shape.word("own transaction");
            }
            ComponentDefinedType::Borrow(_) => shape.word("borrow"),
            ComponentDefinedType::List { element, .. } => shape.parts("list<", [element], ">", inner),
            ComponentDefinedType::Option { ty, .. } => shape.parts("option<", [ty], ">", inner),
            ComponentDefinedType::Result { ok, err, .. } => {
                shape.parts("result<", [ok, err], ">", |shape, ty| match ty {
                    Some(ty) => self.write(shape, ty),
                    None => shape.word("_"),
                });
            }
            ComponentDefinedType::Tuple(tuple) => shape.parts("tuple<", &tuple.types, ">", inner),
            ComponentDefinedType::Variant(variant) => {
                shape.parts("variant {", &variant.cases, "}", |shape, (name, case)| {
                    shape.word(name);
                    if let Some(ty) = &case.ty {
                        shape.parts("(", [ty], ")", inner);
                    }
                });
            }
            ComponentDefinedType::Record(record) => {
                shape.parts("record {", &record.fields, "}", |shape, (name, ty)| {
                    shape.word(name);
                    shape.word(": ");
                    self.write(shape, ty);
                });
            }
            _ => shape.word("something else"),
        }
    }
}

fn primitive_name(primitive: PrimitiveValType) -> &'static str {
    match primitive {
        PrimitiveValType::Bool => "bool",
        PrimitiveValType::U8 => "u8",
        PrimitiveValType::U32 => "u32",
        PrimitiveValType::U64 => "u64",
        PrimitiveValType::S64 => "s64",
        PrimitiveValType::F64 => "f64",
        PrimitiveValType::String => "string",
        _ => "something else",
    }
}

#[cfg(test)]
mod tests {
    use super::super::inspect::inspect;
    use super::*;

    /// A component of the first version of the contract, which imports a transaction.
    const REVERSIBLE: &[u8] = include_bytes!("../../../tests/fixtures/contract/0.1.0.wasm");

    #[test]
    fn finds_the_contracts_types() {
        let found = inspect(REVERSIBLE).unwrap();
        assert_eq!(found.calls().collect::<Vec<_>>(), ["up", "down"]);
        assert!(check_exports(REVERSIBLE, &found).is_ok());
    }

    #[test]
    fn says_what_an_export_is_instead() {
        let found = inspect(REVERSIBLE).unwrap();
        let refused = |found: &Inspection| check_exports(REVERSIBLE, found).unwrap_err().to_string();
        // Without its import nothing that it takes is a transaction of the contract's.
        let imports = found.imports.iter().filter(|import| !Inspection::is_of_contract(import)).cloned().collect();
        let message = refused(&Inspection { imports, ..found.clone() });
        assert!(message.contains("the export up has other types") && message.contains("it is (something else, record"));
        let exports = [found.exports.as_slice(), &["verify".to_owned()]].concat();
        assert!(refused(&Inspection { exports, ..found }).ends_with("it is not there"));
    }
}
