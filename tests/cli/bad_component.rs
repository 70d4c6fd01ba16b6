//! Files that are no component this host can run: told before anything changes.

use insta::assert_snapshot;

use crate::harness::{Outcome, Project};

/// Makes a chain whose third migration is this component.
fn project(component: &[u8]) -> Project {
    let project = Project::notes();
    project.ok(&["up"]);
    project.write("migrations/0003_code.wasm", component);
    project.write("migrations/0003_code.toml", "description = \"x\"\n");
    project.write("migrations/0004_later.sql", "CREATE TABLE later (id);");
    project
}

fn refused(component: &[u8]) -> Outcome {
    let project = project(component);
    let inspected = project.run(&["inspect", "migrations/0003_code.wasm"]);
    assert_eq!(inspected.code, 1, "{inspected}");
    project.unchanged(|| {
        let outcome = project.run(&["up"]);
        // Whoever only looks says the same.
        for verb in ["plan", "verify"] {
            let looked = project.run(&[verb]);
            assert_eq!((looked.code, &looked.stderr), (1, &outcome.stderr), "{verb}");
        }
        outcome
    })
}

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the text is a component")
}

#[test]
fn an_empty_file() {
    assert_snapshot!(refused(b""), @"
    exit 1
    --- stderr
    error: migrations/0003_code.wasm: is empty
    ");
}

#[test]
fn something_else() {
    assert_snapshot!(refused(b"#!/bin/sh\nexit\n"), @r#"
    exit 1
    --- stderr
    error: migration 3 code cannot be loaded (migrations/0003_code.wasm)
      caused by: the file is not WebAssembly: it does not begin with "\0asm"
    hint: give it the ending of what it is, or build the component
    "#);
}

#[test]
fn a_file_that_was_cut_off() {
    let whole = component("(component (core module (func)) (export \"up\" (core module 0)))");
    assert_snapshot!(refused(&whole[..whole.len() - 5]), @"
    exit 1
    --- stderr
    error: migration 3 code cannot be loaded (migrations/0003_code.wasm)
      caused by: the component is damaged or cut off at byte 36: unexpected end-of-file
    hint: build or copy it again
    ");
}

#[test]
fn a_core_module() {
    assert_snapshot!(refused(&component("(module (func (export \"up\")))")), @"
    exit 1
    --- stderr
    error: migration 3 code cannot be loaded (migrations/0003_code.wasm)
      caused by: the file is a core WebAssembly module, not a component
    hint: make a component of it: `whimbrel componentize module.wasm --output component.wasm`
    ");
}

#[test]
fn a_component_for_another_world() {
    assert_snapshot!(refused(&component("(component (core module $m) (export \"run\" (core module $m)))")), @"
    exit 1
    --- stderr
    error: migration 3 code cannot be loaded (migrations/0003_code.wasm)
      caused by: the component is not a migration: it exports run, but neither up nor apply nor describe and call
    hint: export `up`, and `down` if it can be reverted: the worlds `migration` and `reversible` of whimbrel:migration
    ");
}

#[test]
fn an_import_that_nobody_offers() {
    let text =
        "(component (import \"acme:tea/pot@1.0.0\" (instance)) (core module $m) (export \"up\" (core module $m)))";
    assert_snapshot!(refused(&component(text)), @"
    exit 1
    --- stderr
    error: migration 3 code cannot be loaded (migrations/0003_code.wasm)
      caused by: the component imports acme:tea/pot@1.0.0, which this host does not offer
    hint: a migration may import whimbrel:migration/types, /sql and /log only
    ");
}

#[test]
fn an_import_of_the_system() {
    let text = "(component (import \"wasi:clocks/wall-clock@0.3.0\" (instance)) \
                (import \"wasi:http/types@0.2.0\" (instance)) (core module $m) (export \"up\" (core module $m)))";
    assert_snapshot!(refused(&component(text)), @"
    exit 1
    --- stderr
    error: migration 3 code cannot be loaded (migrations/0003_code.wasm)
      caused by: the component imports wasi:clocks/wall-clock@0.3.0, wasi:http/types@0.2.0, which this host does not offer
    hint: built with WASI (clocks 0.3, http 0.2), of which this host has only a closed stand-in of 0.2, without http and threads, and can grant nothing: build it again for the target wasm32-unknown-unknown (Rust), with `--stub-wasi` (componentize-qjs, componentize-py), or by `whimbrel componentize` (Go, C)
    ");
}

#[test]
fn a_newer_and_an_older_contract() {
    let text = |version: &str| {
        let import = format!("(import \"whimbrel:migration/sql@{version}\" (instance))");
        component(&format!("(component {import} (core module $m) (export \"up\" (core module $m)))"))
    };
    assert_snapshot!(refused(&text("0.2.0")), @"
    exit 1
    --- stderr
    error: migration 3 code cannot be loaded (migrations/0003_code.wasm)
      caused by: the component was built for version 0.2.0 of the contract whimbrel:migration (whimbrel:migration/sql@0.2.0), and this host speaks 0.1
    hint: use a later whimbrel, or build it with the SDK of this one
    ");
    assert_snapshot!(refused(&text("0.0.9")), @"
    exit 1
    --- stderr
    error: migration 3 code cannot be loaded (migrations/0003_code.wasm)
      caused by: the component was built for version 0.0.9 of the contract whimbrel:migration (whimbrel:migration/sql@0.0.9), and this host speaks 0.1
    hint: build it again with the SDK of this whimbrel
    ");
}

#[test]
fn an_export_of_another_type() {
    let outcome = refused(&component("(component (core module $m) (export \"up\" (core module $m)))"));
    assert_snapshot!(outcome, @"
    exit 1
    --- stderr
    error: migration 3 code cannot be loaded (migrations/0003_code.wasm)
      caused by: the component cannot be used: the export up has other types than the contract's: it is not a function
    hint: build it again against the contract of this host, whimbrel:migration@0.1
    ");
    let function = "(component
        (core module $m (func (export \"f\") (result i32) i32.const 0))
        (core instance $i (instantiate $m))
        (func (export \"up\") (result (result)) (canon lift (core func $i \"f\"))))";
    let outcome = refused(&component(function));
    assert!(outcome.stderr.contains("than the contract's: it is () -> result<_, _>\n"), "{outcome}");
}

#[test]
fn a_component_is_compiled_before_earlier_steps_run() {
    let project =
        Project::with(&[("0001_a.sql", "CREATE TABLE a (id);"), ("0002_code.wasm", "\0asm"), ("0002_code.toml", "")]);
    assert_eq!(project.run(&["up"]).code, 1);
    assert!(!project.path("app.db").exists(), "nothing was begun");
}

#[test]
fn what_is_the_hosts_own_is_not_advised_to_be_granted() {
    let project = Project::with(&[
        ("0001_wipe.js", "export function up(db) { db.execute('DELETE FROM _whimbrel_history'); }\n"),
        ("0001_wipe.toml", "[grants]\ncreate = [\"note\"]\ndelete = [\"_whimbrel_history\"]\n"),
    ]);
    project.write("whimbrel.toml", "database = \"sqlite:app.db\"\n[chains.main.grants]\nread = [\"note\"]\n");
    let refused = project.run(&["up"]);
    assert_eq!(refused.code, 1, "{refused}");
    let (_, hint) = refused.stderr.split_once("hint: ").expect("a hint");
    let said = "nobody is given delete = [\"_whimbrel_history\"]: what is in there is for the host alone to change";
    assert!(hint.contains(said), "{refused}");
    let (policy, _) = hint.split_once("nobody").expect("it says so");
    assert!(policy.contains("create = [\"note\"]") && !policy.contains("_whimbrel_history"), "{refused}");
}

/// A component that exports these names.
fn exporting(names: &[&str]) -> Vec<u8> {
    let exports = names.iter().map(|name| format!("(export \"{name}\" (core module $m))"));
    component(&format!("(component (core module $m) {})", exports.collect::<String>()))
}

const ENGINE: [&str; 5] = ["describe", "check", "run", "load", "transform"];
const TRANSFORM: &str = "[transform]\ntable = \"note\"\nkey = [\"id\"]\nread = [\"text\"]\nwrite = [\"text\"]\n";

#[test]
fn a_component_of_another_world_of_the_contract() {
    assert_snapshot!(refused(&exporting(&ENGINE)), @"
    exit 1
    --- stderr
    error: the component of migration 3 code is a script engine, and its manifest takes it for a migration (migrations/0003_code.wasm)
    hint: take it out of here, and name it in `[engines]` of whimbrel.toml under the ending of the files that it runs
    ");
    assert_snapshot!(refused(&exporting(&["apply"])), @"
    exit 1
    --- stderr
    error: the component of migration 3 code is a transform, and its manifest has no `[transform]` (migrations/0003_code.wasm)
    hint: a transform has both: a component that exports `apply`, and `[transform]` in its manifest
    ");
    let project = project(&exporting(&ENGINE));
    project.write("migrations/0003_code.toml", TRANSFORM);
    assert_snapshot!(project.run(&["plan"]), @"
    exit 1
    --- stderr
    error: the component of migration 3 code is a script engine, and its manifest has a `[transform]` (migrations/0003_code.wasm)
    hint: take it out of here, and name it in `[engines]` of whimbrel.toml under the ending of the files that it runs
    ");
    project.write("migrations/0003_code.wasm", exporting(&["apply"]));
    project.write(
        "migrations/0003_code.toml",
        format!("{TRANSFORM}\n[transform.down]\nread = [\"text\"]\nwrite = [\"text\"]\n"),
    );
    assert_snapshot!(project.run(&["plan"]), @"
    exit 1
    --- stderr
    error: the component of migration 3 code exports no revert, and its manifest has a `[transform.down]` (migrations/0003_code.wasm)
    hint: export `revert` from the component, or take `[transform.down]` out of its manifest
    ");
}

#[test]
fn a_script_engine_as_a_hook_or_as_a_library() {
    let project = Project::notes();
    project.write("hooks/engine.wasm", exporting(&ENGINE));
    project.write("hooks/engine.toml", "description = \"x\"\n");
    project
        .write("whimbrel.toml", "database = \"sqlite:app.db\"\n[hooks]\non_error = { file = \"hooks/engine.wasm\" }\n");
    let outcome = project.run(&["up"]);
    assert!(outcome.code == 1 && outcome.stderr.contains("is a script engine"), "{outcome}");
    assert!(!project.path("app.db").exists(), "nothing was begun");
    project.write("whimbrel.toml", "database = \"sqlite:app.db\"\n");
    project.write("migrations/text.functions.wasm", exporting(&ENGINE));
    project.write("migrations/0003_text.sql", "-- whimbrel: functions = text\nSELECT 1;\n");
    let outcome = project.run(&["up"]);
    assert!(
        outcome.code == 1 && outcome.stderr.contains("no library of functions: it is a script engine"),
        "{outcome}"
    );
    assert!(!project.path("app.db").exists(), "nothing was begun");
}

#[test]
fn everything_that_cannot_be_loaded_is_told_together() {
    let project = project(b"#!/bin/sh\n");
    project.write("migrations/0005_engine.wasm", exporting(&ENGINE));
    project.write("migrations/0005_engine.toml", "");
    project.write("migrations/0006_wrong.js", "export function up(db) {\n  db.execute(\n}\n");
    for verb in ["up", "plan", "verify"] {
        let json = project.run(&[verb, "--json"]).json("error");
        let problems = json["problems"].as_array().expect("problems");
        let migrations: Vec<_> = problems.iter().filter_map(|problem| problem["migration"].as_str()).collect();
        assert_eq!((problems.len(), migrations), (3, vec!["3 code", "5 engine", "6 wrong"]), "{verb}: {json}");
    }
    assert_snapshot!(project.run(&["up"]), @r#"
    exit 1
    --- stderr
    error: the migrations cannot be loaded: 3 problems
      - migration 3 code cannot be loaded (migrations/0003_code.wasm): the file is not WebAssembly: it does not begin with "\0asm"
        hint: give it the ending of what it is, or build the component
      - the component of migration 5 engine is a script engine, and its manifest takes it for a migration (migrations/0005_engine.wasm)
        hint: take it out of here, and name it in `[engines]` of whimbrel.toml under the ending of the files that it runs
      - migration 6 wrong cannot be loaded (migrations/0006_wrong.js): SyntaxError: unexpected token in expression: '}'
     --> migrations/0006_wrong.js:3:1
      |
    3 | }
      | ^
    "#);
}
