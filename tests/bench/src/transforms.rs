//! Measure f: transforms, beside the same work natively and in Python.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use bench_guest::sql;

use crate::component::{lay_out_with, up};
use crate::course::Course;
use crate::measure::{Used, in_turn, run};
use crate::native::{fill, fill_wide};
use crate::programs::{self, Programs};
use crate::python::{self, Python};
use crate::report::{self, Aim, Row, Section};
use crate::rows::native;
use crate::tool::DATABASE;
use crate::workshop::{Workshop, copy_database};

const INSERTED: &str = "SELECT count(*) FROM person_name";
const UPDATED: &str = "SELECT count(name_key) FROM person";

/// Who does the work.
enum Runner {
    /// The native loop.
    Native(&'static str),
    /// A transform.
    Transform(Form),
    /// A transform inside a program whose connection has `synchronous = NORMAL`.
    Library(Form),
    /// A Python script with `executemany`.
    Python(&'static str),
    /// A data migration of Alembic.
    Alembic,
}

/// A transform's manifest.
struct Form {
    /// What the component does.
    form: &'static str,
    work: &'static str,
    /// Instances; none is one for each core.
    jobs: Option<u32>,
    /// Rows of a chunk.
    chunk: Option<u32>,
}

impl Form {
    const fn new(form: &'static str, work: &'static str) -> Self {
        Self { form, work, jobs: Some(1), chunk: None }
    }

    const fn on_all_cores(self) -> Self {
        Self { jobs: None, ..self }
    }

    const fn in_chunks(self) -> Self {
        Self { chunk: Some(5_000), ..self }
    }

    fn manifest(&self) -> String {
        let work = match self.work {
            "insert" => {
                "table = \"person\"\nread = [\"full_name\", \"id\"]\ninto = \"person_name\"\n\
                 write = [\"first_name\", \"last_name\", \"name_key\", \"id\"]\n"
            }
            "wide" => "table = \"wide\"\nread = [\"c0\", \"b0\"]\nwrite = [\"c0\", \"b0\"]\n",
            _ => "table = \"person\"\nread = [\"full_name\"]\nwrite = [\"first_name\", \"last_name\", \"name_key\"]\n",
        };
        let jobs = self.jobs.map(|jobs| format!("jobs = {jobs}\n")).unwrap_or_default();
        let chunk = self.chunk.map(|rows| format!("chunk = {rows}\n")).unwrap_or_default();
        format!("[transform]\n{work}{jobs}{chunk}\n[params]\nform = \"{}\"\n", self.form)
    }
}

/// What all sections need.
struct Bench<'a> {
    workshop: &'a Workshop,
    programs: &'a Programs,
    component: Vec<u8>,
    python: Option<Python>,
    cache: PathBuf,
    runs: usize,
}

/// Measures transforms in all their forms.
pub(crate) fn measure(workshop: &Workshop, programs: &Programs, rows: u32, runs: usize) -> Result<Vec<Section>> {
    report::begin("f");
    let target = programs.bench.parent().and_then(Path::parent).context("the program is in no target folder")?;
    let bench = Bench {
        workshop,
        programs,
        component: programs::component("transform")?,
        python: Python::find(target),
        cache: workshop.room("f-cache")?,
        runs,
    };
    let full = workshop.room("f")?;
    let some = rows.min(100_000);
    let database = |name: &str, rows: u32, more: &str| -> Result<PathBuf> {
        let path = full.join(name);
        fill(&path, rows, &format!("{}{more}", sql::SCHEMA), sql::FILL)?;
        Ok(path)
    };
    let person = database("person.db", rows, "")?;
    let few = database("few.db", some, "")?;
    let indexed = database("indexed.db", some, "CREATE INDEX by_key ON person (name_key);")?;
    let logged = database("logged.db", rows, "PRAGMA journal_mode = WAL;")?;
    let wide = full.join("wide.db");
    fill_wide(&wide, some / 5)?;
    let course = |full: &Path, count, rows| Course { full: full.to_owned(), count, rows };
    Ok(vec![
        bench.insert(&course(&person, INSERTED, rows))?,
        bench.update(&course(&person, UPDATED, rows))?,
        bench.python("insert", &course(&person, INSERTED, rows))?,
        bench.python("update", &course(&person, UPDATED, rows))?,
        bench.alembic(&course(&few, UPDATED, some))?,
        bench.heavy(&course(&few, UPDATED, some))?,
        bench.chunks(&course(&logged, UPDATED, rows))?,
        bench.race(
            format!("{some} names, update in place, an index on a column that is written"),
            &course(&indexed, UPDATED, some),
            &[NATIVE_UPDATE, ONE_UPDATE],
        )?,
        bench.race(
            format!("{} rows of 50 columns and a blob of 4 KiB, update of two in place", some / 5),
            &course(&wide, "SELECT count(*) FROM wide", some / 5),
            &[(NATIVE, Runner::Native("wide")), (ONE, Runner::Transform(Form::new("wide", "wide")))],
        )?,
        bench.memory(rows)?,
    ])
}

const NATIVE: &str = "native loop on rusqlite, row by row";
const ONE: &str = "transform, one instance";
const CORES: &str = "transform, an instance for each core";
const NATIVE_UPDATE: (&str, Runner) = (NATIVE, Runner::Native("update"));
const ONE_UPDATE: (&str, Runner) = (ONE, Runner::Transform(Form::new("rows", "update")));

impl Bench<'_> {
    /// Lets several do the same work.
    fn race(&self, title: String, course: &Course, all: &[(&str, Runner)]) -> Result<Section> {
        let mut contenders = Vec::new();
        for (index, (name, runner)) in all.iter().enumerate() {
            let room = self.workshop.room(&format!("f-{}-{index}", title.replace([' ', ','], "-")))?;
            if let Runner::Transform(form) | Runner::Library(form) = runner {
                lay_out_with(&room, &self.component, &form.manifest())?;
            }
            contenders.push(course.contender(name, room, move |room| self.command(runner, room)));
        }
        let used = in_turn(&contenders, self.runs)?;
        let rows = contenders.iter().zip(&used).map(|(contender, used)| Row::new(&contender.name, *used)).collect();
        Ok(Section { part: "f", title, rows, base: 0, aims: Vec::new(), notes: Vec::new() })
    }

