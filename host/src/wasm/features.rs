//! What of WebAssembly components may use, for the engine and for the check of bytes before they are compiled.

use wasmparser::{Validator, WasmFeatures};

use super::error::CompileError;

/// All that is stable and whose results are the same on every machine. Not in it: threads, relaxed SIMD, 64-bit
/// memories, garbage collection, exceptions, and whatever a later engine would add by itself.
pub(super) const FEATURES: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::COMPONENT_MODEL);

/// Checks that bytes are a valid component, in time and memory that grow with their number only.
pub(super) fn validate(bytes: &[u8]) -> Result<(), CompileError> {
    match Validator::new_with_features(FEATURES).validate_all(bytes) {
        Ok(_) => Ok(()),
        Err(error) => Err(CompileError::Invalid { reason: error.to_string() }),
    }
}
