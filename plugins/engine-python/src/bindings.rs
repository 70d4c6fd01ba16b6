//! Bindings generated from the WIT package.
#![allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    reason = "generated code"
)]

wit_bindgen::generate!({
    path: "../../guest-sdk/wit/whimbrel.wit",
    world: "script-engine",
    pub_export_macro: true,
    generate_all,
});
