//! Rust types for the WIT package.

#![allow(missing_docs, unreachable_pub, reason = "generated from the WIT package, which is documented")]

wasmtime::component::bindgen!({
    path: "../guest-sdk/wit",
    world: "host",
    with: {
        "whimbrel:migration/sql.transaction": super::state::TransactionHandle,
        "whimbrel:migration/sql.cursor": super::state::CursorHandle,
        "whimbrel:migration/sql.statement": super::state::StatementHandle,
        "whimbrel:migration/sql.savepoint": super::state::SavepointHandle,
    },
    imports: { default: trappable },
    require_store_data_send: false,
});
