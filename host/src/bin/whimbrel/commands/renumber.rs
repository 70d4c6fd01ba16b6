//! `whimbrel renumber`: gives pending migrations new versions at the end of the chain.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use whimbrel::model::{Applied, Key};
use whimbrel::plan::Rules;
use whimbrel::source::{Edit, LOCK_FILE, Moved, Renumber, Renumbering, Repointed};

use crate::args::RenumberArgs;
use crate::commands::{files, lock, missing};
use crate::escape;
use crate::exit::Exit;
use crate::render::amount;
use crate::render::json::schema;
use crate::settings::{ChainFolder, Settings, SettingsError};
use crate::signals::Signals;
use crate::ui::Ui;

/// What becomes of the migrations of all chains.
struct Change {
    /// By the names of their chains.
    moves: Vec<(String, Renumbering)>,
    repointed: Repointed,
    /// The chains whose lock files are written anew.
    locked: Vec<ChainFolder>,
    /// Several chains are meant.
    several: bool,
}

impl Change {
    fn moved(&self) -> impl Iterator<Item = (&str, &Moved)> {
        self.moves.iter().flat_map(|(chain, found)| found.moved.iter().map(move |moved| (chain.as_str(), moved)))
    }
}

/// Decides, renames, and brings what names the versions up to date.
pub(super) fn run(args: &RenumberArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    let change = decide(args, settings, ui, signals)?;
    if !args.dry_run && change.moved().next().is_some() {
        make(&change)?;
    }
    for note in &change.repointed.notes {
        let hint = note.hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        ui.talk(&format!("note: {}{}", escape::line(&note.to_string()), escape::line(&hint)));
    }
    for (chain, moved) in change.moved() {
        if settings.policy_of(chain).migrations.contains_key(&Key::Version(moved.from)) {
            ui.talk(&format!(
                "note: whimbrel.toml has a policy for version {} of {chain}, which is left as it is",
                moved.from
            ));
        }
    }
    let (json, text) = (|| json(&change, args.dry_run), || text(&change, args.dry_run));
    ui.report(!args.dry_run, json, text)?;
    Ok(Exit::Done)
}

