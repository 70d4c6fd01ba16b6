//! `whimbrel history`: what was applied when, and what it was where the history keeps that.

use std::path::Path;
use std::sync::Arc;

use whimbrel::model::Key;
use whimbrel::plan::Rules;
use whimbrel::{KeptBytesOf, KeptPart};

use crate::args::{HistoryArgs, Named, PartArg};
use crate::commands::missing;
use crate::exit::Exit;
use crate::render::{history, kept};
use crate::settings::{Settings, SettingsError};
use crate::signals::Signals;
use crate::ui::Ui;

/// Shows the rows of the history, or what was applied of a migration.
pub(super) fn run(args: &HistoryArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    let migrator = settings.migrator(Rules::default(), signals.watch(), Arc::new(()))?;
    let Some(Named { key, .. }) = &args.body else {
        let rows = migrator.history()?;
        missing::mention(settings, ui)?;
        ui.result(|| history::json(&rows), || history::text(&rows))?;
        return Ok(Exit::Done);
    };
    let part = match args.part {
        PartArg::Body => KeptPart::Body,
        PartArg::Down => KeptPart::Down,
        PartArg::Manifest => KeptPart::Manifest,
    };
    let (found, bytes) = only(migrator.kept(key, part)?, key, part)?;
    if let Some(file) = &args.output {
        write(file, &bytes, args.force)?;
    } else if str::from_utf8(&bytes).is_err() && !ui.json() {
        let (message, hint) = ("its bytes are no text", "write them into a file with --output FILE");
        return Err(SettingsError::new("not-kept", message, hint).into());
    }
    let file = args.output.as_deref();
    ui.result(|| kept::json(&found, part, &bytes, file), || kept::text(&found, part, &bytes, file))?;
    Ok(Exit::Done)
}

/// Returns what was found in the one chain that has it.
fn only(mut found: Vec<KeptBytesOf>, migration: &Key, part: KeptPart) -> Result<(KeptBytesOf, Vec<u8>), SettingsError> {
    if found.len() > 1 {
        let chains: Vec<&str> = found.iter().map(|found| &*found.row.chain).collect();
        let message = format!("{migration} was applied from several chains: {}", chains.join(", "));
        return Err(SettingsError::new("ambiguous-target", message, "say which with --chain"));
    }
    let Some(mut found) = found.pop() else {
        let message = format!("the history has no migration {migration}");
        return Err(SettingsError::new("unknown-target", message, "`whimbrel history` shows those there are"));
    };
    let Some(bytes) = found.bytes.take() else {
        let message = format!("the history has not kept {} of {}", kept::part(part), found.row.title());
        let hint = "`keep_bodies = true` in whimbrel.toml keeps what is applied from then on";
        return Err(SettingsError::new("not-kept", message, hint));
    };
    Ok((found, bytes))
}

/// Writes what was kept, and overwrites no other file unless told to.
fn write(file: &Path, bytes: &[u8], force: bool) -> Result<(), SettingsError> {
    let is_other = || file.is_file() && std::fs::read(file).ok().as_deref() != Some(bytes);
    if !force && is_other() {
        let message = format!("{} exists already and was not touched", file.display());
        return Err(SettingsError::new(
            "not-kept",
            message,
            "choose another place with --output; --force overwrites it",
        ));
    }
    std::fs::write(file, bytes).map_err(|error| {
        let message = format!("cannot write {}: {error}", file.display());
        SettingsError::new("not-kept", message, "choose another place with --output")
    })
}
