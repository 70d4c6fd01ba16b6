//! The files of the projects, and the SDKs' sources: they travel in the program, because nothing is published yet.

use super::Template;
use crate::args::NewLang;

/// What a project's version control leaves out.
pub(super) const IGNORED: &str = "build/\nnode_modules/\n.venv/\n.zig-cache/\ntarget/\n__pycache__/\n";

/// Names files of the SDKs below a folder of the project.
macro_rules! sdk {
    ($($into:literal <- $from:literal),+ $(,)?) => {
        &[$(($into, include_str!(concat!("../../../../../../../guest-sdk/", $from)))),+]
    };
}

/// Names files of a template.
macro_rules! files {
    ($($into:literal <- $from:literal),+ $(,)?) => {
        &[$(($into, include_str!($from))),+]
    };
}

/// Returns the template of a language.
pub(super) fn of(lang: NewLang) -> &'static Template {
    match lang {
        NewLang::Rust => &RUST,
        NewLang::C => &C,
        NewLang::Go => &GO,
        NewLang::Js => &JAVASCRIPT,
        NewLang::Ts => &TYPESCRIPT,
        NewLang::Python => &PYTHON,
        NewLang::Zig => &ZIG,
        NewLang::Assemblyscript => &ASSEMBLYSCRIPT,
    }
}

static RUST: Template = Template {
    files: files! {
        "Cargo.toml" <- "rust/Cargo.toml.txt",
        "src/lib.rs" <- "rust/lib.rs",
        "build.sh" <- "rust/build.sh",
        "whimbrel/guest/Cargo.toml" <- "rust/guest.toml.txt",
        "whimbrel/packed/Cargo.toml" <- "rust/packed.toml.txt",
    },
    sdk: sdk! {
        "whimbrel/guest/src/allocator.rs" <- "src/allocator.rs",
        "whimbrel/guest/src/backend/absent.rs" <- "src/backend/absent.rs",
        "whimbrel/guest/src/backend/mod.rs" <- "src/backend/mod.rs",
        "whimbrel/guest/src/backend/wasm.rs" <- "src/backend/wasm.rs",
        "whimbrel/guest/src/bindings.rs" <- "src/bindings.rs",
        "whimbrel/guest/src/cell.rs" <- "src/cell.rs",
        "whimbrel/guest/src/context.rs" <- "src/context.rs",
        "whimbrel/guest/src/error.rs" <- "src/error.rs",
        "whimbrel/guest/src/export.rs" <- "src/export.rs",
        "whimbrel/guest/src/function.rs" <- "src/function.rs",
        "whimbrel/guest/src/function/short.rs" <- "src/function/short.rs",
        "whimbrel/guest/src/function/wasm.rs" <- "src/function/wasm.rs",
        "whimbrel/guest/src/lib.rs" <- "src/lib.rs",
        "whimbrel/guest/src/log.rs" <- "src/log.rs",
        "whimbrel/guest/src/row.rs" <- "src/row.rs",
        "whimbrel/guest/src/statement.rs" <- "src/statement.rs",
        "whimbrel/guest/src/transaction.rs" <- "src/transaction.rs",
        "whimbrel/guest/src/transform.rs" <- "src/transform.rs",
        "whimbrel/guest/src/transform/out.rs" <- "src/transform/out.rs",
        "whimbrel/guest/src/transform/row.rs" <- "src/transform/row.rs",
        "whimbrel/guest/src/typed.rs" <- "src/typed.rs",
        "whimbrel/guest/wit/whimbrel.wit" <- "wit/whimbrel.wit",
        "whimbrel/packed/src/builder.rs" <- "packed/src/builder.rs",
        "whimbrel/packed/src/check.rs" <- "packed/src/check.rs",
        "whimbrel/packed/src/lib.rs" <- "packed/src/lib.rs",
        "whimbrel/packed/src/view.rs" <- "packed/src/view.rs",
    },
    main: "src/lib.rs",
    down: "\nimpl whimbrel_guest::Reversible for Work {\n    fn down(_tx: &Transaction, _ctx: &Context) -> Result<()> {\n        // Undo here what `up` did; spaces that are gone stay gone.\n        Ok(())\n    }\n}\n",
};

