//! Engines that are missing, wrong, or other than the one that was asked for; and one that is not built in.

use super::{SPLIT, script};
use crate::harness::Project;

/// The built-in engine as a file, so that it can be named like any other.
fn engine(project: &Project) -> String {
    let packed =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../host/engines/quickjs.wasm.zst")).expect("engine");
    let bytes = zstd::decode_all(packed.as_slice()).expect("packed");
    project.write("engines/my.wasm", &bytes);
    whimbrel::model::Checksum::of(&bytes).to_string()
}

fn configure(project: &Project, engines: &str) {
    project.write("whimbrel.toml", format!("database = \"sqlite:app.db\"\n[engines]\n{engines}\n"));
}

#[test]
fn the_built_in_engine_has_no_special_door() {
    let project = script("0002_split_names.js", SPLIT);
    let digest = engine(&project);
    configure(&project, &format!("js = {{ path = \"engines/my.wasm\", sha256 = \"{digest}\" }}"));
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM customer WHERE first_name = 'Ada'"), 1);
    let engines = project.ok(&["engines"]);
    assert!(engines.stdout.starts_with("js  .js  engines/my.wasm\n  quickjs "), "{engines}");
    assert!(engines.stdout.contains(&digest), "{engines}");
}

#[test]
fn an_engine_that_changed_under_its_digest_is_refused() {
    let project = script("0002_split_names.js", SPLIT);
    let digest = engine(&project);
    let pinned = digest.replace(|digit: char| digit.is_ascii_digit(), "0");
    configure(&project, &format!("js = {{ path = \"engines/my.wasm\", sha256 = \"{pinned}\" }}"));
    let outcome = project.run(&["up"]);
    assert!(outcome.code == 1 && outcome.stderr.contains("is not the one that was pinned"), "{outcome}");
    assert!(outcome.stderr.contains(&format!("sha256 = \"{digest}\"")), "{outcome}");
    assert!(!project.path("app.db").exists());
}

#[test]
fn an_engine_that_is_missing_or_wrong_is_told() {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations/0003_split_names.wasm");
    let cases: [(&str, &[u8], &str); 3] = [
        ("missing", b"", "cannot be read (engines/js.wasm)"),
        ("junk", b"hello", "the file is not WebAssembly"),
        ("component", &std::fs::read(sample).expect("sample"), "is no script engine"),
    ];
    for (name, bytes, words) in cases {
        let project = script("0002_split_names.js", SPLIT);
        configure(&project, "js = \"engines/js.wasm\"");
        if name != "missing" {
            project.write("engines/js.wasm", bytes);
        }
        let outcome = project.run(&["up"]);
        assert!(outcome.code == 1 && outcome.stderr.contains(words), "{name}: {outcome}");
        assert!(outcome.stderr.contains("0002_split_names.js"), "{name}: {outcome}");
        assert_eq!(project.run(&["up", "--json"]).json("error")["code"], "engine", "{name}");
        assert!(!project.path("app.db").exists(), "{name}");
        let engines = project.run(&["engines"]);
        assert!(engines.code == 1 && engines.stdout.contains(words), "{name}: {engines}");
    }
}

#[test]
fn an_engine_for_other_files_is_refused() {
    let project = script("0002_x.lua", "function up(db) end");
    engine(&project);
    configure(&project, "lua = \"engines/my.wasm\"");
    let outcome = project.run(&["up"]);
    assert!(outcome.code == 1 && outcome.stderr.contains("runs .js, .mjs, .ts, .mts, and not .lua"), "{outcome}");
}

#[test]
fn two_engines_for_one_ending_are_refused() {
    let project = Project::with(&[]);
    configure(&project, "a = { path = \"a.wasm\", extensions = [\"lua\"] }\nlua = \"b.wasm\"");
    let outcome = project.run(&["status"]);
    assert!(
        outcome.code == 2 && outcome.stderr.contains("two script engines are to run .lua files: a and lua"),
        "{outcome}"
    );
    assert!(outcome.stderr.contains("whimbrel.toml:4:"), "{outcome}");
}

#[test]
fn the_table_of_engines_is_read_strictly() {
    for (text, words) in [
        ("lua = 3", "whimbrel.toml:3:"),
        ("lua = { path = \"x\", sha = \"y\" }", "unknown key `sha`"),
        ("lua = { path = \"x\", sha256 = \"y\" }", "is not a checksum"),
        ("sql = \"x.wasm\"", "cannot run \".sql\" files"),
    ] {
        let project = Project::with(&[]);
        configure(&project, text);
        let outcome = project.run(&["status"]);
        assert!(outcome.code == 2 && outcome.stderr.contains(words), "{text}: {outcome}");
    }
}

#[test]
fn a_script_without_an_engine_is_no_script() {
    let project = script("0002_x.lua", "function up(db) end");
    let status = project.ok(&["status"]);
    assert!(status.stdout.contains("0002_x.lua is ignored"), "{status}");
}

#[test]
fn a_new_script_is_read_by_the_engine_that_is_to_run_it() {
    let project = Project::notes();
    project.write("engines/js.wasm", "hello");
    configure(&project, "js = \"engines/js.wasm\"");
    let outcome = project.run(&["new", "split names", "--kind", "js"]);
    assert!(outcome.code == 1 && outcome.stderr.contains("the file is not WebAssembly"), "{outcome}");
    assert!(outcome.stderr.contains("0003_split_names.js"), "{outcome}");
    // Nothing runs its files, so there is nobody to ask.
    project.ok(&["new", "other", "--kind", "rust"]);
}

#[cfg(target_os = "linux")]
#[test]
fn where_addresses_are_scarce_the_limit_is_named() {
    let project = Project::with(&[("0001_t.js", "export function up(db) { db.execute('CREATE TABLE t (x)'); }\n")]);
    let up = project.command(&["up"]);
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "ulimit -v 2000000; exec \"$@\"", "sh"]).arg(up.get_program()).args(up.get_args());
    limited.current_dir(project.path("")).envs(up.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let outcome = project.outcome(&limited.output().expect("it runs"));
    assert_eq!(outcome.code, 1, "{outcome}");
    assert!(outcome.stderr.contains("the system gives the sandbox no memory: "), "{outcome}");
    assert!(outcome.stderr.contains("hint: each instance of a component reserves addresses"), "{outcome}");
}
