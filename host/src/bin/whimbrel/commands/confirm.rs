//! Asks before something is destroyed, and refuses where nothing may be.

use std::io::IsTerminal;

use crate::settings::{Protection, Settings, SettingsError};
use crate::signals::Signals;
use crate::ui::Ui;

/// What is about to be destroyed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Danger {
    /// Some of what is applied, or of what is recorded; asks only in a protected environment.
    Some,
    /// What a script says, without a trace in the history; asks only in a protected environment.
    Script,
    /// What has just been done, again; refused in a protected environment.
    Redo,
    /// What is recorded, and nothing else; asks everywhere.
    History,
    /// Everything; asks everywhere, and is refused in a protected environment.
    Everything,
}

/// A question that somebody has to answer first.
#[derive(Debug)]
pub(super) struct Question {
    verb: &'static str,
    /// What is typed to agree.
    word: String,
    /// How it is tried.
    trial: &'static str,
}

impl Question {
    /// Returns the question, unless nothing speaks against it or somebody has agreed; refuses where nothing may be
    /// destroyed.
    pub(super) fn of(
        verb: &'static str,
        danger: Danger,
        yes: bool,
        settings: &Settings,
    ) -> Result<Option<Self>, SettingsError> {
        let word = match (settings.protection()?, danger) {
            (Some((name, Protection::Refuse)), _)
            | (Some((name, Protection::Confirm)), Danger::Redo | Danger::Everything) => {
                return Err(refused(verb, &name));
            }
            (Some((name, Protection::Confirm)), Danger::Some | Danger::Script | Danger::History) => name,
            (_, Danger::Everything | Danger::History) => verb.to_owned(),
            (_, Danger::Some | Danger::Script | Danger::Redo) => return Ok(None),
        };
        let trial = if danger == Danger::Script { "without --commit" } else { "with --dry-run" };
        Ok((!yes).then_some(Self { verb, word, trial }))
    }

    /// Asks it, and goes on if somebody agrees; `about` says what would happen.
    pub(super) fn ask(
        &self,
        ui: &Ui,
        signals: &Signals,
        about: impl FnOnce() -> anyhow::Result<String>,
    ) -> anyhow::Result<()> {
        let Self { verb, word, trial } = self;
        if ui.json() || !std::io::stdin().is_terminal() {
            let message = format!("`{verb}` needs to be confirmed, and there is nobody to ask");
            let hint = format!("look at it {trial}, then add --yes");
            return Err(SettingsError::new("not-confirmed", message, hint).into());
        }
        ui.talk(about()?.trim_end());
        signals.idle(true);
        let answer = ui.ask(&format!("Type `{word}` to go on: "))?;
        signals.idle(false);
        match answer.trim() == word {
            true => Ok(()),
            false => {
                let hint = format!("{trial} nothing is changed");
                let message = "not confirmed: nothing was done";
                Err(SettingsError::new("not-confirmed", message, hint).into())
            }
        }
    }
}

fn refused(verb: &str, environment: &str) -> SettingsError {
    let message = format!("`{verb}` is refused: the environment {} is protected", environment.escape_debug());
    SettingsError::new("protected", message, format!("`[env.{}]` in whimbrel.toml says so", environment.escape_debug()))
}
