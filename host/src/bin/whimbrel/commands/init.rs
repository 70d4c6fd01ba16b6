//! `whimbrel init`: a folder for migrations, `whimbrel.toml` and a first migration.

use std::path::{Path, PathBuf};

use serde::Serialize;
use whimbrel::source::FileName;

use crate::args::{Globals, InitArgs};
use crate::commands::files::{self, MadeFile, Making, NewFile};
use crate::exit::Exit;
use crate::render::json::schema;
use crate::settings::{CONFIG_FILE, check_database, typed_folder};
use crate::ui::Ui;

const FIRST: &str = "0001_create_note.sql";

const FIRST_CONTENTS: &str = "\
-- whimbrel: description = A first table, to be replaced by yours.
CREATE TABLE note (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL
);
";

#[derive(Serialize)]
struct InitJson<'a> {
    schema: String,
    dry_run: bool,
    files: &'a [MadeFile],
    next: &'a str,
}

/// Makes the files of a new project.
pub(super) fn run(args: &InitArgs, globals: &Globals, ui: &Ui) -> anyhow::Result<Exit> {
    let database = globals.database.as_deref().unwrap_or("sqlite:app.db");
    check_database(database)?;
    let dir = typed_folder(globals)?;
    let config = globals.config.clone().unwrap_or_else(|| PathBuf::from(CONFIG_FILE));
    let mut new = vec![NewFile { path: config.clone(), contents: settings(database, &dir, &config) }];
    if !has_migrations(&dir) || args.force && dir.join(FIRST).exists() {
        new.push(NewFile { path: dir.join(FIRST), contents: FIRST_CONTENTS.to_owned() });
    }
    let (made, _) = files::make(&new, Making { force: args.force, dry_run: args.dry_run })?;
    let next = match &globals.config {
        None => "whimbrel up".to_owned(),
        Some(config) => format!("whimbrel up --config {}", config.display()),
    };
    let json = || InitJson { schema: schema("init"), dry_run: args.dry_run, files: &made, next: &next };
    let text = || text(&made, args.dry_run, &next);
    ui.report(!args.dry_run, json, text)?;
    Ok(Exit::Done)
}

/// Tells whether the folder has a migration already, which then is the first.
fn has_migrations(dir: &Path) -> bool {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.any(|name| matches!(FileName::parse(&name), FileName::Part { .. }))
}

/// Writes `whimbrel.toml`; its paths are relative to itself, those typed are relative to the current folder.
fn settings(database: &str, dir: &Path, config: &Path) -> String {
    let outside = config.parent().is_some_and(|parent| !parent.as_os_str().is_empty());
    let path = |path: &Path| match outside && path.is_relative() {
        true => std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
        false => path.to_owned(),
    };
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    format!(
        "# Settings of whimbrel. Paths are relative to this file; the command line, DATABASE_URL and .env come first.\n\
         database = {}\n\
         dir = {}\n\
         # lock_timeout = \"60s\"\n\
         # foreign_keys = true\n\
         # chain = \"main\"\n\
         # history_table = \"_whimbrel_history\"\n",
        quoted(database),
        quoted(&path(dir).display().to_string())
    )
}

fn text(made: &[MadeFile], dry_run: bool, next: &str) -> String {
    let mut text: String = made.iter().map(|file| file.line(dry_run) + "\n").collect();
    if dry_run {
        text.push_str("It was a dry run: nothing was made.\n");
    } else {
        text.push_str(&format!("Next: write your first migration, then run `{next}`.\n"));
    }
    text
}
