//! `whimbrel lock`: writes `whimbrel.lock` into the folders of the migrations, or checks it; tells who is at work on the
//! database.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use serde::Serialize;
use whimbrel::Interrupt;
use whimbrel::model::Chain;
use whimbrel::plan::Rules;
use whimbrel::source::{LOCK_FILE, LockDifference, LockFile, LockFileError};
use whimbrel::sql;

use crate::args::{LockArgs, LockVerb};
use crate::commands::{files, missing};
use crate::escape;
use crate::exit::Exit;
use crate::render::json::schema;
use crate::render::{amount, lock};
use crate::settings::{ChainFolder, Place, Settings, SettingsError};
use crate::signals::Signals;
use crate::ui::Ui;

#[derive(Serialize)]
struct LockJson {
    schema: String,
    /// Nothing where there are several.
    file: Option<String>,
    migrations: usize,
    written: bool,
    differences: Vec<DifferenceJson>,
    files: Vec<FileJson>,
}

#[derive(Serialize)]
struct FileJson {
    chain: String,
    file: String,
    migrations: usize,
    written: bool,
    differences: Vec<DifferenceJson>,
}

#[derive(Clone, Serialize)]
struct DifferenceJson {
    migration: String,
    kind: &'static str,
}

/// The lock file of one chain.
struct Locked {
    chain: String,
    path: PathBuf,
    migrations: usize,
    written: bool,
    differences: Vec<LockDifference>,
}

/// Writes the lock file of every chain that is meant, or checks it; or tells who is at work.
pub(super) fn run(args: &LockArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    if let Some(LockVerb::Status) = args.verb {
        let status = settings.migrator(Rules::default(), signals.watch(), Arc::new(()))?.lock_status()?;
        missing::mention(settings, ui)?;
        ui.result(|| lock::json(&status), || lock::text(&status))?;
        return Ok(Exit::Done);
    }
    let folders = settings.chain_folders()?;
    let path = |folder: &ChainFolder| folder.folder.join(LOCK_FILE);
    // After a merge with conflicts these tell more than the folders do.
    let kept = folders.iter().map(|folder| args.check.then(|| read(&path(folder))).transpose());
    let kept = kept.collect::<anyhow::Result<Vec<_>>>()?;
    let chains = folders.iter().map(chain).collect::<anyhow::Result<Vec<_>>>()?;
    let mut all = Vec::new();
    for ((folder, chain), kept) in folders.iter().zip(&chains).zip(&kept) {
        let path = path(folder);
        let written = match kept {
            Some(_) => false,
            None => write_text(&path, &LockFile::of(chain).to_string())?,
        };
        all.push(Locked {
            chain: folder.chain.clone(),
            path,
            migrations: chain.migrations().len() + chain.baselines().len() + chain.repeatables().len(),
            written,
            differences: kept.as_ref().map(|kept| kept.compare(chain)).unwrap_or_default(),
        });
    }
    ui.report(!args.check, || json(&all), || text(&all))?;
    Ok(if all.iter().all(|one| one.differences.is_empty()) { Exit::Done } else { Exit::Failed })
}

/// Writes the lock file of a chain anew, and returns its path.
pub(super) fn write(folder: &ChainFolder) -> anyhow::Result<PathBuf> {
    let path = folder.folder.join(LOCK_FILE);
    write_text(&path, &LockFile::of(&chain(folder)?).to_string())?;
    Ok(path)
}

/// Writes a lock file unless it says the same already.
fn write_text(path: &Path, text: &str) -> anyhow::Result<bool> {
    // A link is replaced whatever it leads to.
    let is_link = path.symlink_metadata().is_ok_and(|found| found.is_symlink());
    if !is_link && files::read_text_beside(path).ok().flatten().as_deref() == Some(text) {
        return Ok(false);
    }
    files::replace(path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(true)
}

fn chain(folder: &ChainFolder) -> anyhow::Result<Chain> {
    let loaded = folder.source.load(&Interrupt::new()).map_err(whimbrel::Error::from)?;
    Ok(Chain::new(&folder.chain, loaded.migrations).map_err(whimbrel::Error::from)?)
}

/// Adds a migration that was just made to the lock file, if there is one.
pub(super) fn add(dir: &Path, version: &str, name: &str) -> anyhow::Result<()> {
    let path = dir.join(LOCK_FILE);
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let version = version.parse().map_err(|error: whimbrel::model::VersionError| {
        SettingsError::new("lock-file", error.to_string(), "write it anew: `whimbrel lock`")
    })?;
    let lock = read(&path)?.with_new(version, name);
    write_text(&path, &lock.to_string()).map(drop)
}

fn read(path: &Path) -> anyhow::Result<LockFile> {
    let file = path.display().to_string();
    let Some(text) = files::read_text_beside(path)? else {
        let message = format!("there is no {file}");
        return Err(SettingsError::new("lock-file", message, "write it with `whimbrel lock` and commit it").into());
    };
    let parsed = LockFile::parse(&text).map_err(|error| SettingsError {
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
    });
    Ok(parsed?)
}

fn json(all: &[Locked]) -> LockJson {
    let difference = |one: &Locked, difference: &LockDifference, several: bool| DifferenceJson {
        migration: match several {
            true => format!("{}:{}", one.chain, difference.migration),
            false => difference.migration.clone(),
        },
        kind: difference.kind.as_str(),
    };
    let of = |one: &Locked, several| one.differences.iter().map(|found| difference(one, found, several)).collect();
    let file = |one: &Locked| FileJson {
        chain: one.chain.clone(),
        file: one.path.display().to_string(),
        migrations: one.migrations,
        written: one.written,
        differences: of(one, false),
    };
    let several = all.len() > 1;
    LockJson {
        schema: schema("lock"),
        file: all.first().filter(|_| !several).map(|one| one.path.display().to_string()),
        migrations: all.iter().map(|one| one.migrations).sum(),
        written: all.iter().any(|one| one.written),
        differences: all.iter().flat_map(|one| -> Vec<_> { of(one, several) }).collect(),
        files: all.iter().map(file).collect(),
    }
}

fn text(all: &[Locked]) -> String {
    let one = |Locked { path, migrations, written, differences, .. }: &Locked| {
        let file = path.display().to_string();
        let file = escape::line(&file);
        let counted = amount::count(*migrations, "migration", "migrations");
        match (written, differences.as_slice()) {
            (true, _) => format!("Wrote {file}: {counted}.\n"),
            (false, []) => format!("{file} describes the folder: {counted}.\n"),
            (false, differences) => {
                let lines: String = differences.iter().map(|one| format!("  {one}\n")).collect();
                format!("{file} does not describe the folder:\n{lines}Write it anew: `whimbrel lock`\n")
            }
        }
    };
    all.iter().map(one).collect()
}
