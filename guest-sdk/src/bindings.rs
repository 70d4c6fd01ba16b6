//! Bindings generated from the WIT package. What authors see is made of them elsewhere.
#![allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all, reason = "generated code")]

/// The imports, shared by all worlds.
pub mod host {
    wit_bindgen::generate!({
        path: "wit/whimbrel.wit",
        world: "host",
        ownership: Borrowing { duplicate_if_necessary: true },
        generate_all,
    });
}

/// Exports of a component that only goes up.
pub mod migration {
    wit_bindgen::generate!({
        path: "wit/whimbrel.wit",
        world: "migration",
        ownership: Borrowing { duplicate_if_necessary: true },
        pub_export_macro: true,
        with: {
            "whimbrel:migration/types@0.1.0": crate::bindings::host::whimbrel::migration::types,
            "whimbrel:migration/sql@0.1.0": crate::bindings::host::whimbrel::migration::sql,
            "whimbrel:migration/log@0.1.0": crate::bindings::host::whimbrel::migration::log,
        },
    });
}

/// Exports of a component that can be reverted.
pub mod reversible {
    wit_bindgen::generate!({
        path: "wit/whimbrel.wit",
        world: "reversible",
        ownership: Borrowing { duplicate_if_necessary: true },
        pub_export_macro: true,
        with: {
            "whimbrel:migration/types@0.1.0": crate::bindings::host::whimbrel::migration::types,
            "whimbrel:migration/sql@0.1.0": crate::bindings::host::whimbrel::migration::sql,
            "whimbrel:migration/log@0.1.0": crate::bindings::host::whimbrel::migration::log,
        },
    });
}

/// The export of a component that says itself whether it did what it should; it comes beside those of another world.
pub mod verified {
    wit_bindgen::generate!({
        path: "wit/whimbrel.wit",
        world: "verified",
        ownership: Borrowing { duplicate_if_necessary: true },
        pub_export_macro: true,
        with: {
            "whimbrel:migration/types@0.1.0": crate::bindings::host::whimbrel::migration::types,
            "whimbrel:migration/sql@0.1.0": crate::bindings::host::whimbrel::migration::sql,
            "whimbrel:migration/log@0.1.0": crate::bindings::host::whimbrel::migration::log,
        },
    });
}

/// Exports of a component that transforms rows and can be reverted; it shares the types of the other.
pub mod reversible_transform {
    wit_bindgen::generate!({
        path: "wit/whimbrel.wit",
        world: "reversible-transform",
        ownership: Owning,
        pub_export_macro: true,
        with: {
            "whimbrel:migration/types@0.1.0": crate::bindings::transform::whimbrel::migration::types,
            "whimbrel:migration/rows@0.1.0": crate::bindings::transform::whimbrel::migration::rows,
            "whimbrel:migration/log@0.1.0": crate::bindings::host::whimbrel::migration::log,
        },
    });
}

/// Exports of a component that brings SQL functions.
pub mod functions {
    wit_bindgen::generate!({
        path: "wit/whimbrel.wit",
        world: "functions",
        ownership: Owning,
        pub_export_macro: true,
        with: { "whimbrel:migration/log@0.1.0": crate::bindings::host::whimbrel::migration::log },
        generate_all,
    });
}

/// Exports that come beside those of SQL functions, for what is short; it shares their types.
pub mod short_calls {
    wit_bindgen::generate!({
        path: "wit/whimbrel.wit",
        world: "short-calls",
        ownership: Owning,
        pub_export_macro: true,
        with: { "whimbrel:migration/types@0.1.0": crate::bindings::functions::whimbrel::migration::types },
    });
}

/// Exports of a component that transforms rows. Its types are its own: here batches come in and go out the other way
/// round than in the imports.
pub mod transform {
    wit_bindgen::generate!({
        path: "wit/whimbrel.wit",
        world: "transform",
        ownership: Owning,
        pub_export_macro: true,
        with: { "whimbrel:migration/log@0.1.0": crate::bindings::host::whimbrel::migration::log },
        generate_all,
    });
}
