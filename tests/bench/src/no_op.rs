//! Measure a: everything is applied already.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::chain::chain;
use crate::measure::{self, Contender, in_turn};
use crate::programs::{Installed, Programs};
use crate::report::{self, Aim, Row, Section};
use crate::tool::{DATABASE, Tool};
use crate::workshop::Workshop;

/// CPU time that `up` may take.
const MOST: f64 = 0.010;

/// Measures `up` with nothing to do, and `status`.
pub(crate) fn measure(workshop: &Workshop, programs: &Programs, migrations: u32, runs: usize) -> Result<Section> {
    report::begin("a");
    let chain = chain(migrations);
    let mut rooms: Vec<(&Installed, PathBuf)> = Vec::new();
    for installed in &programs.tools {
        let room = workshop.room(&format!("a-{}", installed.tool.name()))?;
        installed.tool.lay_out(&chain, &room)?;
        installed.tool.make_ready(&room.join(DATABASE))?;
        let mut up = workshop.command(&installed.path, &room);
        installed.tool.up(&mut up);
        measure::run(&mut up)?;
        rooms.push((installed, room));
    }
    let mut contenders = Vec::new();
    for (installed, room) in &rooms {
        contenders.push(contender(workshop, installed, room, "up", |tool, command| {
            tool.up(command);
            true
        }));
        contenders.push(contender(workshop, installed, room, "status", Tool::status));
    }
    let contenders: Vec<Contender<'_>> = contenders.into_iter().flatten().collect();
    let used = in_turn(&contenders, runs)?;
    let rows: Vec<Row> = contenders.iter().zip(used).map(|(contender, used)| Row::new(&contender.name, used)).collect();
    let up = rows[0].used.cpu;
    let mut aims = vec![Aim::at_most("`up` takes 10 ms of CPU or less", "ms", up * 1000.0, MOST * 1000.0)];
    aims.extend(report::best_peer(&rows, " up").map(|(peer, used)| {
        Aim::below(&format!("`up` takes less CPU than the best peer ({peer})"), "of it", up / used.cpu, 1.0)
    }));
    Ok(Section {
        part: "a",
        title: format!("nothing to do, {migrations} migrations applied"),
        rows,
        base: 0,
        aims,
        notes: report::skipped(&programs.missing),
    })
}

fn contender<'w>(
    workshop: &'w Workshop,
    installed: &'w Installed,
    room: &'w Path,
    verb: &str,
    type_in: fn(Tool, &mut std::process::Command) -> bool,
) -> Option<Contender<'w>> {
    let command = move || {
        let mut command = workshop.command(&installed.path, room);
        type_in(installed.tool, &mut command).then_some(command)
    };
    command()?;
    Some(Contender {
        name: format!("{} {verb}", installed.name),
        prepare: Box::new(move || Ok(command().expect("it was typed before"))),
        check: Box::new(|| Ok(())),
    })
}
