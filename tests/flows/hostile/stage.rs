//! Plays one case: a shop's database, a stranger's migration, and a good one after it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tempfile::TempDir;
use whimbrel::db::ErrorCode;
use whimbrel::exec::{Event, Observer, PrepareError, StepError};
use whimbrel::model::{Policy, Trust};
use whimbrel::plan::{Goal, Until};
use whimbrel::source::Directory;
use whimbrel::wasm::{CompileIsolation, CompilerProgram, ComponentCache, PluginError};
use whimbrel::{Error, Migrator};

use super::component;
use super::list::{Case, End, Guest};
use crate::harness;

/// No case takes longer, on a machine that is busy with other tests.
const BOUNDED: Duration = Duration::from_secs(60);
/// No case makes this program larger, in KiB: it is a debug build with a compiled engine in it.
const MEMORY: u64 = 700 << 10;
pub(super) const SHOP: &str = include_str!("shop.sql");
/// Lines of log and bytes of it that get through.
const LOG: (u64, u64) = (10_001, (1 << 20) + 200);

/// What all cases share.
pub(in crate::flows) struct Stage {
    pub(super) behaviours: Vec<u8>,
    pub(super) program: PathBuf,
}

/// Counts what a guest says.
#[derive(Default)]
struct Ears {
    lines: AtomicU64,
    bytes: AtomicU64,
}

impl Observer for Ears {
    fn event(&self, event: &Event<'_>) {
        if let Event::Log { message, .. } = event {
            self.lines.fetch_add(1, Ordering::Relaxed);
            self.bytes.fetch_add(message.len() as u64, Ordering::Relaxed);
        }
    }
}

impl Stage {
    /// Plays a case; panics where it does not end as it must.
    pub(super) fn plays(&self, case: &Case) {
        match case.guest {
            Guest::Text(file) => {
                let text = std::fs::read_to_string(component::folder().join("wat").join(file)).unwrap();
                self.plays_component(case, &component::read(&text), "");
            }
            Guest::Made(_, make) => self.plays_component(case, &make(), ""),
            Guest::Behaves(does) => self.plays_component(case, &self.behaviours, &format!("do = '{does}'")),
            Guest::Script(file) => {
                let text = std::fs::read_to_string(component::folder().join("scripts").join(file)).unwrap();
                self.plays_script(case, file.rsplit_once('.').unwrap().1, &text);
            }
            Guest::Attempts(file) => {
                let text = std::fs::read_to_string(component::folder().join("scripts").join(file)).unwrap();
                let ending = file.rsplit_once('.').unwrap().1;
                for line in text.lines() {
                    let script = match ending {
                        "py" => format!("import base64, itertools, json, re\ndef up(db):\n    {line}\n"),
                        _ => format!("export function up(db) {{\n  return {line};\n}}\n"),
                    };
                    self.plays_script(case, ending, &script);
                }
            }
            Guest::Written(_, write) => self.plays_script(case, "py", &write()),
            Guest::Statements(file) | Guest::Calls(file) => {
                let text = std::fs::read_to_string(component::folder().join("sql").join(file)).unwrap();
                self.plays_statements(case, &text);
            }
        }
    }

    fn plays_component(&self, case: &Case, bytes: &[u8], params: &str) {
        let manifest = format!("[grants]\n{}\n[limits]\n{}\n[params]\n{params}\n", case.grants, case.limits);
        self.act(case, &[("0002_stranger.wasm", bytes), ("0002_stranger.toml", manifest.as_bytes())]);
    }

    fn plays_script(&self, case: &Case, ending: &str, text: &str) {
        let manifest = format!("[grants]\n{}\n[limits]\n{}\n", case.grants, case.limits);
        let file = format!("0002_stranger.{ending}");
        self.act(case, &[(&file, text.as_bytes()), ("0002_stranger.toml", manifest.as_bytes())]);
    }

