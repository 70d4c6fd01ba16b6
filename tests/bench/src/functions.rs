//! Measure g: SQL functions of a component inside one statement, and the same work natively, row by row.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use bench_guest::sql;

use crate::component::up;
use crate::measure::{Contender, in_turn};
use crate::native::fill;
use crate::programs::{self, Programs};
use crate::report::{self, Aim, Row, Section};
use crate::tool::DATABASE;
use crate::workshop::{Workshop, copy_database, number};

/// Most CPU time against the native loop.
const MOST: f64 = 1.0;

/// What is done to the rows: natively, and in one statement.
struct Work {
    title: &'static str,
    native: &'static str,
    statement: &'static str,
    most: Option<f64>,
}

const WORKS: [Work; 2] = [
    Work {
        title: "one function in one UPDATE",
        native: "key",
        statement: "UPDATE person SET name_key = name_key(full_name);",
        most: Some(MOST),
    },
    Work {
        title: "three functions in one UPDATE, each of which does the whole work",
        native: "update",
        statement: "UPDATE person SET first_name = first_name(full_name), last_name = last_name(full_name), \
                    name_key = name_key(full_name);",
        most: None,
    },
];

/// Measures each work both ways.
pub(crate) fn measure(workshop: &Workshop, programs: &Programs, rows: u32, runs: usize) -> Result<Vec<Section>> {
    report::begin("g");
    let library = programs::component("../guests/functions")?;
    let full = workshop.room("g")?.join("person.db");
    fill(&full, rows, sql::SCHEMA, sql::FILL)?;
    WORKS.iter().map(|work| section(workshop, programs, work, &library, &full, rows, runs)).collect()
}

fn section(
    workshop: &Workshop,
    programs: &Programs,
    work: &'static Work,
    library: &[u8],
    full: &Path,
    rows: u32,
    runs: usize,
) -> Result<Section> {
    let cache = &workshop.room("g-cache")?;
    let native = &workshop.room(&format!("g-{}-native", work.native))?;
    let wasm = &workshop.room(&format!("g-{}-wasm", work.native))?;
    let migrations = wasm.join("migrations");
    fs::create_dir(&migrations)?;
    fs::write(migrations.join("names.functions.wasm"), library)?;
    fs::write(migrations.join("0001_names.sql"), format!("-- whimbrel: functions = names\n{}", work.statement))?;
    let check = move |room: &PathBuf| {
        let written = number(&room.join(DATABASE), "SELECT count(name_key) FROM person")?;
        ensure!(written == i64::from(rows), "{written} rows were written");
        Ok(())
    };
    let contenders = [
        Contender {
            name: "native loop on rusqlite, row by row".to_owned(),
            prepare: Box::new(move || {
                copy_database(full, &native.join(DATABASE))?;
                let mut command = workshop.command(&programs.bench, native);
                command.args(["native", work.native, DATABASE]);
                Ok(command)
            }),
            check: Box::new(move || check(native)),
        },
        Contender {
            name: "`up`, functions of a component".to_owned(),
            prepare: Box::new(move || {
                copy_database(full, &wasm.join(DATABASE))?;
                Ok(up(workshop, programs, wasm, cache))
            }),
            check: Box::new(move || check(wasm)),
        },
    ];
    let used = in_turn(&contenders, runs)?;
    let text = |most| format!("functions of a component: at most {most:.2} of the CPU of the native loop");
    let aims = work.most.map(|most| Aim::at_most(&text(most), "of it", used[1].cpu / used[0].cpu, most));
    Ok(Section {
        part: "g",
        title: format!("{rows} names, {}", work.title),
        rows: contenders.iter().zip(&used).map(|(contender, used)| Row::new(&contender.name, *used)).collect(),
        base: 0,
        aims: aims.into_iter().collect(),
        notes: Vec::new(),
    })
}
