//! The library inside this process: the time that the parts of a component's start take, and a chain on a connection of
//! the program's own.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use whimbrel::CodeEvents;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::db::{Backend, OpenOptions};
use whimbrel::plan::{Goal, Until};
use whimbrel::source::Directory;
use whimbrel::wasm::{Call, ComponentCache, Engine, RunLimits};
use whimbrel::{Interrupt, LogLevel, Migrator};

/// Seconds of wall time.
#[derive(Deserialize, Serialize)]
pub(crate) struct Times {
    /// To start the engine.
    pub(crate) start: f64,
    /// To compile the component, or to load it from the cache, until it can be called.
    pub(crate) load: f64,
    /// To instantiate it, to call it and to let it make a table.
    pub(crate) call: f64,
}

struct Deaf;

impl CodeEvents for Deaf {
    fn log(&self, _: LogLevel, _: &str) {}
    fn progress(&self, _: u64, _: Option<u64>) {}
}

/// Starts an engine, loads a component, calls it, and prints how long each took.
pub(crate) fn run(component: &Path, cache: &Path, database: &Path) -> Result<()> {
    let bytes = fs::read(component)?;
    let cache = ComponentCache::Folder(std::env::current_dir()?.join(cache));
    let options = OpenOptions { lock_timeout: Duration::from_secs(5), interrupt: Interrupt::new(), record: false };
    let mut session = Sqlite::file(database).open(&options)?;
    session.begin()?;
    let call = Call {
        export: "up",
        chain: "main",
        version: "1".to_owned(),
        name: "trivial",
        dry_run: false,
        started_at: 0,
        seed: 0,
        script: None,
        params: vec![("form".to_owned(), "trivial".to_owned())],
        limits: RunLimits::default(),
        interrupt: Interrupt::new(),
        events: Arc::new(Deaf),
    };
    let began = Instant::now();
    let engine = Engine::new(&cache)?;
    let started = Instant::now();
    let plugin = engine.compile(&bytes)?;
    let loaded = Instant::now();
    let (mut session, called) = plugin.call(session, &call);
    let ended = Instant::now();
    called?;
    session.commit()?;
    let times = Times {
        start: (started - began).as_secs_f64(),
        load: (loaded - started).as_secs_f64(),
        call: (ended - loaded).as_secs_f64(),
    };
    crate::report::say(&serde_json::to_string(&times)?);
    Ok(())
}

/// Runs the chain in this folder as a program does that has a connection already.
pub(crate) fn run_chain(database: &Path, cache: &Path) -> Result<()> {
    let mut connection = rusqlite::Connection::open(database)?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    let migrator = Migrator::builder()
        .source(Directory::new("migrations"))
        .component_cache(ComponentCache::Folder(cache.to_owned()))
        .build()?;
    migrator.run_on(&mut connection, &Goal::Up(Until::End))?;
    Ok(())
}
