//! Measure b: nothing is applied yet.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::chain::{chain, tables};
use crate::measure::{Contender, in_turn};
use crate::programs::{Installed, Programs};
use crate::python::{self, Python};
use crate::report::{self, Aim, Row, Section};
use crate::tool::{DATABASE, Tool};
use crate::workshop::{Workshop, number, remove_database};

/// Share of the best peer's CPU time that is allowed.
const SHARE: f64 = 0.6;

/// Measures `up` on a database that does not exist yet.
pub(crate) fn measure(workshop: &Workshop, programs: &Programs, migrations: u32, runs: usize) -> Result<Section> {
    report::begin("b");
    let chain = chain(migrations);
    let mut rooms: Vec<(&Installed, PathBuf)> = Vec::new();
    for installed in &programs.tools {
        let room = workshop.room(&format!("b-{}", installed.tool.name()))?;
        installed.tool.lay_out(&chain, &room)?;
        rooms.push((installed, room));
    }
    let bare = workshop.room("b-bare")?;
    Tool::Whimbrel.lay_out(&chain, &bare)?;
    let alembic = workshop.room("b-alembic")?;
    let target = programs.bench.parent().and_then(Path::parent).context("the program is in no target folder")?;
    let python = Python::find(target);
    let check = |room: &PathBuf| {
        let query = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name LIKE 'item_%'";
        let found = number(&room.join(DATABASE), query)?;
        ensure!(found == i64::from(tables(migrations)), "there are {found} tables in the end");
        Ok(())
    };
    let mut contenders: Vec<Contender<'_>> = Vec::new();
    for (installed, room) in &rooms {
        contenders.push(Contender {
            name: installed.name.clone(),
            prepare: Box::new(move || {
                remove_database(&room.join(DATABASE))?;
                installed.tool.make_ready(&room.join(DATABASE))?;
                let mut command = workshop.command(&installed.path, room);
                installed.tool.up(&mut command);
                Ok(command)
            }),
            check: Box::new(move || check(room)),
        });
    }
    if let Some(python) = python.as_ref().filter(|python| python.has_alembic()) {
        let room = &alembic;
        Python::lay_out(room, &chain)?;
        contenders.push(Contender {
            name: "Alembic".to_owned(),
            prepare: Box::new(move || {
                remove_database(&room.join(DATABASE))?;
                python.upgrade(workshop, room)
            }),
            check: Box::new(move || check(room)),
        });
    }
    let tools = contenders.len();
    contenders.push(Contender {
        name: "the floor: the same statements and transactions on rusqlite, no history".to_owned(),
        prepare: Box::new(|| {
            remove_database(&bare.join(DATABASE))?;
            let mut command = workshop.command(&programs.bench, &bare);
            command.args(["bare", "migrations", DATABASE]);
            Ok(command)
        }),
        check: Box::new(|| check(&bare)),
    });
    let used = in_turn(&contenders, runs)?;
    let rows: Vec<Row> = contenders.iter().zip(used).map(|(contender, used)| Row::new(&contender.name, used)).collect();
    Ok(Section {
        part: "b",
        title: format!("{migrations} pending migrations on a fresh file, `synchronous = FULL`, rollback journal"),
        aims: aims(&rows[..tools]),
        rows,
        base: 0,
        notes: [report::skipped(&programs.missing), python::skipped(python.as_ref())].concat(),
    })
}

fn aims(rows: &[Row]) -> Vec<Aim> {
    let own = rows[0].used;
    let best = |part: fn(&Row) -> f64| rows[1..].iter().map(part).reduce(f64::min);
    let cpu = best(|row| row.used.cpu)
        .map(|best| Aim::at_most("takes at most 0.6 of the CPU of the best peer", "of it", own.cpu / best, SHARE));
    let wall = best(|row| row.used.wall)
        .map(|best| Aim::below("takes less time than the best peer", "of it", own.wall / best, 1.0));
    cpu.into_iter().chain(wall).collect()
}
