//! `whimbrel inspect`.

use insta::assert_snapshot;

use crate::harness::Project;

fn small() -> Vec<u8> {
    wat::parse_str(
        "(component (import \"whimbrel:migration/log@0.1.0\" (instance)) (core module $m) \
         (export \"up\" (core module $m)) (export \"down\" (core module $m)))",
    )
    .expect("a component")
}

#[test]
fn shows_what_a_component_is_made_of() {
    let project = Project::new();
    project.write("a/1_x.wasm", small());
    assert_snapshot!(project.run(&["inspect", "a/1_x.wasm"]), @"
    exit 1
    --- stdout
    a/1_x.wasm
      world      reversible
      size       115 bytes
      sha-256    d02988ad7a7263bdb2cbf1ae9ac1bba598b4f762defe30c7d924a0aef4f10c0f
      imports    whimbrel:migration/log@0.1.0
      exports    up
                 down
      made by    nothing
      manifest   none beside it

    --- stderr
    error: a/1_x.wasm: the component cannot be used: the export up has other types than the contract's: it is not a function
    hint: build it again against the contract of this host, whimbrel:migration@0.1
    ");
    project.write(
        "a/1_x.toml",
        "description = \"Does it\"\n[grants]\nread = [\"t(a)\", \"u\"]\ndelete = [\"u\"]\n[limits]\ntime = \"2m\"\n\
         [params]\ncolour = \"blue\\u001b[2J\"\n",
    );
    assert_snapshot!(project.run(&["inspect", "a/1_x.wasm"]), @r"
    exit 1
    --- stdout
    a/1_x.wasm
      world      reversible
      size       115 bytes
      sha-256    d02988ad7a7263bdb2cbf1ae9ac1bba598b4f762defe30c7d924a0aef4f10c0f
      imports    whimbrel:migration/log@0.1.0
      exports    up
                 down
      made by    nothing
      manifest   a/1_x.toml
                 Does it
      asks for   read     t(a), u
                 delete   u  ! can delete every row
                 limits   1,000,000,000,000 fuel, 512 MiB memory, 2 min time
      params     colour = blue\u{1b}[2J

    --- stderr
    error: a/1_x.wasm: the component cannot be used: the export up has other types than the contract's: it is not a function
    hint: build it again against the contract of this host, whimbrel:migration@0.1
    ");
    assert_snapshot!(project.run(&["inspect", "a/1_x.wasm", "--json"]), @r#"
    exit 1
    --- stdout
    {
      "schema": "whimbrel/inspect/1",
      "file": "a/1_x.wasm",
      "usable": false,
      "problem": "a/1_x.wasm: the component cannot be used: the export up has other types than the contract's: it is not a function",
      "hint": "build it again against the contract of this host, whimbrel:migration@0.1",
      "world": "reversible",
      "size": 115,
      "sha256": "d02988ad7a7263bdb2cbf1ae9ac1bba598b4f762defe30c7d924a0aef4f10c0f",
      "imports": [
        "whimbrel:migration/log@0.1.0"
      ],
      "wasi": [],
      "exports": [
        "up",
        "down"
      ],
      "language": null,
      "tool": null,
      "producers": [],
      "manifest": {
        "file": "a/1_x.toml",
        "description": "Does it",
        "grants": {
          "delete": [
            "u"
          ],
          "read": [
            "t(a)",
            "u"
          ]
        },
        "risks": {
          "delete": [
            "can delete every row"
          ]
        },
        "limits": {
          "fuel": 1000000000000,
          "memory_bytes": 536870912,
          "time_us": 120000000
        },
        "params": {
          "colour": "blue\u001b[2J"
        }
      }
    }
    "#);
}

#[test]
fn shows_what_there_is_of_one_it_cannot_run() {
    let project = Project::new();
    let text =
        "(component (import \"wasi:http/types@0.2.0\" (instance)) (core module $m) (export \"up\" (core module $m)))";
    project.write("x.wasm", wat::parse_str(text).expect("a component"));
    assert_snapshot!(project.run(&["inspect", "x.wasm"]), @"
    exit 1
    --- stdout
    x.wasm
      world      migration
      size       98 bytes
      sha-256    8d6fc17f79afac4c8279e61f273ef9fcded59906ac024f9356ad8638ddb4e79f
      imports    wasi:http/types@0.2.0
      exports    up
      made by    nothing
      manifest   none beside it

    --- stderr
    error: x.wasm: the component imports wasi:http/types@0.2.0, which this host does not offer
    hint: built with WASI (http 0.2), of which this host has only a closed stand-in of 0.2, without http and threads, and can grant nothing: build it again for the target wasm32-unknown-unknown (Rust), with `--stub-wasi` (componentize-qjs, componentize-py), or by `whimbrel componentize` (Go, C)
    ");
    let outcome = project.run(&["inspect", "x.wasm", "--json"]);
    let json = outcome.json("inspect");
    assert_eq!((outcome.code, &json["usable"]), (1, &false.into()));
}

#[test]
fn tells_what_is_wrong_with_the_file_or_its_manifest() {
    let project = Project::new();
    assert_snapshot!(project.run(&["inspect", "nothing.wasm"]), @"
    exit 1
    --- stderr
    error: nothing.wasm: there is no such file
    hint: check the path
    ");
    project.write("x.wasm", wat::parse_str("(module)").expect("a module"));
    assert_snapshot!(project.run(&["inspect", "x.wasm"]), @"
    exit 1
    --- stderr
    error: x.wasm: the file is a core WebAssembly module, not a component
    hint: make a component of it: `whimbrel componentize module.wasm --output component.wasm`
    ");
    project.write("y.wasm", small());
    project.write("y.toml", "[grant]\nread = [\"t\"]\n");
    assert_snapshot!(project.run(&["inspect", "y.wasm"]), @"
    exit 1
    --- stderr
    error: y.toml:1:2: unknown key `grant`
    hint: did you mean `grants`?
    ");
}

#[test]
fn says_that_wasi_is_a_stand_in() {
    let project = Project::new();
    let text =
        "(component (import \"wasi:io/poll@0.2.12\" (instance)) (core module $m) (export \"up\" (core module $m)))";
    project.write("x.wasm", wat::parse_str(text).expect("a component"));
    // It is no component that can be run, and shown all the same.
    let outcome = project.run(&["inspect", "x.wasm"]);
    let said = "  imports    wasi:io/poll@0.2.12\n  wasi       served by a closed stand-in: no files, no network, ";
    assert!(outcome.stdout.contains(said), "{outcome}");
    let json = project.run(&["inspect", "x.wasm", "--json"]).json("inspect");
    assert_eq!(json["wasi"], serde_json::json!(["wasi:io/poll@0.2.12"]));
}
