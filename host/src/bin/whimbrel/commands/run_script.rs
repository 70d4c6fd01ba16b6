//! `whimbrel run-script`: one script in a transaction, undone unless it is to be kept.

use std::sync::Arc;

use whimbrel::exec::Report;
use whimbrel::plan::Direction;

use crate::args::RunScriptArgs;
use crate::commands::confirm::{Danger, Question};
use crate::commands::missing;
use crate::escape;
use crate::exit::Exit;
use crate::progress::Progress;
use crate::render::{dry_run, preview, report};
use crate::settings::Settings;
use crate::signals::Signals;
use crate::ui::Ui;

/// Runs the script, and shows every statement and every changed row.
pub(super) fn run(args: &RunScriptArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    if args.commit
        && let Some(question) = Question::of("run-script", Danger::Script, args.yes, settings)?
    {
        let (file, database) = (args.file.display().to_string(), settings.database()?.display().to_string());
        let about = format!("This runs {} in {} and keeps what it does.", escape::line(&file), escape::line(&database));
        question.ask(ui, signals, || Ok(about))?;
    }
    let progress = Arc::new(Progress::new(ui));
    let migrator = settings.script(&args.file, signals.watch(), progress.clone())?;
    let direction = if args.down { Direction::Down } else { Direction::Up };
    let result = migrator.run_once(direction, args.commit);
    let heard = progress.finish();
    let step = result?;
    let mut done = Report::default();
    (done.dry_run, done.duration) = (!args.commit, step.duration);
    done.steps.push(step);
    let json = || report::json("run-script", &done, heard);
    if !args.commit {
        missing::mention(settings, ui)?;
    }
    let text = || {
        let said = if args.commit { report::once(&done) } else { dry_run::text(&done) };
        preview::rejected(&done.steps[0].rejects) + &said
    };
    ui.report(args.commit, json, text)?;
    Ok(Exit::from(&done))
}
