//! A folder of migrations that somebody else has filled: nothing outside it is read or written, and nobody waits for a pipe.

use std::os::unix::fs::symlink;
use std::process::Command;

use insta::assert_snapshot;

use crate::harness::Project;

fn pipe(project: &Project, path: &str) {
    let made = Command::new("mkfifo").arg(project.path(path)).status().expect("mkfifo runs");
    assert!(made.success());
}

#[test]
fn a_lock_file_that_is_a_link_is_replaced() {
    for target in ["../victim", "../absent"] {
        let project = Project::notes();
        project.write("victim", "victim");
        symlink(target, project.path("migrations/whimbrel.lock")).expect("link");
        project.ok(&["lock"]);
        assert_eq!(project.read("victim"), "victim");
        assert!(!project.path("absent").exists());
        assert!(!project.path("migrations/whimbrel.lock").is_symlink());
        project.ok(&["lock", "--check"]);
    }
}

#[test]
fn a_lock_file_that_leads_out_is_not_read() {
    let project = Project::notes();
    symlink("/dev/zero", project.path("migrations/whimbrel.lock")).expect("link");
    assert_snapshot!(project.run(&["lock", "--check"]), @"
    exit 1
    --- stderr
    error: migrations/whimbrel.lock: is a link that leads out of the folder, and is not followed
    hint: put the file itself into the folder
    ");
    let refused = project.run(&["new", "more"]);
    assert_eq!(refused.code, 1, "{refused}");
    assert!(!project.path("migrations/0003_more.sql").exists(), "nothing is left of it");
    project.remove("migrations/whimbrel.lock");
    pipe(&project, "migrations/whimbrel.lock");
    let refused = project.run(&["lock", "--check"]);
    assert!(refused.stderr.contains("migrations/whimbrel.lock: is not a regular file"), "{refused}");
    project.ok(&["lock"]);
}

#[test]
fn a_component_and_its_manifest_are_regular_files() {
    let project = Project::new();
    project.write("vendor/1_a.wasm", b"\0asm\x0d\0\x01\0");
    project.write("secret.toml", "secret = 1\n");
    pipe(&project, "vendor/1_a.toml");
    assert_snapshot!(project.run(&["inspect", "vendor/1_a.wasm"]), @"
    exit 1
    --- stderr
    error: vendor/1_a.toml: is not a regular file
    ");
    project.remove("vendor/1_a.toml");
    symlink("../secret.toml", project.path("vendor/1_a.toml")).expect("link");
    assert_snapshot!(project.run(&["inspect", "vendor/1_a.wasm"]), @"
    exit 1
    --- stderr
    error: vendor/1_a.toml: is a link that leads out of the folder, and is not followed
    hint: put the file itself into the folder
    ");
    symlink("/dev/zero", project.path("vendor/2_b.wasm")).expect("link");
    pipe(&project, "vendor/3_c.wasm");
    for file in ["vendor/2_b.wasm", "vendor/3_c.wasm"] {
        let refused = project.run(&["inspect", file]);
        assert_eq!(refused.code, 1, "{refused}");
        assert!(refused.stderr.contains(&format!("{file}: is not a regular file")), "{refused}");
    }
}

#[test]
fn a_script_and_its_manifest_are_regular_files() {
    let project = Project::notes();
    pipe(&project, "pipe.js");
    assert_snapshot!(project.run(&["run-script", "pipe.js"]), @"
    exit 1
    --- stderr
    error: pipe.js: is not a regular file
    ");
    project.write("script.js", "export function up(db) {}\n");
    pipe(&project, "script.toml");
    assert_snapshot!(project.run(&["run-script", "script.js"]), @"
    exit 1
    --- stderr
    error: script.toml: is not a regular file
    ");
}

#[test]
fn a_manifest_that_is_a_folder_is_not_passed_over() {
    let project = Project::notes();
    std::fs::create_dir(project.path("migrations/0001_create_note.toml")).expect("folder");
    assert_snapshot!(project.unchanged(|| project.run(&["up"])), @"
    exit 1
    --- stderr
    error: migrations/0001_create_note.toml: is not a regular file
    hint: a manifest is a file; give the folder another name
    ");
}

#[test]
fn settings_are_regular_files() {
    let project = Project::new();
    project.write("migrations/1_a.sql", "CREATE TABLE a (x);\n");
    pipe(&project, ".env");
    assert_snapshot!(project.run(&["status"]), @"
    exit 2
    --- stderr
    error: .env: is not a regular file
    hint: correct it, or name the database with --database
    ");
    pipe(&project, "whimbrel.toml");
    assert_snapshot!(project.run(&["status"]), @"
    exit 2
    --- stderr
    error: whimbrel.toml: is not a regular file
    hint: name another file with --config
    ");
}