fn decide(args: &RenumberArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Change> {
    let mut folders = settings.chain_folders()?;
    let several = folders.len() > 1;
    let rows = rows(settings, ui, signals)?;
    let now = Timestamp::now().strftime("%Y%m%d%H%M%S").to_string().parse().unwrap_or(0);
    let chosen = chosen(&args.files, &folders, settings)?;
    let mut moves = Vec::new();
    for ChainFolder { chain, .. } in &folders {
        let own = settings.directory_of(chain)?;
        let files: Vec<String> =
            chosen.iter().filter(|(_, owner)| owner == chain).map(|(file, _)| file.clone()).collect();
        let layout = own.find_layout().map_err(whimbrel::Error::from)?;
        if !args.files.is_empty() && files.is_empty() {
            continue;
        }
        if several && !layout.has_renumbering() {
            ui.talk(&format!("note: the chain {} stays as it is: it has the layout of {layout}", escape::line(chain)));
            continue;
        }
        let applied: Vec<Applied> = rows.iter().filter(|row| *row.chain == **chain).cloned().collect();
        let wanted = Renumber { applied: &applied, chosen: &files, now };
        moves.push((chain.clone(), own.renumber(&wanted).map_err(whimbrel::Error::from)?));
    }
    let mut repointed = Repointed::default();
    if moves.iter().any(|(_, found)| !found.moved.is_empty()) {
        for (chain, source) in settings.directories() {
            let mut found = source.repoint(&chain, &moves).map_err(whimbrel::Error::from)?;
            check_edits(&chain, &found.edits, &moves, &rows)?;
            repointed.edits.append(&mut found.edits);
            repointed.notes.append(&mut found.notes);
        }
    }
    let moves_some = |chain: &str| moves.iter().any(|(name, found)| name == chain && !found.moved.is_empty());
    folders.retain(|folder| moves_some(&folder.chain) && folder.folder.join(LOCK_FILE).exists());
    Ok(Change { moves, repointed, locked: folders, several })
}

/// Refuses to change the files of an applied migration: it would no longer be what was applied.
fn check_edits(
    chain: &str,
    edits: &[Edit],
    moves: &[(String, Renumbering)],
    rows: &[Applied],
) -> Result<(), SettingsError> {
    let moved = || moves.iter().flat_map(|(_, found)| &found.moved);
    let stays = |edit: &&Edit| !moved().any(|moved| moved.files.iter().any(|(from, _)| *from == edit.file));
    for edit in edits.iter().filter(stays) {
        let is_its = |row: &&Applied| {
            row.is_live() && *row.chain == *chain && !row.repeatable && Some(row.version) == edit.version
        };
        if let Some(row) = rows.iter().find(is_its) {
            let message = format!(
                "migration {} is applied, and depends on a version that would become another one ({})",
                escape::line(&row.title()),
                shown(&edit.file)
            );
            let hint = "nothing was renamed: apply what it depends on under the version it has, with `whimbrel up \
                        --allow-out-of-order`; or take the applied one back first with `whimbrel down`";
            return Err(SettingsError::new("renumber", message, hint));
        }
    }
    Ok(())
}

/// Finds the chain of each file that was named.
fn chosen(files: &[String], folders: &[ChainFolder], settings: &Settings) -> anyhow::Result<Vec<(String, String)>> {
    let mut chosen = Vec::new();
    for file in files {
        let mut found = Vec::new();
        for ChainFolder { chain, .. } in folders {
            let path = settings.directory_of(chain)?.find_named(file).map_err(whimbrel::Error::from)?;
            found.extend(path.map(|path| (chain, path)));
        }
        // Of files with one name in several chains, the one that is where it was said to be.
        if found.len() > 1 && found.iter().any(|(_, path)| is_in(file, path)) {
            found.retain(|(_, path)| is_in(file, path));
        }
        match (found.as_slice(), folders) {
            ([(chain, _)], _) => chosen.push((file.clone(), (*chain).clone())),
            // The first chain says that it has no such file.
            ([], [first, ..]) => chosen.push((file.clone(), first.chain.clone())),
            (found, _) => {
                let chains: Vec<&str> = found.iter().map(|(chain, _)| chain.as_str()).collect();
                let message = format!("{} is a file of several chains: {}", escape::line(file), chains.join(", "));
                return Err(SettingsError::new("ambiguous-target", message, "say which with --chain").into());
            }
        }
    }
    Ok(chosen)
}

/// Tells whether a file lies in the folder that was written before its name.
fn is_in(written: &str, path: &Path) -> bool {
    let folder = |path: &Path| path.parent().and_then(|folder| fs::canonicalize(folder).ok());
    folder(Path::new(written)).is_some_and(|written| folder(path) == Some(written))
}

/// Returns what is applied; nothing where no database is named, or it is not there yet.
fn rows(settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Vec<Applied>> {
    if let Err(error) = settings.database() {
        ui.talk(&format!("note: {}, so nothing counts as applied", escape::line(&error.message)));
        return Ok(Vec::new());
    }
    missing::mention(settings, ui)?;
    Ok(settings.migrator(Rules::default(), signals.watch(), Arc::new(()))?.applied()?)
}

/// Renames and writes everything, or nothing.
fn make(change: &Change) -> anyhow::Result<()> {
    let renames: Vec<&(PathBuf, PathBuf)> = change.moved().flat_map(|(_, moved)| &moved.files).collect();
    for (_, to) in &renames {
        // What is there may be a folder, or a file that no layout knows.
        if fs::symlink_metadata(to).is_ok() && !renames.iter().any(|(from, _)| from == to) {
            return Err(refused(format!("{} exists already", shown(to))).into());
        }
    }
    let mut undo: Vec<Box<dyn FnOnce()>> = Vec::new();
    let result = apply(&change.repointed.edits, &renames, &mut undo)
        .map_err(anyhow::Error::from)
        .and_then(|()| write_locks(&change.locked, &mut undo));
    if result.is_err() {
        undo.into_iter().rev().for_each(|undo| undo());
    }
    result
}

/// Writes the lock files anew, of the folders as they are by now.
fn write_locks(folders: &[ChainFolder], undo: &mut Vec<Box<dyn FnOnce()>>) -> anyhow::Result<()> {
    for folder in folders {
        let path = folder.folder.join(LOCK_FILE);
        if let Ok(Some(before)) = files::read_text_beside(&path) {
            undo.push(Box::new(move || drop(files::replace(&path, before.as_bytes()))));
        }
        lock::write(folder)?;
    }
    Ok(())
}

fn apply(
    edits: &[Edit],
    renames: &[&(PathBuf, PathBuf)],
    undo: &mut Vec<Box<dyn FnOnce()>>,
) -> Result<(), SettingsError> {
    let failed = |path: &Path, error: std::io::Error| refused(format!("cannot change {}: {error}", shown(path)));
    for Edit { file, text, .. } in edits {
        let before = fs::read(file).map_err(|error| failed(file, error))?;
        let again = file.clone();
        undo.push(Box::new(move || drop(files::replace(&again, &before))));
        files::replace(file, text.as_bytes()).map_err(|error| failed(file, error))?;
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

fn text(change: &Change, dry_run: bool) -> String {
    let moved: Vec<(&str, &Moved)> = change.moved().collect();
    if moved.is_empty() {
        return "Every migration has a version of its own, and none was overtaken.\n".to_owned();
    }
    let mut text = String::new();
    for (chain, Moved { name, from, to, files }) in &moved {
        let chain = if change.several { format!("{}:", escape::line(chain)) } else { String::new() };
        text.push_str(&format!("{chain}{from} {} becomes {to}\n", escape::line(name)));
        for (from, to) in files {
            let name = to.file_name().map(Path::new).unwrap_or(to);
            text.push_str(&format!("  {} -> {}\n", shown(from), shown(name)));
        }
    }
    for edit in &change.repointed.edits {
        text.push_str(&format!("{}: what it depends on\n", shown(&edit.file)));
    }
    for folder in &change.locked {
        text.push_str(&format!("{} is written anew\n", shown(&folder.folder.join(LOCK_FILE))));
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
    chain: String,
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

fn json(change: &Change, dry_run: bool) -> RenumberJson {
    let path = |path: &Path| path.display().to_string();
    let notes = change.repointed.notes.iter();
    RenumberJson {
        schema: schema("renumber"),
        dry_run,
        migrations: change
            .moved()
            .map(|(chain, moved)| MovedJson {
                chain: chain.to_owned(),
                name: moved.name.clone(),
                from: moved.from.to_string(),
                to: moved.to.to_string(),
                files: moved.files.iter().map(|(from, to)| RenamedJson { from: path(from), to: path(to) }).collect(),
            })
            .collect(),
        edited: change.repointed.edits.iter().map(|edit| path(&edit.file)).collect(),
        lock_file: !change.locked.is_empty(),
        notes: notes.map(|note| NoteJson { file: note.file.clone(), message: note.to_string() }).collect(),
    }
}
