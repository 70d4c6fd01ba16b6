//! Strangers' components and scripts that mean harm: one for each thing that must not happen. The list is in `list`.
//!
//! Each runs in a process of its own, so that its memory can be measured, on a connection that afterwards runs a good
//! migration.
#![cfg(unix)]

mod component;
mod list;
mod made;
mod stage;
mod together;
mod vendor;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::guests::behaviours;
use crate::harness;
use list::{CASES, Case, Guest};
pub(super) use stage::Stage;

const CASE: &str = "WHIMBREL_TEST_HOSTILE_CASE";
const BEHAVIOURS: &str = "WHIMBREL_TEST_HOSTILE_BEHAVIOURS";
const PROGRAM: &str = "WHIMBREL_TEST_HOSTILE_PROGRAM";
/// What one command of the program takes at most, on a machine that is busy with other tests.
const BOUNDED: Duration = Duration::from_secs(60);
/// Far beyond what any of them takes, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);

/// The process of one case: this program again, told by its environment what to do.
#[test]
fn is_the_process_of_a_case() {
    let Ok(name) = std::env::var(CASE) else { return };
    let case = CASES.iter().find(|case| case.name() == name).unwrap();
    let path = |name| PathBuf::from(std::env::var_os(name).unwrap());
    let stage = Stage { behaviours: std::fs::read(path(BEHAVIOURS)).unwrap(), program: path(PROGRAM) };
    stage.plays(case);
}

/// Runs a case and returns what went wrong.
fn run(case: &Case, behaviours: &std::path::Path) -> Option<String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["flows::hostile::is_the_process_of_a_case", "--exact", "--test-threads=1", "--nocapture"])
        .env(CASE, case.name())
        .env(BEHAVIOURS, behaviours)
        .env(PROGRAM, harness::program())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    match wait(child) {
        None => Some(format!("it still runs after {PATIENCE:?}")),
        Some(output) if output.status.success() => None,
        Some(output) => Some(format!("{}\n{}", output.status, String::from_utf8_lossy(&output.stderr))),
    }
}

fn wait(mut child: Child) -> Option<std::process::Output> {
    let since = Instant::now();
    // What it says fits a pipe, or is not worth more.
    while child.try_wait().unwrap().is_none() {
        if since.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Some(child.wait_with_output().unwrap())
}

#[test]
fn none_of_them_gets_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let guest = folder.path().join("behaviours.wasm");
    std::fs::write(&guest, behaviours()).unwrap();
    // The engines are compiled before anybody looks at the time and memory that a case takes.
    harness::Project::with(&[("0001_a.py", "def up(db): pass"), ("0002_b.js", "export function up() {}")]).ok(&["up"]);
    let only = std::env::var("HOSTILE").ok();
    let chosen = |case: &&Case| only.as_ref().is_none_or(|only| case.name().contains(only.as_str()));
    let cases: Vec<&Case> = CASES.iter().filter(chosen).collect();
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(String::new()));
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(why) = run(case, &guest) {
                let _ = writeln!(wrong.lock().unwrap(), "== {}: {}\n{why}", case.name(), case.threat);
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_file_is_on_the_list_once() {
    let mut named = BTreeSet::new();
    for case in CASES {
        assert!(named.insert(case.name()), "{} is there twice", case.name());
        assert!(!case.threat.is_empty());
    }
    let on_disk = |ending: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(component::folder().join(ending)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let on_list = |ending: &str| -> BTreeSet<String> {
        let files = CASES.iter().filter_map(|case| match case.guest {
            Guest::Text(file)
            | Guest::Statements(file)
            | Guest::Calls(file)
            | Guest::Script(file)
            | Guest::Attempts(file) => Some(file.to_owned()),
            Guest::Made(..) | Guest::Written(..) | Guest::Behaves(_) => None,
        });
        files.filter(|file| file.ends_with(ending)).collect()
    };
    assert_eq!(on_disk("wat"), on_list(".wat"));
    assert_eq!(on_disk("sql"), on_list(".sql"));
    assert_eq!(on_disk("scripts"), on_list(".py").union(&on_list(".js")).cloned().collect());
    assert!(CASES.len() >= 100, "{}", CASES.len());
}

/// Runs the program on what a stranger may write anywhere, and looks at every character that comes out.
#[test]
fn nothing_reaches_the_terminal_that_it_would_obey() {
    const EVIL: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\r\u{9b}31m\u{202e}";
    let project = harness::Project::with(&[("0001_shop.sql", stage::SHOP)]);
    project.ok(&["up"]);
    let text = std::fs::read_to_string(component::folder().join("wat/error-with-escapes.wat")).unwrap();
    project.write("migrations/0002_evil.wasm", component::read(&text));
    let toml = EVIL.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect::<String>();
    let manifest = format!(
        "description = \"{toml}\"\n[grants]\nread = [\"{toml}\"]\nupdate = [\"customer(age)\"]\n\
         [params]\n\"{toml}\" = \"{toml}\"\n"
    );
    project.write("migrations/0002_evil.toml", manifest);
    project.write("migrations/0003_evil.sql", format!("CREATE TABLE \"{EVIL}\" (\"{EVIL}\"); SELECT {EVIL};\n"));
    project.write(&format!("migrations/0004_{EVIL}.sql"), "SELECT 1;");
    let look = |arguments: &[&str]| {
        let output = project.command(arguments).output().unwrap();
        let shown = [output.stdout, output.stderr].concat();
        let shown = String::from_utf8(shown).unwrap();
        let obeyed = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
        assert_eq!(shown.chars().find(obeyed), None, "{arguments:?}: {shown:?}");
        shown
    };
    // A name that no migration can have is told, too.
    look(&["status"]);
    std::fs::remove_file(project.path(&format!("migrations/0004_{EVIL}.sql"))).unwrap();
    let inspected = look(&["inspect", "migrations/0002_evil.wasm"]);
    assert!(inspected.contains("\\u{1b}[2J"), "{inspected}");
    for verb in [&["status"][..], &["plan"], &["history"], &["verify"], &["up"], &["up", "--dry-run"], &["test"]] {
        look(verb);
        look(&[verb, &["--json"]].concat());
    }
    let failed = look(&["up"]);
    assert!(failed.contains("the guest says: \\u{1b}[2J"), "{failed}");
    std::fs::remove_file(project.path("migrations/0002_evil.wasm")).unwrap();
    std::fs::remove_file(project.path("migrations/0002_evil.toml")).unwrap();
    look(&["up", "--dry-run"]);
    look(&["up"]);
}
