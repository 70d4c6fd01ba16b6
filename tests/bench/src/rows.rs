//! Measure d: many rows through a component, and the same work natively.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use bench_guest::sql;

use crate::component::{lay_out, up};
use crate::measure::{Contender, in_turn};
use crate::native::{SAMPLE_SCHEMA, fill};
use crate::programs::{self, Programs};
use crate::report::{self, Aim, Row, Section};
use crate::tool::DATABASE;
use crate::workshop::{Workshop, copy_database, number};

const FILL_SAMPLE: &str = "INSERT INTO customer (id, full_name) VALUES (?, ?)";

/// One way to do the same work.
struct Way {
    name: &'static str,
    /// What the guest's parameter `form` says; none for the native loop.
    form: Option<&'static str>,
    /// Most CPU time against the native loop.
    most: Option<f64>,
}

/// What is done to the rows.
struct Work {
    title: &'static str,
    /// Name of the native loop.
    native: &'static str,
    grants: &'static str,
    /// Counts the rows that were written.
    count: &'static str,
    ways: &'static [Way],
}

const NATIVE: Way = Way { name: "native loop on rusqlite, row by row", form: None, most: None };

const WORKS: [Work; 3] = [
    Work {
        title: "into a new table",
        native: "insert",
        grants: "read = [\"person\"]\ninsert = [\"person_name\"]",
        count: "SELECT count(*) FROM person_name",
        ways: &[
            NATIVE,
            Way { name: "component, rows in packed form", form: Some("insert"), most: Some(1.25) },
            Way { name: "component, columns in packed form", form: Some("insert-columns"), most: None },
            Way { name: "component, one `execute` a row", form: Some("insert-row-wise"), most: Some(2.5) },
        ],
    },
    Work {
        title: "update in place",
        native: "update",
        grants: "read = [\"person\"]\nupdate = [\"person\"]",
        count: "SELECT count(name_key) FROM person",
        ways: &[
            NATIVE,
            Way { name: "component, rows in packed form", form: Some("update"), most: Some(1.10) },
            Way { name: "component, columns in packed form", form: Some("update-columns"), most: None },
            Way { name: "component, one `execute` a row", form: Some("update-row-wise"), most: Some(2.5) },
        ],
    },
    Work {
        title: "update in place by the rules of the sample plugin `split-names`",
        native: "sample",
        grants: "read = [\"customer\"]\nupdate = [\"customer\"]",
        count: "SELECT count(name_key) FROM customer",
        ways: &[NATIVE, Way { name: "component, rows in packed form", form: Some("sample"), most: None }],
    },
];

/// Measures every work in all its ways.
pub(crate) fn measure(workshop: &Workshop, programs: &Programs, rows: u32, runs: usize) -> Result<Vec<Section>> {
    report::begin("d");
    let guest = programs::component("guest")?;
    let sample = programs::component("../../plugins/split-names")?;
    let full = workshop.room("d")?;
    fill(&full.join("person.db"), rows, sql::SCHEMA, sql::FILL)?;
    fill(&full.join("customer.db"), rows, SAMPLE_SCHEMA, FILL_SAMPLE)?;
    WORKS
        .iter()
        .map(|work| {
            let is_sample = work.native == "sample";
            let component = if is_sample { &sample } else { &guest };
            let database = full.join(if is_sample { "customer.db" } else { "person.db" });
            section(workshop, programs, work, component, &database, rows, runs)
        })
        .collect()
}

fn section(
    workshop: &Workshop,
    programs: &Programs,
    work: &'static Work,
    component: &[u8],
    full: &Path,
    rows: u32,
    runs: usize,
) -> Result<Section> {
    let cache = workshop.room("d-cache")?;
    let mut rooms: Vec<(&Way, PathBuf)> = Vec::new();
    for way in work.ways {
        let room = workshop.room(&format!("d-{}-{}", work.native, way.form.unwrap_or("native")))?;
        if let Some(form) = way.form {
            lay_out(&room, component, form, work.grants)?;
        }
        rooms.push((way, room));
    }
    let cache = &cache;
    let contenders: Vec<Contender<'_>> = rooms
        .iter()
        .map(|(way, room)| Contender {
            name: way.name.to_owned(),
            prepare: Box::new(move || {
                copy_database(full, &room.join(DATABASE))?;
                Ok(match way.form {
                    Some(_) => up(workshop, programs, room, cache),
                    None => {
                        let mut command = workshop.command(&programs.bench, room);
                        command.args(["native", work.native, DATABASE]);
                        command
                    }
                })
            }),
            check: Box::new(move || {
                let written = number(&room.join(DATABASE), work.count)?;
                ensure!(written == i64::from(rows), "{written} rows were written");
                Ok(())
            }),
        })
        .collect();
    let used = in_turn(&contenders, runs)?;
    let aims = work.ways.iter().zip(&used).filter_map(|(way, of)| {
        let text = |most| format!("{}: at most {most:.2} of the CPU of the native loop", way.name);
        way.most.map(|most| Aim::at_most(&text(most), "of it", of.cpu / used[0].cpu, most))
    });
    Ok(Section {
        part: "d",
        title: format!("{rows} names, {}", work.title),
        aims: aims.collect(),
        rows: work.ways.iter().zip(&used).map(|(way, used)| Row::new(way.name, *used)).collect(),
        base: 0,
        notes: Vec::new(),
    })
}
