//! What was found, as a table or as JSON. The only place that prints.

use std::fmt::Write;

use anyhow::Result;
use serde::Serialize;

use crate::measure::Used;
use crate::tool::Tool;

/// Everything that was measured.
#[derive(Serialize)]
pub(crate) struct Report {
    /// Version of this form of JSON.
    format: u32,
    cores: usize,
    runs: usize,
    sections: Vec<Section>,
}

/// What can be compared with each other.
#[derive(Serialize)]
pub(crate) struct Section {
    /// Its letter.
    pub(crate) part: &'static str,
    pub(crate) title: String,
    pub(crate) rows: Vec<Row>,
    /// Number of the row that the others are held against.
    pub(crate) base: usize,
    pub(crate) aims: Vec<Aim>,
    pub(crate) notes: Vec<String>,
}

/// One line of a table.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// Medians; what was not measured is not a number.
    pub(crate) used: Used,
}

impl Row {
    /// Makes a row of what a process used.
    pub(crate) fn new(name: &str, used: Used) -> Self {
        Self { name: name.to_owned(), used }
    }

    /// Makes a row of which only the time is known.
    pub(crate) fn times(name: &str, wall: f64) -> Self {
        Self { name: name.to_owned(), used: Used { cpu: f64::NAN, wall, peak: f64::NAN } }
    }
}

/// What should be reached, and what was.
#[derive(Serialize)]
pub(crate) struct Aim {
    text: String,
    found: f64,
    unit: &'static str,
    met: bool,
}

impl Aim {
    /// The number may be this at most.
    pub(crate) fn at_most(text: &str, unit: &'static str, found: f64, most: f64) -> Self {
        Self { text: text.to_owned(), found, unit, met: found <= most }
    }

    /// The number must be this at least.
    pub(crate) fn at_least(text: &str, unit: &'static str, found: f64, least: f64) -> Self {
        Self { text: text.to_owned(), found, unit, met: found >= least }
    }

    /// The number must be below this.
    pub(crate) fn below(text: &str, unit: &'static str, found: f64, limit: f64) -> Self {
        Self { text: text.to_owned(), found, unit, met: found < limit }
    }
}

impl Report {
    /// Starts an empty report.
    pub(crate) fn new(runs: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { format: 1, cores, runs, sections: Vec::new() }
    }

    /// Adds a section.
    pub(crate) fn add(&mut self, section: Section) {
        self.sections.push(section);
    }

    /// Adds sections.
    pub(crate) fn extend(&mut self, sections: Vec<Section>) {
        self.sections.extend(sections);
    }

    /// Prints it all.
    pub(crate) fn print(&self, json: bool) -> Result<()> {
        if json {
            say(&serde_json::to_string_pretty(self)?);
            return Ok(());
        }
        say(&format!("Medians of {} runs that took turns, on {} cores.", self.runs, self.cores));
        for section in &self.sections {
            say(&section.table());
        }
        Ok(())
    }
}

impl Section {
    fn table(&self) -> String {
        let mut out = format!("\n### ({}) {}\n\n", self.part, self.title);
        let measured = |part: fn(&Used) -> f64| self.rows.iter().any(|row| part(&row.used).is_finite());
        let (cpu, peak) = (measured(|used| used.cpu), measured(|used| used.peak));
        let base = self.rows[self.base].used;
        let mut line = |cells: [String; 4]| {
            let [name, on_cpu, wall, memory] = cells;
            let cells = [Some(name), cpu.then_some(on_cpu), Some(wall), peak.then_some(memory)];
            let cells: Vec<String> = cells.into_iter().flatten().collect();
            let _ = writeln!(out, "| {} |", cells.join(" | "));
        };
        line(["".into(), "CPU".into(), "time".into(), "peak memory".into()]);
        line(["---".into(), "---:".into(), "---:".into(), "---:".into()]);
        for Row { name, used } in &self.rows {
            line([
                name.clone(),
                against(used.cpu, base.cpu),
                against(used.wall, base.wall),
                format!("{:.1} MiB", used.peak / f64::from(1 << 20)),
            ]);
        }
        if !self.aims.is_empty() || !self.notes.is_empty() {
            out.push('\n');
        }
        for Aim { text, found, unit, met } in &self.aims {
            let _ = writeln!(out, "- {} {text}: {found:.2} {unit}.", if *met { "Met:" } else { "**Not met:**" });
        }
        for note in &self.notes {
            let _ = writeln!(out, "- {note}");
        }
        out
    }
}

/// The ratio first: the time means little on another machine.
fn against(time: f64, base: f64) -> String {
    format!("**{:.2}** ({})", time / base, shown(time))
}

fn shown(time: f64) -> String {
    match time * 1000.0 {
        millis if millis < 1.0 => format!("{millis:.3} ms"),
        millis if millis < 100.0 => format!("{millis:.1} ms"),
        millis if millis < 10_000.0 => format!("{millis:.0} ms"),
        millis => format!("{:.1} s", millis / 1000.0),
    }
}

/// Finds the peer with the least CPU time among rows whose names end in this.
pub(crate) fn best_peer<'r>(rows: &'r [Row], ending: &str) -> Option<(&'r str, Used)> {
    let own = Tool::Whimbrel.name();
    let peers = rows.iter().filter_map(|row| Some((row.name.strip_suffix(ending)?, row.used)));
    peers.filter(|(name, _)| !name.starts_with(own)).min_by(|(_, a), (_, b)| a.cpu.total_cmp(&b.cpu))
}

/// Says which peers are not there, and how they would be.
pub(crate) fn skipped(missing: &[Tool]) -> Vec<String> {
    missing.iter().map(|tool| format!("Skipped: {} is not installed (`{}`).", tool.name(), tool.install())).collect()
}

/// Prints a line of the result.
#[expect(clippy::print_stdout, reason = "the result of the program")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// Tells a person that a part begins.
#[expect(clippy::print_stderr, reason = "talk beside the result")]
pub(crate) fn begin(part: &str) {
    eprintln!("Measuring {part}.");
}

/// Tells a person how far it is.
#[expect(clippy::print_stderr, reason = "talk beside the result")]
pub(crate) fn progress(turn: usize, of: usize) {
    match turn {
        0 => eprintln!("  warmed up"),
        turn => eprintln!("  turn {turn} of {of}"),
    }
}
