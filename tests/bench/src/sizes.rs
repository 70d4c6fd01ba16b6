//! Measure i: folders of many files, and what looking at them takes.

use anyhow::Result;

use crate::chain::chain;
use crate::measure::{self, Contender, in_turn};
use crate::programs::Programs;
use crate::report::{self, Aim, Row, Section};
use crate::tool::{DATABASE, Tool};
use crate::workshop::{Workshop, remove_database};

/// A folder: its files, and the seconds of CPU that planning all of them and showing all of them applied may take.
struct Size {
    files: u32,
    plan: f64,
    status: Option<f64>,
}

const SIZES: [Size; 2] =
    [Size { files: 1_000, plan: 0.050, status: None }, Size { files: 10_000, plan: 0.300, status: Some(0.100) }];

/// Measures finding, reading and planning of files that are pending, and `status` of files that are applied.
pub(crate) fn measure(workshop: &Workshop, programs: &Programs, runs: usize) -> Result<Vec<Section>> {
    report::begin("i");
    SIZES.iter().map(|size| of_size(workshop, programs, size, runs)).collect()
}

fn of_size(workshop: &Workshop, programs: &Programs, size: &Size, runs: usize) -> Result<Section> {
    let chain = chain(size.files);
    let [fresh, applied] = ["fresh", "applied"].map(|state| workshop.room(&format!("i-{}-{state}", size.files)));
    let (fresh, applied) = (fresh?, applied?);
    for room in [&fresh, &applied] {
        Tool::Whimbrel.lay_out(&chain, room)?;
    }
    let typed = |room: &std::path::Path, verb: &str| {
        let mut command = workshop.command(programs.whimbrel(), room);
        command.args([verb, "--database", DATABASE]);
        command
    };
    measure::run(&mut typed(&applied, "up"))?;
    let contenders = [
        Contender {
            name: "`plan`, all pending".to_owned(),
            prepare: Box::new(|| {
                remove_database(&fresh.join(DATABASE))?;
                Ok(typed(&fresh, "plan"))
            }),
            check: Box::new(|| Ok(())),
        },
        Contender {
            name: "`status`, all applied".to_owned(),
            prepare: Box::new(|| Ok(typed(&applied, "status"))),
            check: Box::new(|| Ok(())),
        },
        Contender {
            name: "`up`, nothing to do".to_owned(),
            prepare: Box::new(|| Ok(typed(&applied, "up"))),
            check: Box::new(|| Ok(())),
        },
    ];
    let used = in_turn(&contenders, runs)?;
    let millis = |row: usize| used[row].cpu * 1000.0;
    let below = |verb: &str, row: usize, most: f64| {
        let most = most * 1000.0;
        Aim::below(&format!("`{verb}` takes less than {most:.0} ms of CPU"), "ms", millis(row), most)
    };
    let mut aims = vec![below("plan", 0, size.plan)];
    aims.extend(size.status.map(|most| below("status", 1, most)));
    Ok(Section {
        part: "i",
        title: format!("a folder of {} files", size.files),
        rows: contenders.iter().zip(&used).map(|(contender, used)| Row::new(&contender.name, *used)).collect(),
        base: 0,
        aims,
        notes: Vec::new(),
    })
}