    fn command(&self, runner: &Runner, room: &Path) -> Result<Command> {
        let (workshop, programs) = (self.workshop, self.programs);
        let python = || self.python.as_ref().context("there is no Python");
        Ok(match runner {
            Runner::Native(work) => native(workshop, programs, room, work),
            Runner::Transform(_) => up(workshop, programs, room, &self.cache),
            Runner::Library(_) => {
                let mut command = workshop.command(&programs.bench, room);
                command.args(["library", DATABASE]).arg(&self.cache);
                command
            }
            Runner::Python(work) => python()?.split(workshop, room, work)?,
            Runner::Alembic => python()?.alembic(workshop, room)?,
        })
    }

    fn insert(&self, course: &Course) -> Result<Section> {
        let form = |form| Form::new(form, "insert");
        let all = vec![
            (NATIVE, Runner::Native("insert")),
            (ONE, Runner::Transform(form("rows"))),
            ("transform by columns, one instance", Runner::Transform(form("columns"))),
            (CORES, Runner::Transform(form("rows").on_all_cores())),
        ];
        let mut section = self.race(format!("{} names, into a new table", course.rows), course, &all)?;
        section.aims = aims(&section.rows, 1.15);
        Ok(section)
    }

    fn update(&self, course: &Course) -> Result<Section> {
        let form = |form| Form::new(form, "update");
        let all = vec![
            NATIVE_UPDATE,
            ONE_UPDATE,
            ("transform by columns, one instance", Runner::Transform(form("columns"))),
            (CORES, Runner::Transform(form("rows").on_all_cores())),
        ];
        let mut section = self.race(format!("{} names, update in place", course.rows), course, &all)?;
        section.aims = aims(&section.rows, 1.05);
        Ok(section)
    }

