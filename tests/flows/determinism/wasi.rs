//! Real components of languages that insist on WASI, on the closed stand-in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use whimbrel::LogLevel;
use whimbrel::wasm::PluginError;

use super::House;
use crate::flows::guests::workspace;

/// Builds a guest with its own language's tools; `None` when they are missing, which only CI does not forgive.
fn build(language: &str, check: &[&str]) -> Option<Vec<u8>> {
    let found = Command::new(check[0]).args(&check[1..]).output().is_ok_and(|output| output.status.success());
    if !found {
        assert!(std::env::var_os("CI").is_none(), "what builds {language} is missing");
        eprintln!("skipped: what builds {language} is not installed");
        return None;
    }
    let output: PathBuf = workspace().join(format!("target/guests/wasi-{language}.wasm"));
    let script = workspace().join("tests/guests/wasi/build.sh");
    let built = Command::new("bash").arg(script).arg(language).arg(&output).output().expect("bash runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    Some(std::fs::read(output).expect("the script wrote the component"))
}

pub(crate) fn rust() -> Option<&'static [u8]> {
    static BYTES: OnceLock<Option<Vec<u8>>> = OnceLock::new();
    BYTES.get_or_init(|| build("rust", &["rustup", "target", "add", "wasm32-wasip2"])).as_deref()
}

pub(crate) fn javascript() -> Option<&'static [u8]> {
    static BYTES: OnceLock<Option<Vec<u8>>> = OnceLock::new();
    BYTES.get_or_init(|| build("javascript", &["node", "--version"])).as_deref()
}

pub(crate) fn python() -> Option<&'static [u8]> {
    static BYTES: OnceLock<Option<Vec<u8>>> = OnceLock::new();
    BYTES.get_or_init(|| build("python", &["python3", "--version"])).as_deref()
}

fn house(guest: &[u8], params: &str) -> House {
    House::new(&[("1_ask.wasm", guest), ("1_ask.toml", format!("[params]\n{params}\n").as_bytes())])
}

/// Runs twice, a moment apart, and expects the same answers, those about the time apart.
fn ask(guest: &[u8], about_time: &[&str]) -> (House, BTreeMap<String, String>) {
    let run = || {
        let house = house(guest, "");
        house.up().unwrap_or_else(|error| panic!("{error:?} {:#?}", house.heard()));
        let told = house.told();
        (house, told)
    };
    let before = now();
    let (house, told) = run();
    let time: f64 = told["time"].trim_end_matches('s').parse().unwrap();
    let time = Duration::from_secs_f64(if time > 1e11 { time / 1000.0 } else { time });
    let rounding = Duration::from_millis(1);
    assert!(before - rounding <= time && time <= now() + rounding, "{before:?} {time:?}");
    let (_, again) = run();
    for (what, answer) in &told {
        let time = about_time.contains(&what.as_str());
        assert!(time || *answer == again[what], "{what}: {answer} and {}", again[what]);
    }
    (house, told)
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

fn said(level: LogLevel, house: &House) -> Vec<String> {
    house.heard().into_iter().filter(|(of, _)| *of == level).map(|(_, line)| line).collect()
}

fn expect(told: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    for (what, answer) in expected {
        assert_eq!(told.get(*what).map(String::as_str), Some(*answer), "{what}");
    }
}

#[test]
fn rust_sees_the_stand_in() {
    let Some(guest) = rust() else { return };
    let (house, told) = ask(guest, &["time"]);
    let expected = [
        ("waited", "3600.001s"),
        ("loops", "999"),
        ("environment", "0"),
        ("arguments", "0"),
        ("stdin", "Some(0)"),
        ("open", "NotFound"),
        ("write", "NotFound"),
        ("list", "NotFound"),
        ("socket", "PermissionDenied"),
        ("thread", "Unsupported"),
        // x86 itself would say fff8000000000000.
        ("nan", "7ff8000000000000"),
    ];
    expect(&told, &expected);
    assert_eq!(said(LogLevel::Info, &house), ["printed in one line", "and a second one", "not ended"]);
    assert_eq!(said(LogLevel::Warn, &house), ["complained"]);
}

#[test]
fn javascript_sees_the_stand_in() {
    let Some(guest) = javascript() else { return };
    let (_, told) = ask(guest, &["time", "today"]);
    expect(&told, &[("zone", "0"), ("loops", "999"), ("process", "ReferenceError"), ("fetch", "ReferenceError")]);
    assert!(told["nan"].trim_start_matches('0') == "f87f" || told["nan"] == "7ff8000000000000", "{}", told["nan"]);
    assert!(told["random"].starts_with("0."), "{}", told["random"]);
}

#[test]
fn python_sees_the_stand_in() {
    let Some(guest) = python() else { return };
    let (house, told) = ask(guest, &["time", "today", "local"]);
    let expected = [
        ("waited", "3600.002"),
        ("loops", "999"),
        ("environment", "{}"),
        ("arguments", "[]"),
        ("stdin", "''"),
        ("open", "FileNotFoundError"),
        ("write", "FileNotFoundError"),
        ("list", "FileNotFoundError"),
        ("socket", "PermissionError"),
    ];
    expect(&told, &expected);
    assert_eq!(format!("{}+00:00", told["local"]), told["today"]);
    assert_eq!(said(LogLevel::Info, &house), ["printed and said in one line", "and a second one", "not ended"]);
    assert_eq!(said(LogLevel::Warn, &house), ["complained"]);
}

#[test]
fn exit_is_a_trap_that_says_so() {
    for guest in [rust(), python()].into_iter().flatten() {
        match house(guest, "exit = '3'").fails_as_guest() {
            PluginError::Trapped { reason, .. } => {
                assert!(reason.contains("the guest called exit(1); a migration ends by returning"), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_a_runtime_says_on_standard_error_is_the_reason() {
    let Some(guest) = python() else { return };
    let house = house(guest, "fail = 'yes'");
    match house.fails_as_guest() {
        PluginError::Trapped { reason, .. } => {
            assert!(reason.contains("RuntimeError: nobody catches this"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    assert!(said(LogLevel::Warn, &house).iter().any(|line| line.contains("Traceback")), "{:?}", house.heard());
}

#[test]
fn inspection_tells_which_imports_are_the_stand_in() {
    let Some(guest) = python() else { return };
    let inspection = whimbrel::wasm::inspect(guest).unwrap();
    let wasi: Vec<&str> = inspection.wasi().collect();
    assert!(wasi.iter().any(|import| import.starts_with("wasi:sockets/tcp@0.2.")), "{wasi:?}");
    assert_eq!(wasi.len() + 3, inspection.imports.len(), "{:?}", inspection.imports);
}
