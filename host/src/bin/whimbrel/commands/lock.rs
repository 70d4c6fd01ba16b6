//! `whimbrel lock`: writes `whimbrel.lock` into the folder of the migrations, or checks it; tells who is at work on the
//! database.

use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use whimbrel::Interrupt;
use whimbrel::model::Chain;
use whimbrel::plan::Rules;
use whimbrel::source::{LOCK_FILE, LockDifference, LockFile, LockFileError, Source};
use whimbrel::sql;

use crate::args::{LockArgs, LockVerb};
use crate::exit::Exit;
use crate::render::json::schema;
use crate::render::{amount, lock};
use crate::settings::{Place, Settings, SettingsError};
use crate::ui::Ui;

#[derive(Serialize)]
struct LockJson {
    schema: String,
    file: String,
    migrations: usize,
    written: bool,
    differences: Vec<DifferenceJson>,
}

#[derive(Serialize)]
struct DifferenceJson {
    migration: String,
    kind: &'static str,
}

/// Writes the lock file, or checks it; or tells who is at work.
pub(super) fn run(args: &LockArgs, settings: &Settings, ui: &Ui) -> anyhow::Result<Exit> {
    if let Some(LockVerb::Status) = args.verb {
        let status = settings.migrator(Rules::default(), Interrupt::new(), Arc::new(()))?.lock_status()?;
        ui.result(|| lock::json(&status), || lock::text(&status))?;
        return Ok(Exit::Done);
    }
    let path = settings.folder()?.join(LOCK_FILE);
    // After a merge with conflicts this tells more than the folder does.
    let kept = args.check.then(|| read(&path)).transpose()?;
    let chain = chain(settings)?;
    let Some(kept) = kept else {
        let text = LockFile::of(&chain).to_string();
        let written = std::fs::read_to_string(&path).ok().as_ref() != Some(&text);
        if written {
            std::fs::write(&path, text).map_err(|error| unwritable(&path, &error))?;
        }
        show(ui, &path, &chain, written, &[])?;
        return Ok(Exit::Done);
    };
    let differences = kept.compare(&chain);
    show(ui, &path, &chain, false, &differences)?;
    Ok(if differences.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Writes the lock file of the folder anew.
pub(super) fn write(settings: &Settings) -> anyhow::Result<()> {
    let path = settings.folder()?.join(LOCK_FILE);
    let text = LockFile::of(&chain(settings)?).to_string();
    Ok(std::fs::write(&path, text).map_err(|error| unwritable(&path, &error))?)
}

fn chain(settings: &Settings) -> anyhow::Result<Chain> {
    let loaded = settings.source()?.load(&Interrupt::new()).map_err(whimbrel::Error::from)?;
    Ok(Chain::new("main", loaded.migrations).map_err(whimbrel::Error::from)?)
}

/// Adds a migration that was just made to the lock file, if there is one.
pub(super) fn add(dir: &Path, version: &str, name: &str) -> Result<(), SettingsError> {
    let path = dir.join(LOCK_FILE);
    if !path.exists() {
        return Ok(());
    }
    let version = version.parse().map_err(|error: whimbrel::model::VersionError| {
        SettingsError::new("lock-file", error.to_string(), "write it anew: `whimbrel lock`")
    })?;
    let lock = read(&path)?.with_new(version, name);
    std::fs::write(&path, lock.to_string()).map_err(|error| unwritable(&path, &error))
}

fn read(path: &Path) -> Result<LockFile, SettingsError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => SettingsError::new(
            "lock-file",
            format!("there is no {file}"),
            "write it with `whimbrel lock` and commit it",
        ),
        _ => SettingsError::new("lock-file", format!("cannot read {file}: {error}"), "write it anew: `whimbrel lock`"),
    })?;
    LockFile::parse(&text).map_err(|error| SettingsError {
        code: "lock-file",
        message: error.to_string(),
        hint: Some("write it anew: `whimbrel lock`".to_owned()),
        place: Some(Place {
            file,
            position: match error {
                LockFileError::Malformed { offset, .. } => {
                    let position = sql::locate(&text, offset);
                    Some((position.line, position.column))
                }
                _ => None,
            },
        }),
    })
}

fn unwritable(path: &Path, error: &io::Error) -> SettingsError {
    let message = format!("cannot write {}: {error}", path.display());
    SettingsError::new("lock-file", message, "the folder of the migrations must be one that can be written")
}

fn show(ui: &Ui, path: &Path, chain: &Chain, written: bool, differences: &[LockDifference]) -> anyhow::Result<()> {
    let file = path.display().to_string();
    let migrations = chain.migrations().len() + chain.baselines().len() + chain.repeatables().len();
    let counted = amount::count(migrations, "migration", "migrations");
    let json = || LockJson {
        schema: schema("lock"),
        file: file.clone(),
        migrations,
        written,
        differences: differences
            .iter()
            .map(|one| DifferenceJson { migration: one.migration.clone(), kind: one.kind.as_str() })
            .collect(),
    };
    let text = || match (written, differences) {
        (true, _) => format!("Wrote {file}: {counted}.\n"),
        (false, []) => format!("{file} describes the folder: {counted}.\n"),
        (false, differences) => {
            let lines: String = differences.iter().map(|one| format!("  {one}\n")).collect();
            format!("{file} does not describe the folder:\n{lines}Write it anew: `whimbrel lock`\n")
        }
    };
    ui.result(json, text)
}