    /// Tries each statement through a component, after those that are to be done, and then as a script.
    fn plays_statements(&self, case: &Case, text: &str) {
        let before: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("+ ")).collect();
        let tries: Vec<&str> = text.lines().filter(|line| !line.starts_with("+ ")).collect();
        assert!(!tries.is_empty());
        // A guest that is told of a refusal goes on to the next; the last one it does not handle.
        let mark = if matches!(case.end, End::Denied) { "? " } else { "! " };
        let (last, others) = tries.split_last().unwrap();
        let others = others.iter().map(|line| format!("{mark}{line}"));
        let lines = before.iter().map(|line| (*line).to_owned()).chain(others).chain([(*last).to_owned()]);
        let lines: Vec<String> = lines.collect();
        self.plays_component(case, &self.behaviours, &format!("do = 'sql'\nsql = '''\n{}'''", lines.join("\n")));
        if let Guest::Calls(_) = case.guest {
            return;
        }
        let manifest = format!("[grants]\n{}\n[limits]\n{}\n", case.grants, case.limits);
        for line in tries {
            let script = before.iter().chain([&line]).map(|line| format!("{line};\n")).collect::<String>();
            self.act(case, &[("0002_stranger.sql", script.as_bytes()), ("0002_stranger.toml", manifest.as_bytes())]);
        }
    }

    /// Runs the stranger's migration, looks at what is left, and runs a good one on the same connection.
    fn act(&self, case: &Case, files: &[(&str, &[u8])]) {
        let folder = tempfile::tempdir().unwrap();
        let migrations = folder.path().join("migrations");
        std::fs::create_dir(&migrations).unwrap();
        std::fs::write(migrations.join("0001_shop.sql"), SHOP).unwrap();
        let database = folder.path().join("app.db");
        let mut connection = Connection::open(&database).unwrap();
        let ears = Arc::new(Ears::default());
        self.migrator(&migrations, &ears, Policy::default()).run_on(&mut connection, &Goal::Up(Until::End)).unwrap();
        for (name, bytes) in files {
            std::fs::write(migrations.join(name), bytes).unwrap();
        }
        let before = std::fs::read(&database).unwrap();
        let began = Instant::now();
        let policy = stranger(case);
        let ran = self.migrator(&migrations, &ears, policy).run_on(&mut connection, &Goal::Up(Until::End));
        let took = began.elapsed();
        let tried = String::from_utf8_lossy(files[0].1);
        let tried: String = tried.chars().take(300).collect();
        let error = ran.map(|report| report.steps.len()).expect_err(&tried);
        assert!(ends(&case.end, &error, files[0].0.ends_with(".sql")), "{tried}\nended with {error:?}");
        assert!(std::fs::read(&database).unwrap() == before, "the database has changed: {tried}");
        assert_eq!(beside(&folder), ["app.db", "migrations"], "{tried}");
        assert!(took < BOUNDED, "it took {took:?}: {tried}");
        assert!(ears.lines.load(Ordering::Relaxed) <= LOG.0 && ears.bytes.load(Ordering::Relaxed) <= LOG.1);
        for pragma in ["hard_heap_limit", "soft_heap_limit"] {
            let limit: i64 = connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0)).unwrap();
            assert_eq!(limit, 0, "{pragma} stays: {tried}");
        }
        if let Some(peak) = peak() {
            assert!(peak < MEMORY, "it took {peak} KiB of memory: {tried}");
        }
        for (name, _) in files {
            std::fs::remove_file(migrations.join(name)).unwrap();
        }
        std::fs::write(migrations.join("0002_good.wasm"), &self.behaviours).unwrap();
        let good = "[grants]\nread = ['customer(id, name, age)']\nupdate = ['customer(age)']\n[params]\ndo = 'sql'\n\
                    sql = 'UPDATE customer SET age = age + 1 WHERE id = 1'\n";
        std::fs::write(migrations.join("0002_good.toml"), good).unwrap();
        self.migrator(&migrations, &ears, Policy::default()).run_on(&mut connection, &Goal::Up(Until::End)).unwrap();
        let age: i64 = connection.query_row("SELECT age FROM customer WHERE id = 1", [], |row| row.get(0)).unwrap();
        assert_eq!(age, 37, "{tried}");
    }

    fn migrator(&self, migrations: &Path, ears: &Arc<Ears>, policy: Policy) -> Migrator {
        let compiler = CompilerProgram { program: self.program.clone(), arguments: vec!["__compile".into()] };
        Migrator::builder()
            .source(Directory::new(migrations))
            .component_cache(ComponentCache::Folder(harness::cache()))
            .compile_isolation(CompileIsolation::Child(compiler))
            .observer(Arc::clone(ears) as Arc<dyn Observer>)
            .policy(policy)
            .build()
            .unwrap()
    }
}

