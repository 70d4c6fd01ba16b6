//! `whimbrel repl`: a prompt on the handle. A line is SQL or JavaScript, and may read everything and change nothing.

mod line;

use std::io::{self, BufRead, IsTerminal};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use line::{Kept, Line, as_run};
use serde_json::json;
use whimbrel::exec::{Event, Observer};
use whimbrel::{Error, Interrupt};

use crate::exit::{Exit, Signal};
use crate::failure::{self, Failure};
use crate::render::answer::{self, Answer};
use crate::settings::{Settings, write_duration};
use crate::signals::Signals;
use crate::ui::Ui;

const PROMPT: &str = "> ";
const WELCOME: &str = "Looks at the database and changes nothing. Type SQL, or JavaScript with `db` and `ctx`; .help tells more, .exit ends.";
const HELP: &str = "\
SELECT …, WITH …, VALUES …, EXPLAIN …, PRAGMA …   rows, as a table
db.query(\"SELECT …\", [1]).map((row) => row.id)     JavaScript, as in a script's `up(db, ctx)`
const half = (n) => n / 2                           stays for the lines after it
a line that ends in \\                               goes on in the next
.exit, or the end of the input                      ends
";
/// Answers a line; what was typed is put before it.
const SCRIPT: &str = include_str!("repl/answer.js");

/// Answers line after line. Where nobody types, a line that failed is told by the exit code.
pub(super) fn run(settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    let database = settings.database()?;
    if !database.exists() {
        // Said once, and not for every line.
        return Err(Error::Missing { database: database.display().to_string() }.into());
    }
    let interrupt = signals.watch();
    let typing = io::stdin().is_terminal() && !ui.json();
    if typing {
        ui.talk(WELCOME);
    }
    let mut kept = Kept::default();
    let mut exit = Exit::Done;
    signals.idle(true);
    while let Some(text) = read(ui, typing)? {
        let line = Line::of(&text);
        let request = match line {
            Line::Nothing => continue,
            Line::Exit => break,
            Line::Help => {
                ui.talk(HELP.trim_end());
                continue;
            }
            Line::Sql(sql) => json!({ "sql": sql }),
            Line::Script(script) => json!({ "script": as_run(script), "kept": kept.text() }),
        };
        signals.idle(false);
        let answered = ask(settings, &request, interrupt.clone());
        signals.idle(true);
        let failure = match answered {
            Ok((logs, Answer { error: None, answer })) => {
                kept.add(&line);
                ui.result(|| answer::json(&text, &logs, &answer), || answer::text(&logs, &answer))?;
                continue;
            }
            Ok((logs, Answer { error: Some(error), .. })) => {
                ui.data(&answer::logs(&logs))?;
                Failure::new(Exit::Failed, "line", error)
            }
            Err(error) => explain(error, settings.timeout),
        };
        let ended = ui.fail(&failure);
        match signals.exit_code(ended) {
            ended @ Exit::Interrupted(by) if !typing || by != Signal::Interrupt => return Ok(ended),
            // A line that is wrong says more than one that took too long.
            Exit::TimedOut if !typing && exit == Exit::Done => exit = Exit::TimedOut,
            ended if !typing && ended != Exit::TimedOut => exit = Exit::Failed,
            _ => {}
        }
    }
    Ok(exit)
}

/// Reads a line, and those that it goes on in; nothing at the end of the input.
fn read(ui: &Ui, typing: bool) -> anyhow::Result<Option<String>> {
    let mut text = String::new();
    loop {
        if typing {
            ui.prompt(PROMPT);
        }
        let mut bytes = Vec::new();
        if io::stdin().lock().read_until(b'\n', &mut bytes)? == 0 {
            if typing {
                ui.prompt("\n");
            }
            return Ok((!text.is_empty()).then_some(text));
        }
        let line = String::from_utf8_lossy(&bytes);
        match line.trim_end().strip_suffix('\\') {
            Some(begun) => text.extend([begun, "\n"]),
            None => {
                text.push_str(line.trim_end());
                return Ok(Some(text));
            }
        }
    }
}

/// Runs a line; returns what it logged, and its answer.
fn ask(
    settings: &Settings,
    request: &serde_json::Value,
    interrupt: Interrupt,
) -> anyhow::Result<(Vec<String>, Answer)> {
    let heard = Arc::new(Heard::default());
    let migrator = settings.prompt(format!("const REQUEST = {request};\n{SCRIPT}"), interrupt, heard.clone())?;
    migrator.read_once()?;
    let mut logs = std::mem::take(&mut *heard.0.lock().unwrap_or_else(PoisonError::into_inner));
    let last = logs.pop().unwrap_or_default();
    // Too long for the log, it was dropped.
    let answer = serde_json::from_str(&last).map_err(|_| anyhow::anyhow!("the answer is too long to be shown"))?;
    Ok((logs, answer))
}

/// What was logged.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Observer for Heard {
    fn event(&self, event: &Event<'_>) {
        if let Event::Log { message, .. } = event {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push((*message).to_owned());
        }
    }
}

/// Explains what ended a line from outside. That it was run as a migration is nothing to be told.
fn explain(error: anyhow::Error, timeout: Option<Duration>) -> Failure {
    let ran = matches!(error.downcast_ref(), Some(Error::Run(_)));
    let mut failure = failure::explain(error);
    if let Exit::Interrupted(_) = failure.exit {
        return Failure::new(failure.exit, failure.code, "interrupted");
    }
    if let (Exit::TimedOut, Some(timeout)) = (failure.exit, timeout) {
        let message = format!("the line took longer than its timeout of {}", write_duration(timeout));
        let hint = Some("give it more time with --timeout".to_owned());
        return Failure { hint, ..Failure::new(failure.exit, failure.code, message) };
    }
    if ran && !failure.causes.is_empty() {
        failure.message = failure.causes.remove(0);
    }
    Failure { problems: Vec::new(), backtrace: Vec::new(), notes: Vec::new(), done: None, ..failure }
}
