//! `whimbrel preview` and `whimbrel rejects`: what a transform would do to rows, and which it could not do.

use std::sync::Arc;

use anyhow::Context;
use whimbrel::plan::Rules;
use whimbrel::transform::Selection;

use crate::args::{PreviewArgs, RejectsArgs};
use crate::commands::{known, missing};
use crate::escape;
use crate::exit::Exit;
use crate::overdue;
use crate::progress::Progress;
use crate::render::{preview, preview_html};
use crate::settings::Settings;
use crate::signals::Signals;
use crate::ui::Ui;

/// Shows rows before and after.
pub(super) fn run(args: &PreviewArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    overdue::watch(settings.timeout, ui);
    let migrator = settings.migrator(Rules::default(), signals.watch(), Arc::new(()))?;
    let selection = match (args.key.is_empty(), args.sample) {
        (false, _) => Selection::Key(args.key.clone()),
        (true, true) => Selection::Sample(args.rows),
        (true, false) => Selection::First(args.rows),
    };
    let shown = migrator.preview(args.target.key.clone(), &selection)?;
    if let Some(file) = &args.html {
        let called = match settings.has_several_chains() {
            true => format!("{}:{}", shown.chain, args.target.key),
            false => args.target.key.to_string(),
        };
        let page = preview_html::page(&shown, &called);
        std::fs::write(file, page).with_context(|| format!("cannot write {}", file.display()))?;
        ui.talk(&format!("Wrote {}.", escape::line(&file.display().to_string())));
    }
    let text = || match (settings.has_several_chains(), args.html.is_some()) {
        (several, true) => format!("{}\n", preview::summary(&shown, several)),
        (several, false) => preview::text(&shown, several),
    };
    ui.result(|| preview::json(&shown), text)?;
    Ok(Exit::Done)
}

/// Shows the rows that were kept aside.
pub(super) fn rejects(args: &RejectsArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    if args.retry {
        return retry(args, settings, ui, signals);
    }
    let migrator = settings.migrator(Rules::default(), signals.watch(), Arc::new(()))?;
    let found = migrator.rejects(args.target.key.clone())?;
    if found.rows.is_empty() {
        known(&migrator, &args.target.key)?;
        missing::mention(settings, ui)?;
    }
    let chain = found.chain.as_deref().filter(|_| settings.has_several_chains());
    ui.result(|| preview::rejects_json(&found, None), || preview::rejects(&found.rows, chain))?;
    Ok(Exit::Done)
}

/// Transforms them once more, and shows those that still cannot be.
fn retry(args: &RejectsArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    overdue::watch(settings.timeout, ui);
    let progress = Arc::new(Progress::new(ui));
    let migrator = settings.migrator(Rules::default(), signals.watch(), progress.clone())?;
    let retried = migrator.retry_rejects(args.target.key.clone());
    progress.finish();
    let retried = retried?;
    let left = migrator.rejects(args.target.key.clone())?;
    let chain = left.chain.as_deref().filter(|_| settings.has_several_chains());
    let text = || preview::retried(&left.rows, chain, &retried);
    ui.report(true, || preview::rejects_json(&left, Some(&retried)), text)?;
    Ok(if left.rows.is_empty() { Exit::Done } else { Exit::RowsKeptAside })
}
