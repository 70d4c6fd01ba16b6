//! Shows a run while it goes on: a line for the step that runs, one for each that has ended, and what guests say.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use serde::Serialize;
use whimbrel::LogLevel;
use whimbrel::exec::{Event, Observer, Throttle};
use whimbrel::plan::{Direction, Step};

use crate::escape;
use crate::render::{adoption, amount, report, style};
use crate::ui::Ui;

/// How often the line of the step that runs is drawn anew.
const TICK: Duration = Duration::from_millis(100);
/// How often a line tells how far it is, where nothing can be drawn.
const LINES: Duration = Duration::from_secs(10);

/// A line that a guest wrote into its log.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LogLine {
    chain: String,
    version: String,
    name: String,
    level: &'static str,
    message: String,
}

/// A hook that has done its work.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct HookLine {
    moment: &'static str,
    name: String,
    duration_us: u64,
    /// Version and name of the migration that it came with.
    migration: Option<String>,
}

/// What a run has told besides what it returns, for JSON.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) logs: Vec<LogLine>,
    pub(crate) hooks: Vec<HookLine>,
}

/// How fast the step that runs is, where lines tell it.
#[derive(Clone, Copy)]
struct Pace {
    since: Instant,
    /// Units that were done by then.
    from: u64,
    said: Instant,
}

/// Hears a run and shows it.
pub(crate) struct Progress {
    ui: Ui,
    bar: Mutex<Option<ProgressBar>>,
    pace: Mutex<Option<Pace>>,
    heard: Mutex<Heard>,
    /// Everything is rolled back, and shown at the end.
    dry_run: bool,
    /// How fast transforms in chunks may go, in words.
    throttle: Option<String>,
}

impl Progress {
    /// Starts with nothing on the screen.
    pub(crate) fn new(ui: &Ui) -> Self {
        Self {
            ui: ui.clone(),
            bar: Mutex::default(),
            pace: Mutex::default(),
            heard: Mutex::default(),
            dry_run: false,
            throttle: None,
        }
    }

    /// Says beside how fast a step is how fast it may be.
    pub(crate) fn throttle(self, throttle: Option<Throttle>) -> Self {
        Self { throttle: throttle.map(throttled), ..self }
    }

    /// Says nothing of steps that have ended, for a run that shows them at its end.
    pub(crate) fn dry_run(self, dry_run: bool) -> Self {
        Self { dry_run, ..self }
    }

    /// Takes the line of the step away and returns what was heard, for JSON.
    pub(crate) fn finish(&self) -> Heard {
        if let Some(bar) = lock(&self.bar).take() {
            bar.finish_and_clear();
        }
        std::mem::take(&mut lock(&self.heard))
    }

    fn say(&self, line: &str) {
        match &*lock(&self.bar) {
            Some(bar) => bar.suspend(|| self.ui.talk(line)),
            None => self.ui.talk(line),
        }
    }

    /// Shows what is going on; the first time, the line appears.
    fn show(&self, message: String) {
        if !self.ui.shows_progress() {
            return;
        }
        let mut bar = lock(&self.bar);
        let bar = bar.get_or_insert_with(|| {
            let bar = ProgressBar::new_spinner().with_style(spinner("{spinner} {msg} ({elapsed})"));
            bar.enable_steady_tick(TICK);
            bar
        });
        bar.set_style(spinner("{spinner} {msg} ({elapsed})"));
        bar.reset_elapsed();
        bar.set_message(message);
    }

    fn advance(&self, step: &Step, done: u64, total: Option<u64>) {
        if !self.ui.shows_progress() {
            return self.advance_in_lines(step, done, total);
        }
        let Some(bar) = &*lock(&self.bar) else { return };
        match total {
            Some(total) => {
                let may = self.throttle.as_ref().map(|throttle| format!(", {throttle}")).unwrap_or_default();
                bar.set_style(spinner(&format!(
                    "{{spinner}} {{msg}} [{{bar:20}}] {{pos}} of {{len}} ({{rate}}{may}, {{eta}} left)"
                )));
                bar.set_length(total);
                bar.set_position(done.min(total));
            }
            None => {
                bar.set_style(spinner("{spinner} {msg} {pos} done ({elapsed})"));
                bar.set_position(done);
            }
        }
    }

    /// Says now and then how far a step is, where nothing can be drawn.
    fn advance_in_lines(&self, step: &Step, done: u64, total: Option<u64>) {
        let (Some(total), now) = (total, Instant::now()) else { return };
        let mut pace = lock(&self.pace);
        let pace = pace.get_or_insert(Pace { since: now, from: done, said: now });
        if now.duration_since(pace.said) < LINES {
            return;
        }
        pace.said = now;
        let mut line = pace_line(done, total, done.saturating_sub(pace.from), now.duration_since(pace.since));
        if let Some(throttle) = &self.throttle {
            line.push_str(&format!(" ({throttle})"));
        }
        self.ui.talk(&format!("  [{}] {line}", escape::line(&step.migration.title())));
    }

    fn log(&self, step: &Step, level: LogLevel, message: &str) {
        if self.ui.json() {
            lock(&self.heard).logs.push(LogLine {
                chain: step.chain.to_string(),
                version: step.migration.version.to_string(),
                name: step.migration.name.clone(),
                level: name(level),
                message: message.to_owned(),
            });
            return;
        }
        if level < self.ui.log_level() {
            return;
        }
        let word = match level {
            LogLevel::Trace | LogLevel::Debug | LogLevel::Info => String::new(),
            LogLevel::Warn => format!("{}: ", style::paint(style::WARNING, "warning")),
            LogLevel::Error => format!("{}: ", style::paint(style::ERROR, "error")),
        };
        let title = style::paint(style::DIM, &format!("[{}]", escape::line(&step.title())));
        let message = escape::hung(message, 4);
        self.say(&format!("  {title} {word}{message}"));
    }
}