static C: Template = Template {
    files: files! {
        "migration.c" <- "c/migration.c",
        "trim.h" <- "c/trim.h",
        "trim.c" <- "c/trim.c",
        "test.c" <- "c/test.c",
        "build.sh" <- "c/build.sh",
    },
    sdk: sdk! {
        "whimbrel/whimbrel.h" <- "c/whimbrel.h",
        "whimbrel/whimbrel.c" <- "c/whimbrel.c",
        "whimbrel/packed.c" <- "c/packed.c",
        "whimbrel/bindings/bindings.h" <- "c/bindings/bindings.h",
        "whimbrel/bindings/bindings.c" <- "c/bindings/bindings.c",
    },
    main: "migration.c",
    down: "\nbool wh_down(wh_tx *tx, const wh_context *context) {\n    /* Undo here what `wh_up` did; spaces that are gone stay gone. */\n    (void)tx;\n    (void)context;\n    return true;\n}\n",
};

static GO: Template = Template {
    files: files! {
        "main.go" <- "go/main.go",
        "main_test.go" <- "go/main_test.go",
        "go.mod" <- "go/go.mod",
        "build.sh" <- "go/build.sh",
    },
    sdk: sdk! {
        "whimbrel/go.mod" <- "go/go.mod",
        "whimbrel/abi_other.go" <- "go/abi_other.go",
        "whimbrel/abi_wasip1.go" <- "go/abi_wasip1.go",
        "whimbrel/errors.go" <- "go/errors.go",
        "whimbrel/host.go" <- "go/host.go",
        "whimbrel/migration.go" <- "go/migration.go",
        "whimbrel/packed.go" <- "go/packed.go",
        "whimbrel/row.go" <- "go/row.go",
        "whimbrel/transform.go" <- "go/transform.go",
    },
    main: "main.go",
    down: "",
};

static JAVASCRIPT: Template = Template {
    files: files! {
        "migration.js" <- "javascript/migration.js",
        "trim.js" <- "javascript/trim.js",
        "trim.test.js" <- "javascript/trim.test.js",
        "package.json" <- "javascript/package.json",
        "build.sh" <- "javascript/build.sh",
    },
    sdk: sdk! {
        "whimbrel/package.json" <- "javascript/package.json",
        "whimbrel/src/builder.js" <- "javascript/src/builder.js",
        "whimbrel/src/checked.js" <- "javascript/src/checked.js",
        "whimbrel/src/column.js" <- "javascript/src/column.js",
        "whimbrel/src/errors.js" <- "javascript/src/errors.js",
        "whimbrel/src/host.js" <- "javascript/src/host.js",
        "whimbrel/src/host.node.js" <- "javascript/src/host.node.js",
        "whimbrel/src/index.d.ts" <- "javascript/src/index.d.ts",
        "whimbrel/src/index.js" <- "javascript/src/index.js",
        "whimbrel/src/kinds.js" <- "javascript/src/kinds.js",
        "whimbrel/src/made.js" <- "javascript/src/made.js",
        "whimbrel/src/packed.js" <- "javascript/src/packed.js",
        "whimbrel/src/row.js" <- "javascript/src/row.js",
        "whimbrel/src/text.js" <- "javascript/src/text.js",
        "whimbrel/src/transaction.js" <- "javascript/src/transaction.js",
        "whimbrel/src/transform.js" <- "javascript/src/transform.js",
        "whimbrel/wit/whimbrel.wit" <- "wit/whimbrel.wit",
    },
    main: "migration.js",
    down: "\n// Undo here what `up` did; spaces that are gone stay gone.\nexport const down = migration(() => {});",
};

static TYPESCRIPT: Template = Template {
    files: files! {
        "migration.ts" <- "typescript/migration.ts",
        "trim.ts" <- "typescript/trim.ts",
        "trim.test.ts" <- "typescript/trim.test.ts",
        "package.json" <- "typescript/package.json",
        "tsconfig.json" <- "typescript/tsconfig.json",
        "build.sh" <- "typescript/build.sh",
    },
    sdk: sdk! {
        "whimbrel/package.json" <- "javascript/package.json",
        "whimbrel/src/builder.js" <- "javascript/src/builder.js",
        "whimbrel/src/checked.js" <- "javascript/src/checked.js",
        "whimbrel/src/column.js" <- "javascript/src/column.js",
        "whimbrel/src/errors.js" <- "javascript/src/errors.js",
        "whimbrel/src/host.js" <- "javascript/src/host.js",
        "whimbrel/src/host.node.js" <- "javascript/src/host.node.js",
        "whimbrel/src/index.d.ts" <- "javascript/src/index.d.ts",
        "whimbrel/src/index.js" <- "javascript/src/index.js",
        "whimbrel/src/kinds.js" <- "javascript/src/kinds.js",
        "whimbrel/src/made.js" <- "javascript/src/made.js",
        "whimbrel/src/packed.js" <- "javascript/src/packed.js",
        "whimbrel/src/row.js" <- "javascript/src/row.js",
        "whimbrel/src/text.js" <- "javascript/src/text.js",
        "whimbrel/src/transaction.js" <- "javascript/src/transaction.js",
        "whimbrel/src/transform.js" <- "javascript/src/transform.js",
        "whimbrel/wit/whimbrel.wit" <- "wit/whimbrel.wit",
    },
    main: "migration.ts",
    down: "\n// Undo here what `up` did; spaces that are gone stay gone.\nexport const down = migration(() => {});",
};

