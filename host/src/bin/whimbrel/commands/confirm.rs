//! Asks before something is destroyed, and refuses where nothing may be.

use std::io::IsTerminal;

use crate::settings::{Protection, Settings, SettingsError};
use crate::ui::Ui;

/// What is about to be destroyed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Danger {
    /// Some of what is applied, or of what is recorded; asks only in a protected environment.
    Some,
    /// What has just been done, again; refused in a protected environment.
    Redo,
    /// What is recorded, and nothing else; asks everywhere.
    History,
    /// Everything; asks everywhere, and is refused in a protected environment.
    Everything,
}

/// Goes on if nothing speaks against it, or somebody has agreed; `about` says what would happen.
pub(super) fn confirm(
    verb: &str,
    danger: Danger,
    yes: bool,
    settings: &Settings,
    ui: &Ui,
    about: impl FnOnce() -> anyhow::Result<String>,
) -> anyhow::Result<()> {
    let protection = settings.protection()?;
    let word = match (&protection, danger) {
        (Some((name, Protection::Refuse)), _)
        | (Some((name, Protection::Confirm)), Danger::Redo | Danger::Everything) => {
            return Err(refused(verb, name).into());
        }
        (Some((name, Protection::Confirm)), Danger::Some | Danger::History) => name.clone(),
        (_, Danger::Everything | Danger::History) => verb.to_owned(),
        (_, Danger::Some | Danger::Redo) => return Ok(()),
    };
    if yes {
        return Ok(());
    }
    if ui.json() || !std::io::stdin().is_terminal() {
        let message = format!("`{verb}` needs to be confirmed, and there is nobody to ask");
        return Err(SettingsError::new("not-confirmed", message, "look at it with --dry-run, then add --yes").into());
    }
    ui.talk(about()?.trim_end());
    match ui.ask(&format!("Type `{word}` to go on: "))?.trim() == word {
        true => Ok(()),
        false => {
            Err(SettingsError::new("not-confirmed", "not confirmed: nothing was done", "--dry-run changes nothing")
                .into())
        }
    }
}

fn refused(verb: &str, environment: &str) -> SettingsError {
    let message = format!("`{verb}` is refused: the environment {} is protected", environment.escape_debug());
    SettingsError::new("protected", message, format!("`[env.{}]` in whimbrel.toml says so", environment.escape_debug()))
}
