//! Measure h, second part: a transform that is a script, by columns and by row objects, against the native loop.

use std::fs;
use std::path::Path;

use anyhow::Result;
use bench_guest::sql;

use crate::course::Course;
use crate::measure::in_turn;
use crate::native::fill;
use crate::programs::Programs;
use crate::report::{Aim, Row, Section};
use crate::rows;
use crate::tool::DATABASE;
use crate::workshop::Workshop;

/// Most CPU time of one instance against the native loop, and most time of an instance for each core.
const MOST: f64 = 5.0;
const MOST_TIME: f64 = 1.0;

/// What a script begins with.
fn head(jobs: &str) -> String {
    format!(
        "// whimbrel: transform = {{ table = 'person', read = ['full_name'], write = ['first_name', 'last_name', \
         'name_key']{jobs} }}\n"
    )
}

const BY_COLUMNS: &str = r#"export function transformColumns({ full_name }) {
  const first_name = [], last_name = [], name_key = [];
  for (const full of full_name) {
    const cut = full.lastIndexOf(" ");
    const first = cut < 0 ? "" : full.slice(0, cut);
    const last = full.slice(cut + 1);
    first_name.push(first);
    last_name.push(last);
    name_key.push(`${last} ${first}`);
  }
  return { first_name, last_name, name_key };
}
"#;

const BY_ROWS: &str = r#"export function transform({ full_name }) {
  const cut = full_name.lastIndexOf(" ");
  const first_name = cut < 0 ? "" : full_name.slice(0, cut);
  const last_name = full_name.slice(cut + 1);
  return { first_name, last_name, name_key: `${last_name} ${first_name}` };
}
"#;

/// Measures both, and the loop that does the same natively.
pub(crate) fn measure(workshop: &Workshop, programs: &Programs, rows: u32, runs: usize) -> Result<Section> {
    let full = workshop.room("h-person")?.join("person.db");
    fill(&full, rows, sql::SCHEMA, sql::FILL)?;
    let course = Course { full, count: "SELECT count(name_key) FROM person", rows };
    let native = |room: &Path| Ok(rows::native(workshop, programs, room, "cut-update"));
    let mut contenders =
        vec![course.contender("native loop on rusqlite, row by row", workshop.room("h-native")?, native)];
    let scripts = [
        ("QuickJS, by columns", BY_COLUMNS, ", jobs = 1"),
        ("QuickJS, by row objects", BY_ROWS, ", jobs = 1"),
        ("QuickJS, by columns, an instance for each core", BY_COLUMNS, ""),
        ("QuickJS, by row objects, an instance for each core", BY_ROWS, ""),
    ];
    for (name, text, jobs) in scripts {
        let room = workshop.room(&format!("h-{}", name.replace([' ', ','], "-")))?;
        fs::create_dir_all(room.join("migrations"))?;
        fs::write(room.join("migrations/0001_cut_names.js"), format!("{}{text}", head(jobs)))?;
        contenders.push(course.contender(name, room, |room| {
            let mut command = workshop.command(programs.whimbrel(), room);
            command.args(["up", "--database", DATABASE]);
            Ok(command)
        }));
    }
    let used = in_turn(&contenders, runs)?;
    let native = used[0];
    let aims = scripts.iter().zip(&used[1..]).map(|((name, _, jobs), one)| match jobs.is_empty() {
        false => {
            let text = format!("{name}: at most {MOST} times the CPU of the native loop");
            Aim::at_most(&text, "times", one.cpu / native.cpu, MOST)
        }
        true => {
            let text = format!("{name}: no more time than the native loop");
            Aim::at_most(&text, "of it", one.wall / native.wall, MOST_TIME)
        }
    });
    Ok(Section {
        part: "h",
        title: format!("{rows} names cut by a transform, update in place"),
        aims: aims.collect(),
        rows: contenders.iter().zip(&used).map(|(contender, used)| Row::new(&contender.name, *used)).collect(),
        base: 0,
        notes: Vec::new(),
    })
}