static PYTHON: Template = Template {
    files: files! {
        "migration.py" <- "python/migration.py",
        "trim.py" <- "python/trim.py",
        "test_trim.py" <- "python/test_trim.py",
        "requirements.txt" <- "python/requirements.txt",
        "build.sh" <- "python/build.sh",
    },
    sdk: sdk! {
        "whimbrel/whimbrel_guest/__init__.py" <- "python/whimbrel_guest/__init__.py",
        "whimbrel/whimbrel_guest/_errors.py" <- "python/whimbrel_guest/_errors.py",
        "whimbrel/whimbrel_guest/_export.py" <- "python/whimbrel_guest/_export.py",
        "whimbrel/whimbrel_guest/_host.py" <- "python/whimbrel_guest/_host.py",
        "whimbrel/whimbrel_guest/_log.py" <- "python/whimbrel_guest/_log.py",
        "whimbrel/whimbrel_guest/packed.py" <- "python/whimbrel_guest/packed.py",
        "whimbrel/whimbrel_guest/py.typed" <- "python/whimbrel_guest/py.typed",
        "whimbrel/whimbrel_guest/rows.py" <- "python/whimbrel_guest/rows.py",
        "whimbrel/whimbrel_guest/transaction.py" <- "python/whimbrel_guest/transaction.py",
        "whimbrel/whimbrel_guest/transform.py" <- "python/whimbrel_guest/transform.py",
        "whimbrel/wit/whimbrel.wit" <- "wit/whimbrel.wit",
    },
    main: "migration.py",
    down: "",
};

static ZIG: Template = Template {
    files: files! {
        "migration.zig" <- "zig/migration.zig",
        "trim.zig" <- "zig/trim.zig",
        "build.sh" <- "zig/build.sh",
    },
    sdk: sdk! {
        "whimbrel/whimbrel.zig" <- "zig/whimbrel.zig",
        "whimbrel/host.zig" <- "zig/host.zig",
        "whimbrel/packed.zig" <- "zig/packed.zig",
        "whimbrel/rows.zig" <- "zig/rows.zig",
    },
    main: "migration.zig",
    down: "\n/// Undo here what `up` did; spaces that are gone stay gone.\npub fn down(_: *whimbrel.Tx, _: *const whimbrel.Context) !void {}\n",
};

static ASSEMBLYSCRIPT: Template = Template {
    files: files! {
        "migration.ts" <- "assemblyscript/migration.ts",
        "trim.ts" <- "assemblyscript/trim.ts",
        "trim.test.js" <- "assemblyscript/trim.test.js",
        "package.json" <- "assemblyscript/package.json",
        "build.sh" <- "assemblyscript/build.sh",
    },
    sdk: sdk! {
        "whimbrel/assembly/index.ts" <- "assemblyscript/assembly/index.ts",
        "whimbrel/assembly/host.ts" <- "assemblyscript/assembly/host.ts",
        "whimbrel/assembly/packed.ts" <- "assemblyscript/assembly/packed.ts",
        "whimbrel/assembly/rows.ts" <- "assemblyscript/assembly/rows.ts",
    },
    main: "migration.ts",
    down: "\n// Undo here what `up` did; spaces that are gone stay gone.\nfunction undo(tx: Tx, ctx: Context): void {}\n\nexport function down(\n  tx: u32, a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32, i: u32, j: u32, k: u64, l: u64, m: u32, n: u32,\n): usize {\n  return migrate(undo, tx, context(a, b, c, d, e, f, g, h, i, j, k, l, m, n));\n}",
};
