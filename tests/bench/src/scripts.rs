//! Measure h: scripts. The same work in node without JIT and in Python, where they are installed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::measure::{Contender, Used, in_turn};
use crate::names;
use crate::node::{Node, quiet};
use crate::programs::Programs;
use crate::report::{self, Aim, Row, Section};
use crate::tool::DATABASE;
use crate::workshop::{Workshop, copy_database, number};

/// Row by row, as people write it first.
const ROWS: &str = r#"export function up(db) {
  for (const row of db.query("SELECT id, full_name FROM customer WHERE first_name IS NULL")) {
    const [first, ...rest] = row.full_name.trim().split(/\s+/u);
    db.execute("UPDATE customer SET first_name = ?, last_name = ? WHERE id = ?", [first, rest.join(" "), row.id]);
  }
}
"#;

/// Many rows at once.
const MANY: &str = r#"export function up(db) {
  const split = db.query("SELECT id, full_name FROM customer WHERE first_name IS NULL").map((row) => {
    const [first, ...rest] = row.full_name.trim().split(/\s+/u);
    return [first, rest.join(" "), row.id];
  });
  db.executeMany("UPDATE customer SET first_name = ?, last_name = ? WHERE id = ?", split);
}
"#;

const TRANSFORM: &str = r#"// whimbrel: transform = { table = "customer", read = ["full_name"], write = ["first_name", "last_name"], jobs = 1 }
export function transform(row) {
  const [first, ...rest] = row.full_name.trim().split(/\s+/u);
  return { first_name: first, last_name: rest.join(" ") };
}
"#;

/// Row by row in the other language that the program carries an engine for.
const PYTHON_ROWS: &str = r#"def up(db):
    for row in db.query("SELECT id, full_name FROM customer WHERE first_name IS NULL"):
        first, *rest = row["full_name"].split()
        db.execute("UPDATE customer SET first_name = ?, last_name = ? WHERE id = ?", [first, " ".join(rest), row["id"]])
"#;

const PYTHON_TRANSFORM: &str = r#"# whimbrel: transform = { table = "customer", read = ["full_name"], write = ["first_name", "last_name"], jobs = 1 }
def transform(row):
    first, *rest = row["full_name"].split()
    return {"first_name": first, "last_name": " ".join(rest)}
"#;

const TRIVIAL: &str = "export function up(db) { db.execute(\"UPDATE customer SET first_name = 'x' WHERE id = 1\"); }\n";

const PYTHON: &str = r#"import re, sqlite3
db = sqlite3.connect("app.db", isolation_level=None)
db.execute("BEGIN IMMEDIATE")
blanks = re.compile(r"\s+")
for id, full_name in db.execute("SELECT id, full_name FROM customer WHERE first_name IS NULL"):
    first, *rest = blanks.split(full_name.strip())
    db.execute("UPDATE customer SET first_name = ?, last_name = ? WHERE id = ?", (first, " ".join(rest), id))
db.execute("COMMIT")
"#;

/// Measures scripts.
pub(crate) fn measure(workshop: &Workshop, programs: &Programs, rows: u32, runs: usize) -> Result<Vec<Section>> {
    report::begin("h");
    let target = programs.bench.parent().and_then(Path::parent).context("the program is in no target folder")?;
    let node = Node::find(target);
    let whole = seed(workshop, rows)?;
    let half = seed(workshop, rows / 2)?;
    let one = seed(workshop, 1)?;
    let contenders = [
        script(workshop, programs, "QuickJS, row by row", ("js", ROWS), &whole, rows)?,
        script(workshop, programs, "QuickJS, executeMany", ("js", MANY), &whole, rows)?,
        script(workshop, programs, "QuickJS, transform, one instance", ("js", TRANSFORM), &whole, rows)?,
        script(workshop, programs, "QuickJS, row by row, half the rows", ("js", ROWS), &half, rows / 2)?,
        script(workshop, programs, "Monty (Python), row by row", ("py", PYTHON_ROWS), &whole, rows)?,
        script(workshop, programs, "Monty (Python), transform, one instance", ("py", PYTHON_TRANSFORM), &whole, rows)?,
    ];
    let mut contenders: Vec<Contender<'_>> = contenders.into();
    let mut notes = Vec::new();
    match &node {
        Some(node) => {
            let command = move |room: &Path| node.split(workshop, room);
            contenders.push(peer(workshop, "node --jitless", command, &whole, rows)?);
        }
        None => notes.push("Skipped: there is no node with a database, and npm could not install one.".to_owned()),
    }
    if quiet(Command::new("python3").args(["-c", "import sqlite3"])) {
        let command = move |room: &Path| {
            fs::write(room.join("work.py"), PYTHON)?;
            let mut command = workshop.command(Path::new("python3"), room);
            command.arg("work.py");
            Ok(command)
        };
        contenders.push(peer(workshop, "CPython sqlite3", command, &whole, rows)?);
    } else {
        notes.push("Skipped: Python 3 is not installed.".to_owned());
    }
    let used = in_turn(&contenders, runs)?;
    let table: Vec<Row> =
        contenders.iter().zip(&used).map(|(contender, used)| Row::new(&contender.name, *used)).collect();
    let aims = aims(&contenders, &used);
    let work = Section {
        part: "h",
        title: format!("{rows} names split by a script, update in place"),
        aims,
        rows: table,
        base: 0,
        notes,
    };
    Ok(vec![work, starts(workshop, programs, &one, runs)?])
}

