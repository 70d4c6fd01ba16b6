//! Measure e: what all safety together costs, in the sandbox and in SQL.
//!
//! The same session does the same work twice: held to grants, within limits, with fuel and epochs, with time and chance
//! covered; and with nothing of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bench_guest::sql;
use clap::ValueEnum;
use whimbrel::CodeEvents;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::db::{Ambient, Backend, OpenOptions, Session};
use whimbrel::grants::{Grants, Restriction};
use whimbrel::wasm::{Call, ComponentCache, Engine, RunLimits};
use whimbrel::{Interrupt, LogLevel};

use crate::measure::{Contender, in_turn};
use crate::native::fill;
use crate::programs::{self, Programs};
use crate::report::{self, Aim, Row, Section};
use crate::tool::DATABASE;
use crate::workshop::{Workshop, copy_database, number};

/// Most CPU time with everything on against everything off.
const PACKED: f64 = 1.05;
const SCRIPT: f64 = 1.10;
/// Rows for each statement of the script.
const ROWS_A_STATEMENT: u32 = 10;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Work {
    /// A component reads, splits and inserts names, in packed form.
    Insert,
    /// A component reads, splits and updates names, in packed form.
    Update,
    /// A script of many statements.
    Script,
}

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Guards {
    /// Everything there is.
    On,
    /// A session without rules.
    Off,
    /// There is not even a session: scripts only.
    Native,
}

impl Work {
    fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Script => "script",
        }
    }

    fn count(self) -> &'static str {
        match self {
            Self::Insert => "SELECT count(*) FROM person_name",
            Self::Update | Self::Script => "SELECT count(name_key) FROM person",
        }
    }
}

/// Measures every work with all safety and without any.
pub(crate) fn measure(workshop: &Workshop, programs: &Programs, rows: u32, runs: usize) -> Result<Vec<Section>> {
    report::begin("e");
    let room = workshop.room("e")?;
    let guest = programs::component("guest")?;
    fs::write(room.join("component.wasm"), &guest)?;
    fs::write(room.join("script.sql"), script(rows))?;
    fill(&room.join("full.db"), rows, sql::SCHEMA, sql::FILL)?;
    [Work::Insert, Work::Update, Work::Script]
        .into_iter()
        .map(|work| section(workshop, programs, work, &room, rows, runs))
        .collect()
}

/// Writes a migration of many statements: some that look, some that write, each with a text of its own.
fn script(rows: u32) -> String {
    let one = |first: u32| {
        let last = first + ROWS_A_STATEMENT;
        format!(
            "UPDATE person SET first_name = substr(full_name, 1, instr(full_name, ' ')), name_key = lower(full_name) \
             WHERE id >= {first} AND id < {last};\n\
             INSERT INTO person_name SELECT id, first_name, full_name, name_key FROM person \
             WHERE id >= {first} AND id < {last} AND NOT EXISTS (SELECT 1 FROM person_name WHERE id = {first});\n"
        )
    };
    (0..rows).step_by(ROWS_A_STATEMENT as usize).map(one).collect()
}

fn section(
    workshop: &Workshop,
    programs: &Programs,
    work: Work,
    room: &Path,
    rows: u32,
    runs: usize,
) -> Result<Section> {
    let contender = |name: &str, guards: &'static str| Contender {
        name: name.to_owned(),
        prepare: Box::new(move || {
            copy_database(&room.join("full.db"), &room.join(DATABASE))?;
            let mut command = workshop.command(&programs.bench, room);
            command.args(["safety", work.name(), guards, DATABASE]);
            Ok(command)
        }),
        check: Box::new(move || {
            let written = number(&room.join(DATABASE), work.count())?;
            ensure!(written == i64::from(rows), "{written} rows were written");
            Ok(())
        }),
    };
    let mut contenders = vec![contender("without any safety", "off"), contender("with all of it", "on")];
    if work == Work::Script {
        contenders[0].name = "a chain of one's own".to_owned();
        contenders[1].name = "held to grants, within limits".to_owned();
        contenders.insert(0, contender("the same statements on rusqlite", "native"));
    }
    let used = in_turn(&contenders, runs)?;
    let most = if work == Work::Script { SCRIPT } else { PACKED };
    let what = match work {
        Work::Insert => "a component inserts, packed form",
        Work::Update => "a component updates, packed form",
        Work::Script => "a script of many statements",
    };
    let aim = |contender: &Contender<'_>, used: &crate::measure::Used, base: f64| {
        let text = format!("{what}, {}: at most {most:.2} of the CPU of the first row", contender.name);
        Aim::at_most(&text, "of it", used.cpu / base, most)
    };
    let aims = contenders.iter().zip(&used).skip(1).map(|(contender, of)| aim(contender, of, used[0].cpu));
    Ok(Section {
        part: "e",
        title: format!("what safety costs: {what}, {rows} names"),
        aims: aims.collect(),
        rows: contenders.iter().zip(&used).map(|(contender, used)| Row::new(&contender.name, *used)).collect(),
        base: 0,
        notes: Vec::new(),
    })
}

