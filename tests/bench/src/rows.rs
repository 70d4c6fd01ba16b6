//! Measure d: many rows through a component, and the same work natively.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use bench_guest::sql;

use crate::component::{lay_out, up};
use crate::course::Course;
use crate::measure::{Contender, in_turn};
use crate::native::{SAMPLE_SCHEMA, fill};
use crate::programs::{self, Programs};
use crate::report::{self, Aim, Row, Section};
use crate::tool::DATABASE;
use crate::workshop::Workshop;

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

/// Types what runs the native loop in a folder.
pub(crate) fn native(workshop: &Workshop, programs: &Programs, room: &Path, work: &str) -> Command {
    let mut command = workshop.command(&programs.bench, room);
    command.args(["native", work, DATABASE]);
    command
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
    let course = Course { full: full.to_owned(), count: work.count, rows };
    let contender = |way: &Way| {
        let room = workshop.room(&format!("d-{}-{}", work.native, way.form.unwrap_or("native")))?;
        if let Some(form) = way.form {
            lay_out(&room, component, form, work.grants)?;
        }
        let (is_native, cache) = (way.form.is_none(), &cache);
        Ok(course.contender(way.name, room, move |room| {
            if !is_native {
                return Ok(up(workshop, programs, room, cache));
            }
            Ok(native(workshop, programs, room, work.native))
        }))
    };
    let contenders = work.ways.iter().map(contender).collect::<Result<Vec<Contender<'_>>>>()?;
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
