//! The same small migration written in JavaScript and Python: the handle arrives, works and ends as from Rust.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use whimbrel::wasm::PluginError;

use super::guests::{Stage, workspace};

/// Builds a guest with its own language's tools; `None` when they are missing, which only CI does not forgive.
fn build(language: &str, tool: &str) -> Option<Vec<u8>> {
    if Command::new(tool).arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "{tool} is missing");
        eprintln!("skipped: {tool} is not installed");
        return None;
    }
    let output: PathBuf = workspace().join(format!("target/guests/{language}.wasm"));
    let script = workspace().join(format!("tests/guests/{language}/build.sh"));
    let built = Command::new("bash").arg(script).arg(&output).output().expect("bash runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    Some(std::fs::read(output).expect("the script wrote the component"))
}

fn javascript() -> Option<&'static [u8]> {
    static BYTES: OnceLock<Option<Vec<u8>>> = OnceLock::new();
    BYTES.get_or_init(|| build("javascript", "node")).as_deref()
}

fn python() -> Option<&'static [u8]> {
    static BYTES: OnceLock<Option<Vec<u8>>> = OnceLock::new();
    BYTES.get_or_init(|| build("python", "python3")).as_deref()
}

fn splits_names(guest: &[u8]) {
    let stage = Stage::new(guest, "");
    stage.up().unwrap();
    let names: Vec<_> = stage.people().into_iter().map(|(_, first, last, _)| (first, last)).collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(names, [(some("Ada"), some("Lovelace")), (some("Grace"), some("Hopper")), (some("Plato"), None)]);
    assert!(!stage.heard().is_empty());
    stage.migrator().down(whimbrel::plan::Until::Steps(1)).unwrap();
    assert!(stage.people().into_iter().all(|(_, first, last, _)| first.is_none() && last.is_none()));
}

fn refuses_and_traps(guest: &[u8]) {
    match Stage::new(guest, "[params]\nfail = \"yes\"\n").fails_as_guest() {
        PluginError::Refused { message, .. } => assert!(message.starts_with("the guest says no: "), "{message}"),
        other => panic!("{other:?}"),
    }
    let trapped = Stage::new(guest, "[params]\nfail = \"trap\"\n").fails_as_guest();
    assert!(matches!(trapped, PluginError::Trapped { .. }), "{trapped:?}");
}

#[test]
fn javascript_splits_names() {
    if let Some(guest) = javascript() {
        splits_names(guest);
    }
}

#[test]
fn javascript_refuses_and_traps() {
    if let Some(guest) = javascript() {
        refuses_and_traps(guest);
    }
}

#[test]
fn python_splits_names() {
    if let Some(guest) = python() {
        splits_names(guest);
    }
}

#[test]
fn python_refuses_and_traps() {
    if let Some(guest) = python() {
        refuses_and_traps(guest);
    }
}

#[test]
fn neither_imports_anything_but_the_contract() {
    for guest in [javascript(), python()].into_iter().flatten() {
        let inspection = whimbrel::wasm::inspect(guest).unwrap();
        assert!(inspection.imports.iter().all(|import| import.starts_with("whimbrel:migration/")), "{inspection:?}");
        assert_eq!(inspection.world(), Some("reversible"));
    }
}
