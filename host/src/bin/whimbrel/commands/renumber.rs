//! `whimbrel renumber`: gives pending migrations new versions at the end of the chain.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use whimbrel::Interrupt;
use whimbrel::model::Applied;
use whimbrel::plan::Rules;
use whimbrel::source::{Edit, LOCK_FILE, Moved, Renumber, Repointed};

use crate::args::RenumberArgs;
use crate::commands::lock;
use crate::escape;
use crate::exit::Exit;
use crate::render::amount;
use crate::render::json::schema;
use crate::settings::{Settings, SettingsError};
use crate::ui::Ui;

/// Decides, renames, and brings what names the versions up to date.
pub(super) fn run(args: &RenumberArgs, settings: &Settings, ui: &Ui) -> anyhow::Result<Exit> {
    let rows = rows(settings, ui)?;
    let now = Timestamp::now().strftime("%Y%m%d%H%M%S").to_string().parse().unwrap_or(0);
    let wanted = Renumber { applied: &rows, chosen: &args.files, now };
    let own = settings.directory_of(settings.chain())?;
    let renumbering = own.renumber(&wanted).map_err(whimbrel::Error::from)?;
    let mut repointed = Repointed::default();
    for (chain, source) in settings.directories() {
        let is_own = chain == settings.chain();
        let mut found = source.repoint(settings.chain(), is_own, &renumbering).map_err(whimbrel::Error::from)?;
        repointed.edits.append(&mut found.edits);
        repointed.notes.append(&mut found.notes);
    }
    let folder = settings.folder_of(settings.chain())?;
    let locked = !renumbering.moved.is_empty()
        && settings.folder().is_ok_and(|own| own == folder)
        && folder.join(LOCK_FILE).exists();
    if !args.dry_run && !renumbering.moved.is_empty() {
        change(&renumbering.moved, &repointed.edits)?;
        if locked {
            lock::write(settings)?;
        }
    }
    for note in &repointed.notes {
        let hint = note.hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        ui.talk(&format!("note: {}{}", escape::line(&note.to_string()), escape::line(&hint)));
    }
    for moved in renumbering.moved.iter().filter(|moved| settings.policy().migrations.contains_key(&moved.from)) {
        ui.talk(&format!("note: whimbrel.toml has a policy for version {}, which is left as it is", moved.from));
    }
    let json = || json(&renumbering.moved, &repointed, args.dry_run, locked);
    ui.result(json, || text(&renumbering.moved, &repointed.edits, args.dry_run, locked))?;
    Ok(Exit::Done)
}

/// Returns what is applied; nothing where no database is named, or it is not there yet.
fn rows(settings: &Settings, ui: &Ui) -> anyhow::Result<Vec<Applied>> {
    if let Err(error) = settings.database() {
        ui.talk(&format!("note: {}, so nothing counts as applied", error.message));
        return Ok(Vec::new());
    }
    let rows = settings.migrator(Rules::default(), Interrupt::new(), Arc::new(()))?.applied()?;
    Ok(rows.into_iter().filter(|row| *row.chain == *settings.chain()).collect())
}

/// Renames and writes everything, or nothing.
fn change(moved: &[Moved], edits: &[Edit]) -> Result<(), SettingsError> {
    let renames: Vec<&(PathBuf, PathBuf)> = moved.iter().flat_map(|moved| &moved.files).collect();
    for (_, to) in &renames {
        // What is there may be a folder, or a file that no layout knows.
        if fs::symlink_metadata(to).is_ok() && !renames.iter().any(|(from, _)| from == to) {
            return Err(refused(format!("{} exists already", shown(to))));
        }
    }
    let mut undo: Vec<Box<dyn FnOnce()>> = Vec::new();
    let result = apply(edits, &renames, &mut undo);
    if result.is_err() {
        undo.into_iter().rev().for_each(|undo| undo());
    }
    result
}

fn apply(
    edits: &[Edit],
    renames: &[&(PathBuf, PathBuf)],
    undo: &mut Vec<Box<dyn FnOnce()>>,
) -> Result<(), SettingsError> {
    let failed = |path: &Path, error: std::io::Error| refused(format!("cannot change {}: {error}", shown(path)));
    for Edit { file, text } in edits {
        let before = fs::read(file).map_err(|error| failed(file, error))?;
        let again = file.clone();
        undo.push(Box::new(move || drop(fs::write(again, before))));
        fs::write(file, text).map_err(|error| failed(file, error))?;
    }
    // New numbers are above all others, so that no file is in the way of another.
    for (from, to) in renames {
        fs::rename(from, to).map_err(|error| failed(from, error))?;
        let (from, to) = (from.clone(), to.clone());
        undo.push(Box::new(move || drop(fs::rename(to, from))));
    }
    Ok(())
}

fn refused(message: String) -> SettingsError {
    SettingsError::new("renumber", message, "nothing was renamed")
}

fn shown(path: &Path) -> String {
    escape::line(&path.display().to_string()).into_owned()
}

fn text(moved: &[Moved], edits: &[Edit], dry_run: bool, locked: bool) -> String {
    if moved.is_empty() {
        return "Every migration has a version of its own, and none was overtaken.\n".to_owned();
    }
    let mut text = String::new();
    for Moved { name, from, to, files } in moved {
        text.push_str(&format!("{from} {} becomes {to}\n", escape::line(name)));
        for (from, to) in files {
            let name = to.file_name().map(Path::new).unwrap_or(to);
            text.push_str(&format!("  {} -> {}\n", shown(from), shown(name)));
        }
    }
    for edit in edits {
        text.push_str(&format!("{}: what it depends on\n", shown(&edit.file)));
    }
    if locked {
        text.push_str("whimbrel.lock is written anew\n");
    }
    let count = amount::count(moved.len(), "migration", "migrations");
    text.push_str(&match dry_run {
        true => format!("Would renumber {count}. Nothing was changed.\n"),
        false => format!("Renumbered {count}.\n"),
    });
    text
}

#[derive(Serialize)]
struct RenumberJson {
    schema: String,
    dry_run: bool,
    migrations: Vec<MovedJson>,
    edited: Vec<String>,
    lock_file: bool,
    notes: Vec<NoteJson>,
}

#[derive(Serialize)]
struct MovedJson {
    name: String,
    from: String,
    to: String,
    files: Vec<RenamedJson>,
}

#[derive(Serialize)]
struct RenamedJson {
    from: String,
    to: String,
}

#[derive(Serialize)]
struct NoteJson {
    file: String,
    message: String,
}

fn json(moved: &[Moved], repointed: &Repointed, dry_run: bool, locked: bool) -> RenumberJson {
    let path = |path: &Path| path.display().to_string();
    RenumberJson {
        schema: schema("renumber"),
        dry_run,
        migrations: moved
            .iter()
            .map(|moved| MovedJson {
                name: moved.name.clone(),
                from: moved.from.to_string(),
                to: moved.to.to_string(),
                files: moved.files.iter().map(|(from, to)| RenamedJson { from: path(from), to: path(to) }).collect(),
            })
            .collect(),
        edited: repointed.edits.iter().map(|edit| path(&edit.file)).collect(),
        lock_file: locked,
        notes: repointed
            .notes
            .iter()
            .map(|note| NoteJson { file: note.file.clone(), message: note.to_string() })
            .collect(),
    }
}