struct Deaf;

impl CodeEvents for Deaf {
    fn log(&self, _: LogLevel, _: &str) {}
    fn progress(&self, _: u64, _: Option<u64>) {}
}

/// Does the work once, in a process of its own.
pub(crate) fn run(work: Work, guards: Guards, database: &Path) -> Result<()> {
    let guarded = match guards {
        Guards::Native => return native(database),
        Guards::Off => false,
        Guards::On => true,
    };
    let options = OpenOptions { lock_timeout: Duration::from_secs(5), interrupt: Interrupt::new(), record: false };
    let mut session = Sqlite::file(database).open(&options)?;
    session.begin()?;
    if guarded {
        session.set_ambient(Some(Ambient { started_at: 0, seed: 1, granted: Vec::new() }))?;
        session.restrict(Some(Arc::new(Restriction {
            protected: vec!["_history".to_owned()],
            grants: Some(grants()?),
            ..Restriction::default()
        })));
    }
    let mut session = match work {
        Work::Insert | Work::Update => call(session, work.name(), guarded)?,
        Work::Script => script_in(session, guarded)?,
    };
    session.restrict(None);
    session.set_ambient(None)?;
    session.commit()?;
    Ok(())
}

/// Runs the script on a connection that nobody watches.
fn native(database: &Path) -> Result<()> {
    let mut connection = rusqlite::Connection::open(database)?;
    connection.execute_batch("PRAGMA foreign_keys = ON")?;
    let transaction = connection.transaction()?;
    // One by one: rusqlite copies what is left of a batch for each of its statements.
    for statement in fs::read_to_string("script.sql")?.lines() {
        transaction.execute_batch(statement)?;
    }
    Ok(transaction.commit()?)
}

fn grants() -> Result<Grants> {
    let manifest = "[grants]\nread = ['person', 'person_name']\nupdate = ['person']\ninsert = ['person_name']";
    let manifest = whimbrel::model::Manifest::parse("bench", manifest).ok().context("the grants")?;
    manifest.grants.context("there are some")
}

fn script_in(mut session: Box<dyn Session>, guarded: bool) -> Result<Box<dyn Session>> {
    let script = fs::read_to_string("script.sql")?;
    session.set_limits(guarded.then(RunLimits::default).as_ref())?;
    session.execute_script(&script).map_err(|failed| failed.error)?;
    session.set_limits(None)?;
    Ok(session)
}

fn call(session: Box<dyn Session>, form: &str, guarded: bool) -> Result<Box<dyn Session>> {
    // Each has a cache of its own: they are compiled differently.
    let cache = PathBuf::from(if guarded { "cache-on" } else { "cache-off" });
    let cache = ComponentCache::Folder(std::env::current_dir()?.join(cache));
    let engine = if guarded { Engine::new(&cache)? } else { Engine::unguarded(&cache)? };
    let call = Call {
        export: "up",
        chain: "main",
        version: "1".to_owned(),
        name: "safety",
        dry_run: false,
        started_at: 0,
        seed: 0,
        script: None,
        params: vec![("form".to_owned(), form.to_owned())],
        limits: RunLimits::default(),
        interrupt: Interrupt::new(),
        events: Arc::new(Deaf),
    };
    let (session, called) = engine.compile(&fs::read("component.wasm")?)?.call(session, &call);
    called?;
    Ok(session)
}