    /// The transform as it runs when nothing else is said, with all cores, against a script that is written to be fast.
    fn python(&self, work: &'static str, course: &Course) -> Result<Section> {
        let form = || Form::new("rows", work);
        let mut all = vec![(CORES, Runner::Transform(form().on_all_cores())), (ONE, Runner::Transform(form()))];
        if self.python.is_some() {
            all.push(("Python, sqlite3 and `executemany`", Runner::Python(work)));
        }
        let mut section = self.race(format!("{} names, {work}, as a script does it", course.rows), course, &all)?;
        let own = section.rows[0].used;
        let aim = |row: &Row| {
            let text = format!("{}: at least 4 times the time of the transform", row.name);
            Aim::at_least(&text, "of it", row.used.wall / own.wall, 4.0)
        };
        section.aims = section.rows[2..].iter().map(aim).collect();
        section.notes = python::skipped(self.python.as_ref());
        Ok(section)
    }

    fn alembic(&self, course: &Course) -> Result<Section> {
        let mut all = vec![ONE_UPDATE];
        if self.python.as_ref().is_some_and(Python::has_alembic) {
            all.push(("Alembic, a data migration row by row", Runner::Alembic));
        }
        let mut section = self.race(format!("{} names, update, as a framework does it", course.rows), course, &all)?;
        let own = section.rows[0].used;
        let aim = |row: &Row| {
            let text = format!("{}: at least 8 times the CPU of the transform", row.name);
            Aim::at_least(&text, "of it", row.used.cpu / own.cpu, 8.0)
        };
        section.aims = section.rows[1..].iter().map(aim).collect();
        section.notes = python::skipped(self.python.as_ref());
        Ok(section)
    }

    fn heavy(&self, course: &Course) -> Result<Section> {
        let form = || Form::new("heavy", "update");
        let all = vec![
            (NATIVE, Runner::Native("heavy")),
            (ONE, Runner::Transform(form())),
            (CORES, Runner::Transform(form().on_all_cores())),
        ];
        let mut section = self.race(format!("{} names with much work for each", course.rows), course, &all)?;
        section.aims = vec![wall(&section.rows[2], section.rows[0].used, 0.6)];
        Ok(section)
    }

    fn chunks(&self, course: &Course) -> Result<Section> {
        let form = || Form::new("rows", "update");
        let all = vec![("whole", Runner::Library(form())), ("in chunks of 5,000", Runner::Library(form().in_chunks()))];
        let title = format!("{} names, write-ahead log, `synchronous = NORMAL`", course.rows);
        let mut section = self.race(title, course, &all)?;
        section.aims = vec![wall(&section.rows[1], section.rows[0].used, 1.3)];
        Ok(section)
    }

    /// Peaks of single runs: memory does not depend on what else the machine does.
    fn memory(&self, rows: u32) -> Result<Section> {
        let room = self.workshop.room("f-memory")?;
        lay_out_with(&room, &self.component, &Form::new("rows", "update").on_all_cores().manifest())?;
        let mut measured: Vec<Row> = Vec::new();
        for rows in [0, rows, rows.saturating_mul(10)] {
            let full = room.join("full.db");
            fill(&full, rows, sql::SCHEMA, sql::FILL)?;
            copy_database(&full, &room.join(DATABASE))?;
            fs::remove_file(&full)?;
            let used = run(&mut up(self.workshop, self.programs, &room, &self.cache))?;
            measured.push(Row::new(&format!("transform of {rows} rows"), used));
        }
        let mebibytes = |row: usize| measured[row].used.peak / f64::from(1 << 20);
        let aims = vec![
            Aim::below("ten times the rows take at most 2 MiB more", "MiB", mebibytes(2) - mebibytes(1), 2.0),
            Aim::below("less than 64 MiB over the host without rows", "MiB", mebibytes(2) - mebibytes(0), 64.0),
        ];
        let title = "memory of the whole process".to_owned();
        Ok(Section { part: "f", title, rows: measured, base: 1, aims, notes: Vec::new() })
    }
}

/// What a transform may cost: CPU of the first one, time of the last one.
fn aims(rows: &[Row], most: f64) -> Vec<Aim> {
    let base = rows[0].used;
    let text = format!("{}: at most {most:.2} of the CPU of the native loop", rows[1].name);
    vec![Aim::at_most(&text, "of it", rows[1].used.cpu / base.cpu, most), wall(&rows[3], base, 0.75)]
}

fn wall(row: &Row, base: Used, most: f64) -> Aim {
    let text = format!("{}: at most {most:.2} of the time of the first", row.name);
    Aim::at_most(&text, "of it", row.used.wall / base.wall, most)
}
