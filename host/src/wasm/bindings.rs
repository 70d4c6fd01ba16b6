//! Rust types for the WIT package.

#![allow(missing_docs, unreachable_pub, reason = "generated from the WIT package, which is documented")]

wasmtime::component::bindgen!({
    path: "../guest-sdk/wit",
    world: "host",
    with: {
        "whimbrel:migration/sql.transaction": super::handles::TransactionHandle,
        "whimbrel:migration/sql.cursor": super::handles::CursorHandle,
        "whimbrel:migration/sql.statement": super::handles::StatementHandle,
        "whimbrel:migration/sql.savepoint": super::handles::SavepointHandle,
    },
    imports: { default: trappable },
    require_store_data_send: false,
});
