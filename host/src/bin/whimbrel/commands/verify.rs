//! `whimbrel verify`: whether files and history agree.

use std::sync::Arc;

use whimbrel::source::SourceError;

use crate::args::VerifyArgs;
use crate::commands::{missing, rules};
use crate::exit::Exit;
use crate::failure::explain_step;
use crate::render::verify;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::ui::Ui;

/// Compares files and history.
pub(super) fn run(args: &VerifyArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    let rules = rules(&args.rules);
    let migrator = settings.migrator(rules, signals.watch(), Arc::new(()))?;
    let found = migrator.status()?;
    if !found.hook_problems.is_empty() {
        let error = SourceError { problems: found.hook_problems, interrupted: false };
        return Err(whimbrel::Error::from(error).into());
    }
    migrator.check_code_of(&found.entries)?;
    let mut findings = verify::findings(&found, rules);
    let mut asked = None;
    if args.deep {
        let verified = migrator.verify_deep()?;
        asked = Some(verify::AskedAgain::count(&verified));
        findings.extend(verified.into_iter().filter_map(|one| {
            let failure = explain_step(&one.result.err()?, &one.step);
            Some(verify::unverified(&one.step, one.asked, failure))
        }));
    }
    missing::mention(settings, ui)?;
    let asked = asked.as_ref();
    ui.result(|| verify::json(&found, &findings, asked), || verify::text(&found, &findings, asked))?;
    Ok(if findings.is_empty() { Exit::Done } else { Exit::Failed })
}