/// A chain that is not trusted, given what the case says, as far as such a chain can have it at all.
fn stranger(case: &Case) -> Policy {
    let grants = whimbrel::model::Manifest::parse("case", &format!("[grants]\n{}", case.grants)).unwrap().grants;
    let given = Policy { grants: grants.clone(), ..Policy::default() };
    let untrusted = Policy { trust: Trust::Untrusted { namespace: "acme_".into() }, ..given.clone() };
    if untrusted.check().is_ok() { untrusted } else { given }
}

fn beside(folder: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Returns the most memory that this process has had, in KiB, where the system tells.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Tells whether a run ended as it must. A script may be refused before it is run, and has its limits from a chain's.
fn ends(end: &End, error: &Error, script: bool) -> bool {
    let step = match error {
        Error::Run(error) => &error.source,
        Error::Prepare(PrepareError::Component { source, .. }) => {
            return matches!(end, End::Refused(words) if source.to_string().contains(words));
        }
        Error::Prepare(error @ PrepareError::Script { .. }) => {
            return matches!(end, End::Refused(words) if whole(error).contains(words));
        }
        Error::Source(error) => {
            return matches!(end, End::Refused(words) if error.problems[0].message.contains(words));
        }
        Error::Prepare(PrepareError::HeldRebuild { .. }) => return script && matches!(end, End::Denied),
        Error::Plan(_) => return script && matches!(end, End::Denied | End::Fails(_) | End::Ended),
        _ => return false,
    };
    match (end, step) {
        (End::Ended, StepError::TransactionEnded) => true,
        (End::Limit(key), StepError::Limit { reached, .. }) => reached.limit.key() == *key,
        (End::Denied, StepError::Statement { failed, .. }) => failed.error.code == ErrorCode::Denied,
        (End::Fails(words), StepError::Statement { failed, .. }) => failed.error.message.starts_with(words),
        (_, StepError::Guest(guest)) => guest_ends(end, guest),
        _ => false,
    }
}

/// Says an error with its causes.
fn whole(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn guest_ends(end: &End, guest: &PluginError) -> bool {
    // What a guest says when an attempt was not refused, or in another way than the case wants.
    let surprised =
        |message: &str| message.contains(": expected a refusal, got") || message.contains(": it was done, ");
    match (end, guest) {
        (_, PluginError::Refused { message, .. }) if surprised(message) => false,
        (End::Limit(key), PluginError::Limit(reached)) => reached.limit.key() == *key,
        (End::Traps(words), PluginError::Trapped { reason, .. }) => reason.contains(words),
        (End::Says(words), PluginError::Refused { message, .. }) => {
            message.starts_with(words) && message.len() <= 16 << 10
        }
        (End::Denied, PluginError::Refused { statement: Some(failed), .. }) => failed.error.code == ErrorCode::Denied,
        (End::Fails(words), PluginError::Refused { statement: Some(failed), .. }) => {
            failed.error.message.starts_with(words)
        }
        (End::Raises(code, words), PluginError::Script { failure, .. }) => {
            failure.code == *code && failure.message.starts_with(words) && failure.message.len() <= 16 << 10
        }
        (End::Stops, PluginError::Script { .. } | PluginError::Limit(_)) => true,
        (End::Denied, PluginError::Script { statement: Some(failed), .. }) => failed.error.code == ErrorCode::Denied,
        (End::Savepoint, PluginError::SavepointOpen) => true,
        _ => false,
    }
}
