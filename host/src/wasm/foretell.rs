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

/// Deeper than any type of the contract.
const DEEPEST: usize = 6;
/// What of a long type is shown.
const MOST: usize = 16;

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
        let params: Vec<String> = function.params.iter().map(|(_, ty)| self.value(ty, 0)).collect();
        let result = function.result.as_ref().map(|ty| self.value(ty, 0)).unwrap_or_default();
        let kind = if function.async_ { "async " } else { "" };
        format!("{kind}({}) -> {result}", params.join(", "))
    }

    /// Writes a type the way WIT does, as far as the contract's calls use it.
    fn value(&self, ty: &ComponentValType, depth: usize) -> String {
        if depth > DEEPEST {
            return "…".to_owned();
        }
        let defined = match ty {
            ComponentValType::Primitive(primitive) => return primitive_name(*primitive).to_owned(),
            ComponentValType::Type(id) => &self.types[*id],
        };
        let inner = |ty: &ComponentValType| self.value(ty, depth + 1);
        let list = |parts: Vec<String>| parts.join(", ");
        match defined {
            ComponentDefinedType::Primitive(primitive) => primitive_name(*primitive).to_owned(),
            ComponentDefinedType::Own(id) if self.transactions.contains(&id.resource()) => "own transaction".to_owned(),
            ComponentDefinedType::Borrow(_) => "borrow".to_owned(),
            ComponentDefinedType::List { element, .. } => format!("list<{}>", inner(element)),
            ComponentDefinedType::Option { ty, .. } => format!("option<{}>", inner(ty)),
            ComponentDefinedType::Result { ok, err, .. } => {
                let part = |ty: &Option<ComponentValType>| ty.as_ref().map_or_else(|| "_".to_owned(), inner);
                format!("result<{}, {}>", part(ok), part(err))
            }
            ComponentDefinedType::Tuple(tuple) => {
                format!("tuple<{}>", list(tuple.types.iter().take(MOST).map(inner).collect()))
            }
            ComponentDefinedType::Variant(variant) => {
                let cases = variant.cases.iter().take(MOST).map(|(name, case)| match &case.ty {
                    Some(ty) => format!("{name}({})", inner(ty)),
                    None => name.to_string(),
                });
                format!("variant {{{}}}", list(cases.collect()))
            }
            ComponentDefinedType::Record(record) => {
                let fields = record.fields.iter().take(MOST).map(|(name, ty)| format!("{name}: {}", inner(ty)));
                format!("record {{{}}}", list(fields.collect()))
            }
            _ => "something else".to_owned(),
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
