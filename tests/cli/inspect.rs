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
      asks for   read      t(a), u
                 delete    u  ! can delete every row
                 limits    1,000,000,000,000 fuel, 512 MiB memory, 2 min time
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

#[test]
fn shows_what_sql_says_and_asks_for() {
    let project = Project::new();
    let sql = "-- whimbrel: transaction = none\n-- whimbrel: depends_on = 1, 2\n-- whimbrel: require = SELECT 1\n\
               CREATE TABLE t (x); ; -- no more\nCREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM t; DELETE FROM t; END;\n";
    project.write("a/3_x.sql", sql);
    assert_snapshot!(project.run(&["inspect", "a/3_x.sql"]), @"
    exit 0
    --- stdout
    a/3_x.sql
      kind       sql
      size       204 bytes
      sha-256    c56f91cd3893f1d36eb0f50246052b1d80adc322b2504b6350ef5c0b35b6614a
      normalised 52506812ec6b95c3ed8c89785847a5e3200870ad94d461ae8e326e9933ce39cb
      statements 2
      directives transaction = none
                 depends_on = 1, 2
                 require = SELECT 1
      manifest   none beside it
    ");
    project.write("a/3_x.toml", "description = 'Does it'\n[grants]\ncreate = ['t']\ntrigger = ['t']\n");
    project.write("whimbrel.toml", "[chains.acme]\ndir = 'a'\ntrust = 'untrusted'\nnamespace = 'acme_'\n");
    assert_snapshot!(project.run(&["inspect", "a/3_x.sql"]), @"
    exit 0
    --- stdout
    a/3_x.sql
      kind       sql
      size       204 bytes
      sha-256    c56f91cd3893f1d36eb0f50246052b1d80adc322b2504b6350ef5c0b35b6614a
      normalised 52506812ec6b95c3ed8c89785847a5e3200870ad94d461ae8e326e9933ce39cb
      statements 2
      directives transaction = none
                 depends_on = 1, 2
                 require = SELECT 1
      manifest   a/3_x.toml
                 Does it
      asks for   create    t
                 trigger   t  ! leaves behind what runs later with other rights
                 limits    1,000,000,000,000 fuel, 512 MiB memory, 1 h time
      policy     chain acme in whimbrel.toml: not trusted beyond acme_*
                 refused   to run outside a transaction, because it is held to grants
    ");
    assert_snapshot!(project.run(&["inspect", "a/3_x.sql", "--json"]), @r#"
    exit 0
    --- stdout
    {
      "schema": "whimbrel/inspect/1",
      "file": "a/3_x.sql",
      "kind": "sql",
      "size": 204,
      "sha256": "c56f91cd3893f1d36eb0f50246052b1d80adc322b2504b6350ef5c0b35b6614a",
      "normalised_sha256": "52506812ec6b95c3ed8c89785847a5e3200870ad94d461ae8e326e9933ce39cb",
      "statements": 2,
      "directives": [
        "transaction = none",
        "depends_on = 1, 2",
        "require = SELECT 1"
      ],
      "manifest": {
        "file": "a/3_x.toml",
        "description": "Does it",
        "grants": {
          "create": [
            "t"
          ],
          "trigger": [
            "t"
          ]
        },
        "risks": {
          "trigger": [
            "leaves behind what runs later with other rights"
          ]
        },
        "limits": {
          "fuel": 1000000000000,
          "memory_bytes": 536870912,
          "time_us": 3600000000
        },
        "params": {}
      },
      "policy": {
        "file": "whimbrel.toml",
        "chain": "acme",
        "namespace": "acme_",
        "refused": {
          "grants": {},
          "never": {},
          "limits": [],
          "outside_transaction": true,
          "rebuild": false
        }
      }
    }
    "#);
    // Any name will do, and nothing has to be there beside it.
    project.write("other.sql", "SELECT 1");
    assert!(project.ok(&["inspect", "--chain", "acme", "other.sql"]).stdout.contains("statements 1\n"));
    assert_snapshot!(project.run(&["inspect", "nothing.sql"]), @"
    exit 1
    --- stderr
    error: nothing.sql: there is no such file
    hint: check the path
    ");
}

#[test]
fn shows_what_a_script_is_and_how_it_commits() {
    let project = Project::new();
    project.write("migrations/words.js", "export const mark = '!';\n");
    let script =
        "import { mark } from './words.js';\nexport function transform(row) { return { name: row.name + mark }; }\n";
    project.write("migrations/0001_mark.js", script);
    let manifest = "[grants]\nread = ['t']\nupdate = ['t(name)']\n[transform]\ntable = 't'\nread = ['name']\nwrite = ['name']\nchunk = 5000\n";
    project.write("migrations/0001_mark.toml", manifest);
    assert_snapshot!(project.run(&["inspect", "migrations/0001_mark.js"]), @"
    exit 0
    --- stdout
    migrations/0001_mark.js
      kind       script in .js
      size       129 bytes
      sha-256    b88ab36886402cfff2502cfe792a47e5bd073506e66a35f369ac3466425e5f3d
      normalised b88ab36886402cfff2502cfe792a47e5bd073506e66a35f369ac3466425e5f3d
      imports    migrations/words.js
      manifest   migrations/0001_mark.toml
      asks for   read      t
                 update    t(name)
                 limits    1,000,000,000,000 fuel, 512 MiB memory, 1 h time
                 commits   every 5,000 rows  ! when it fails, the chunks before stay done
    ");
    let mark = "commits   every 5,000 rows  ! when it fails, the chunks before stay done";
    project.write("whimbrel.toml", "database = \"sqlite:app.db\"\n");
    let planned = project.run(&["plan"]);
    assert!(planned.stdout.contains(mark), "{planned}");
    for verb in [&["plan", "--json"][..], &["inspect", "--json", "migrations/0001_mark.js"]] {
        let json = project.ok(verb).json(verb[0]);
        let asks = if verb[0] == "plan" { &json["steps"][0]["asks"] } else { &json["manifest"] };
        let expected = "commits every 5,000 rows: when it fails, the chunks before stay done";
        assert_eq!(asks["risks"]["chunk"][0], expected, "{json}");
    }
    // Of a component, too.
    project.write("b/0001_mark.wasm", small());
    project.write("b/0001_mark.toml", manifest);
    let shown = project.run(&["inspect", "b/0001_mark.wasm"]).stdout;
    assert!(shown.contains(mark), "{shown}");
    project.write("migrations/0001_mark.toml", manifest.replace("5000", "'whole'"));
    let shown = project.ok(&["inspect", "migrations/0001_mark.js"]).stdout;
    assert!(!shown.contains("commits"), "{shown}");
}
