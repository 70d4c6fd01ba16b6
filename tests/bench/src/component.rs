//! Measure c: one component is pending.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use bench_guest::sql;

use crate::engine::Times;
use crate::measure::{Contender, in_turn, median};
use crate::programs::{self, Programs};
use crate::report::{self, Aim, Row, Section};
use crate::tool::DATABASE;
use crate::workshop::{Workshop, number, remove_database};

/// What a component may cost more than SQL when it is in the cache, in seconds.
const MOST: f64 = 0.005;

/// Measures a component that does hardly anything, cold and warm, beside SQL that does the same.
pub(crate) fn measure(workshop: &Workshop, programs: &Programs, runs: usize) -> Result<Vec<Section>> {
    report::begin("c");
    let component = programs::component("guest")?;
    let size = component.len();
    let sql_room = workshop.room("c-sql")?;
    fs::create_dir(sql_room.join("migrations"))?;
    fs::write(sql_room.join("migrations/0001_trivial.sql"), sql::TRIVIAL)?;
    let room = workshop.room("c-component")?;
    lay_out(&room, &component, "trivial", "create = [\"trivial\"]")?;
    let processes = processes(workshop, programs, &sql_room, &room, runs, size)?;
    let inside = inside(workshop, programs, &component, runs)?;
    Ok(vec![processes, inside])
}

/// Writes a chain of one component with its manifest.
pub(crate) fn lay_out(room: &Path, component: &[u8], form: &str, grants: &str) -> Result<()> {
    lay_out_with(room, component, &format!("[grants]\n{grants}\n\n[params]\nform = \"{form}\"\n"))
}

/// Writes a chain of one component with this manifest.
pub(crate) fn lay_out_with(room: &Path, component: &[u8], manifest: &str) -> Result<()> {
    let migrations = room.join("migrations");
    fs::create_dir(&migrations)?;
    fs::write(migrations.join("0001_component.wasm"), component)?;
    fs::write(migrations.join("0001_component.toml"), manifest)?;
    Ok(())
}

/// Types `whimbrel up` in a folder, with a cache for components.
pub(crate) fn up(workshop: &Workshop, programs: &Programs, room: &Path, cache: &Path) -> Command {
    let mut command = workshop.command(programs.whimbrel(), room);
    command.args(["up", "--database", DATABASE]).env("WHIMBREL_CACHE", cache);
    command
}

/// Lets a chain that makes one table take part, with this cache, which may have to be empty.
pub(crate) fn trivial<'w>(
    workshop: &'w Workshop,
    programs: &'w Programs,
    name: &str,
    room: PathBuf,
    cache: PathBuf,
    empty: bool,
) -> Contender<'w> {
    let database = room.join(DATABASE);
    Contender {
        name: name.to_owned(),
        prepare: Box::new(move || {
            remove_database(&room.join(DATABASE))?;
            if empty {
                fs::remove_dir_all(&cache)?;
                fs::create_dir(&cache)?;
            }
            Ok(up(workshop, programs, &room, &cache))
        }),
        check: Box::new(move || {
            let tables = number(&database, "SELECT count(*) FROM sqlite_schema WHERE name = 'trivial'")?;
            ensure!(tables == 1, "the table is missing");
            Ok(())
        }),
    }
}

fn processes(
    workshop: &Workshop,
    programs: &Programs,
    sql: &Path,
    component: &Path,
    runs: usize,
    size: usize,
) -> Result<Section> {
    let warm = workshop.room("c-warm-cache")?;
    let cold = workshop.room("c-cold-cache")?;
    let contender = |name: &str, room: &Path, cache: &Path, empty: bool| {
        trivial(workshop, programs, name, room.to_owned(), cache.to_owned(), empty)
    };
    let contenders = [
        contender("`up`, one SQL migration", sql, &warm, false),
        contender("`up`, one component, warm cache", component, &warm, false),
        contender("`up`, one component, cold cache", component, &cold, true),
    ];
    let used = in_turn(&contenders, runs)?;
    let more = |part: fn(&crate::measure::Used) -> f64| (part(&used[1]) - part(&used[0])) * 1000.0;
    let aims = vec![
        Aim::below(
            "a cached component takes less than 5 ms of CPU more than SQL",
            "ms",
            more(|used| used.cpu),
            MOST * 1000.0,
        ),
        Aim::below(
            "a cached component takes less than 5 ms longer than SQL",
            "ms",
            more(|used| used.wall),
            MOST * 1000.0,
        ),
    ];
    let rows = contenders.iter().zip(&used).map(|(contender, used)| Row::new(&contender.name, *used)).collect();
    Ok(Section {
        part: "c",
        title: format!("one component step ({} KB of component that makes one table)", size / 1000),
        rows,
        base: 0,
        aims,
        notes: Vec::new(),
    })
}

/// How long the parts of a component's start took, each time in a new process.
pub(crate) struct Starts {
    cold: Vec<Times>,
    warm: Vec<Times>,
}

impl Starts {
    /// Takes the times with an empty cache and with a full one, by turns.
    pub(crate) fn measure(workshop: &Workshop, programs: &Programs, component: &[u8], runs: usize) -> Result<Self> {
        let room = workshop.room("starts")?;
        fs::write(room.join("component.wasm"), component)?;
        let cache = room.join("cache");
        let mut starts = Self { cold: Vec::new(), warm: Vec::new() };
        for _ in 0..=runs {
            let times = || -> Result<Times> {
                remove_database(&room.join(DATABASE))?;
                let mut command = workshop.command(&programs.bench, &room);
                let output = command.args(["engine", "component.wasm", "cache", DATABASE]).output()?;
                ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                serde_json::from_slice(&output.stdout).context("the worker's answer")
            };
            if cache.exists() {
                fs::remove_dir_all(&cache)?;
            }
            starts.cold.push(times()?);
            starts.warm.push(times()?);
        }
        Ok(starts)
    }

    /// Returns the median of a part with an empty cache.
    pub(crate) fn cold(&self, part: fn(&Times) -> f64) -> f64 {
        median(self.cold[1..].iter().map(part).collect())
    }

    /// Returns the median of a part with a full cache.
    pub(crate) fn warm(&self, part: fn(&Times) -> f64) -> f64 {
        median(self.warm[1..].iter().map(part).collect())
    }
}

/// The same inside the library.
fn inside(workshop: &Workshop, programs: &Programs, component: &[u8], runs: usize) -> Result<Section> {
    let starts = Starts::measure(workshop, programs, component, runs)?;
    let all = |times: &Times| times.start + times.load + times.call;
    let rows = vec![
        Row::times("all of it, warm", starts.warm(all)),
        Row::times("all of it, cold", starts.cold(all)),
        Row::times("start the engine, warm", starts.warm(|times| times.start)),
        Row::times("compile, cold", starts.cold(|times| times.load)),
        Row::times("load from the cache", starts.warm(|times| times.load)),
        Row::times("instantiate and call, warm", starts.warm(|times| times.call)),
    ];
    let loaded = starts.warm(|times| times.load) * 1000.0;
    Ok(Section {
        part: "c",
        title: "the same inside the library, each time in a new process".to_owned(),
        rows,
        base: 0,
        aims: vec![Aim::below("loading from the cache takes less than 5 ms", "ms", loaded, MOST * 1000.0)],
        notes: Vec::new(),
    })
}