/// Writes how far a step is and how fast: `5,000 of 20,000 rows (25 %), 1,000 rows/s, 15 s left`.
fn pace_line(done: u64, total: u64, lately: u64, took: Duration) -> String {
    let percent = if total == 0 { 100 } else { (u128::from(done) * 100 / u128::from(total)).min(100) };
    let rate = u128::from(lately) * 1000 / took.as_millis().max(1);
    let mut line = format!("{} of {} rows ({percent} %)", amount::number(done), amount::number(total));
    if let Some(rate) = u64::try_from(rate).ok().filter(|rate| *rate > 0) {
        line.push_str(&format!(", {} rows/s", amount::number(rate)));
        let left = u128::from(total.saturating_sub(done)) * 1000 / u128::from(rate);
        match u64::try_from(left).unwrap_or(u64::MAX) {
            0 => {}
            left @ 1_000..60_000 => line.push_str(&format!(", {} s left", left / 1_000)),
            left => line.push_str(&format!(", {} left", amount::duration(Duration::from_millis(left)))),
        }
    }
    line
}

/// Writes how fast a transform may go.
fn throttled(throttle: Throttle) -> String {
    match throttle {
        Throttle::RowsPerSecond(rows) => format!("at most {} rows/s", amount::number(rows.get())),
        Throttle::Pause(pause) => format!("a pause of {} after each chunk", amount::duration(pause)),
        _ => "throttled".to_owned(),
    }
}

fn name(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Trace => "trace",
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    }
}

fn spinner(template: &str) -> ProgressStyle {
    let write = |state: &ProgressState, out: &mut dyn fmt::Write| {
        // It goes into a text, which takes everything.
        let _ = out.write_str(&rate(state.per_sec()));
    };
    let style = ProgressStyle::with_template(template).expect("the template is a constant");
    style.progress_chars("=> ").with_key("rate", write)
}

/// Writes how many are done in a second: whole ones, unless they are few.
fn rate(per_second: f64) -> String {
    if per_second < 9.95 {
        return format!("{:.1}/s", per_second.max(0.0));
    }
    // Nothing is so fast that the number does not fit.
    format!("{}/s", amount::number(per_second.round() as u64))
}

/// A panic elsewhere leaves a message or a list behind, which is as good as ever.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Observer for Progress {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::OtherHistories { found } => adoption::all_unknown(found).iter().for_each(|note| self.say(note)),
            Event::Compiling { components: 1 } => self.show("Compiling a component".to_owned()),
            Event::Compiling { components } => self.show(format!("Compiling {components} components")),
            Event::StepStarted { step, number, of } => {
                lock(&self.pace).take();
                let verb = match step.direction {
                    Direction::Up => "Applying",
                    Direction::Down => "Reverting",
                };
                self.show(format!("{verb} {} [{number}/{of}]", escape::line(&step.title())));
            }
            Event::Log { step, level, message } => self.log(step, *level, message),
            Event::Progress { step, done, total } => self.advance(step, *done, *total),
            Event::StepFinished { report } => {
                if let Some(line) = report::step_line(report).filter(|_| !self.dry_run) {
                    self.say(&line);
                }
            }
            Event::HookFinished { hook, step, duration } => {
                // Those of each step belong to its line.
                if step.is_none() {
                    self.say(&report::hook_line(hook, *duration));
                }
                lock(&self.heard).hooks.push(HookLine {
                    moment: hook.moment.as_str(),
                    name: hook.name().to_owned(),
                    duration_us: report::micros(*duration),
                    migration: step.map(Step::title),
                });
            }
            Event::StepFailed { .. } => {
                if let Some(bar) = lock(&self.bar).take() {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_whole_number_unless_it_is_small() {
        for (rate, expected) in
            [(0.0, "0.0/s"), (3.25, "3.2/s"), (9.97, "10/s"), (10.4, "10/s"), (312_014.7, "312,015/s")]
        {
            assert_eq!(super::rate(rate), expected);
        }
    }

    #[test]
    fn tells_how_far_and_how_fast() {
        let cases = [
            ((5_000, 20_000, 5_000, 5_000), "5,000 of 20,000 rows (25 %), 1,000 rows/s, 15 s left"),
            ((0, 20_000, 0, 5_000), "0 of 20,000 rows (0 %)"),
            ((20_001, 20_000, 1_000, 100), "20,001 of 20,000 rows (100 %), 10,000 rows/s"),
            ((19_000, 20_000, 19_000, 9_500), "19,000 of 20,000 rows (95 %), 2,000 rows/s, 500 ms left"),
            (
                (0, u64::MAX, 1, 1_000),
                "0 of 18,446,744,073,709,551,615 rows (0 %), 1 rows/s, 5124095576030 h 25 min left",
            ),
            ((0, 0, 0, 0), "0 of 0 rows (100 %)"),
        ];
        for ((done, total, lately, took), expected) in cases {
            assert_eq!(pace_line(done, total, lately, Duration::from_millis(took)), expected);
        }
    }

    #[test]
    fn tells_how_fast_it_may_be() {
        let rate = Throttle::RowsPerSecond(5_000.try_into().expect("not 0"));
        assert_eq!(throttled(rate), "at most 5,000 rows/s");
        assert_eq!(throttled(Throttle::Pause(Duration::from_millis(50))), "a pause of 50 ms after each chunk");
    }
}