fn aims(contenders: &[Contender<'_>], used: &[Used]) -> Vec<Aim> {
    let cpu = |name: &str| contenders.iter().position(|contender| contender.name == name).map(|at| used[at].cpu);
    let mut aims = Vec::new();
    if let Some(node) = cpu("node --jitless") {
        aims.push(Aim::at_most(
            "QuickJS row by row: at most 3 times the CPU of node without JIT",
            "of it",
            used[0].cpu / node,
            3.0,
        ));
    }
    if let Some(python) = cpu("CPython sqlite3") {
        aims.push(Aim::at_most("QuickJS row by row: no more CPU than CPython", "of it", used[0].cpu / python, 1.0));
    }
    aims.push(Aim::below("transform takes less CPU than row by row", "of it", used[2].cpu / used[0].cpu, 1.0));
    aims.push(Aim::at_most(
        "the peak of memory does not grow with the rows",
        "of that with half of them",
        used[0].peak / used[3].peak,
        1.1,
    ));
    aims
}

/// The start: with the engine compiled in this run, and from the cache.
fn starts(workshop: &Workshop, programs: &Programs, one: &Path, runs: usize) -> Result<Section> {
    let room = |name: &str| -> Result<PathBuf> {
        let room = workshop.room(name)?;
        lay_out(&room, "js", TRIVIAL)?;
        Ok(room)
    };
    let (cold, warm) = (room("h-cold")?, room("h-warm")?);
    let contender = |name: &str, room: PathBuf, cache: &'static str| {
        let at = room.clone();
        Contender {
            name: name.to_owned(),
            prepare: Box::new(move || {
                copy_database(one, &at.join(DATABASE))?;
                if cache == "cold-cache" && at.join(cache).exists() {
                    fs::remove_dir_all(at.join(cache))?;
                }
                let mut command = workshop.command(programs.whimbrel(), &at);
                command.args(["up", "--database", DATABASE]).env("WHIMBREL_CACHE", at.join(cache));
                Ok(command)
            }),
            check: Box::new(move || {
                ensure!(
                    number(&room.join(DATABASE), "SELECT count(first_name) FROM customer")? == 1,
                    "nothing was done"
                );
                Ok(())
            }),
        }
    };
    let contenders = [
        contender("first start, the engine is compiled", cold, "cold-cache"),
        contender("later starts, the engine is in the cache", warm, "warm-cache"),
    ];
    let used = in_turn(&contenders, runs)?;
    let rows: Vec<Row> =
        contenders.iter().zip(&used).map(|(contender, used)| Row::new(&contender.name, *used)).collect();
    let milliseconds = |seconds: f64| seconds * 1000.0;
    Ok(Section {
        part: "h",
        title: "a script that changes one row, the whole `up`".to_owned(),
        aims: vec![
            Aim::at_most("the first start takes less than 2 s of CPU", "ms", milliseconds(used[0].cpu), 2000.0),
            Aim::at_most("later starts take less than 20 ms of CPU", "ms", milliseconds(used[1].cpu), 20.0),
        ],
        rows,
        base: 1,
        notes: Vec::new(),
    })
}

fn script<'w>(
    workshop: &'w Workshop,
    programs: &'w Programs,
    name: &str,
    (language, text): (&str, &str),
    seed: &'w Path,
    rows: u32,
) -> Result<Contender<'w>> {
    let room = workshop.room(&format!("h-{}", name.replace([' ', ',', '(', ')'], "-")))?;
    lay_out(&room, language, text)?;
    let at = room.clone();
    Ok(Contender {
        name: name.to_owned(),
        prepare: Box::new(move || {
            copy_database(seed, &at.join(DATABASE))?;
            let mut command = workshop.command(programs.whimbrel(), &at);
            command.args(["up", "--database", DATABASE]);
            Ok(command)
        }),
        check: Box::new(move || check(&room, rows)),
    })
}

fn peer<'w>(
    workshop: &'w Workshop,
    name: &str,
    command: impl Fn(&Path) -> Result<Command> + 'w,
    seed: &'w Path,
    rows: u32,
) -> Result<Contender<'w>> {
    let room = workshop.room(&format!("h-{}", name.replace(' ', "-")))?;
    let at = room.clone();
    Ok(Contender {
        name: name.to_owned(),
        prepare: Box::new(move || {
            copy_database(seed, &at.join(DATABASE))?;
            command(&at)
        }),
        check: Box::new(move || check(&room, rows)),
    })
}

fn lay_out(room: &Path, language: &str, text: &str) -> Result<()> {
    fs::create_dir_all(room.join("migrations"))?;
    Ok(fs::write(room.join(format!("migrations/0001_split_names.{language}")), text)?)
}

fn check(room: &Path, rows: u32) -> Result<()> {
    let done = number(&room.join(DATABASE), "SELECT count(first_name) FROM customer")?;
    ensure!(done == i64::from(rows), "{done} names are split in the end");
    Ok(())
}

/// Makes a database with so many names.
fn seed(workshop: &Workshop, rows: u32) -> Result<PathBuf> {
    let path = workshop.room("h-seed")?.join(format!("{rows}.db"));
    let mut connection = rusqlite::Connection::open(&path)?;
    connection.execute_batch(
        "CREATE TABLE customer (id INTEGER PRIMARY KEY, full_name TEXT NOT NULL, first_name TEXT, last_name TEXT)",
    )?;
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction.prepare("INSERT INTO customer (full_name) VALUES (?)")?;
        let mut name = String::new();
        for row in 0..rows {
            names::write(row, &mut name);
            if row % 1000 == 0 {
                write!(name, " {row}")?;
            }
            insert.execute([&name])?;
        }
    }
    transaction.commit()?;
    Ok(path)
}
