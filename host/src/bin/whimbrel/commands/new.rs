//! `whimbrel new`: the files of a new migration.

mod rust;
mod version;

use std::path::Path;

use serde::Serialize;
use whimbrel::source::check_name;

use crate::args::{NewArgs, NewKind};
use crate::commands::files::{self, Made, MadeFile, Making, NewFile};
use crate::exit::Exit;
use crate::render::json::schema;
use crate::settings::{Settings, SettingsError};
use crate::ui::Ui;

#[derive(Serialize)]
struct NewJson<'a> {
    schema: String,
    version: &'a str,
    name: &'a str,
    kind: &'static str,
    files: &'a [MadeFile],
    next: &'a [String],
}

/// What is to be made, and what the author does then.
struct Draft {
    files: Vec<NewFile>,
    next: Vec<String>,
}

/// Makes the files of a new migration.
pub(super) fn run(args: &NewArgs, settings: &Settings, ui: &Ui) -> anyhow::Result<Exit> {
    let name = name(&args.name)?;
    let version = version::next(&settings.dir, args.timestamp)?;
    let draft = match args.kind {
        NewKind::Sql => sql(&settings.dir, &version, &name, args.reversible),
        NewKind::Rust => rust::draft(&settings.dir, &version, &name, args.reversible),
    };
    let made = files::make(&draft.files, Making { force: false, dry_run: false })?;
    if let Some(file) = made.iter().find(|file| file.done == Made::Kept) {
        anyhow::bail!("{} exists already and was not touched", file.path);
    }
    let kind = match args.kind {
        NewKind::Sql => "sql",
        NewKind::Rust => "rust",
    };
    let json = || NewJson {
        schema: schema("new"),
        version: &version,
        name: &name,
        kind,
        files: &made,
        next: &draft.next,
    };
    ui.result(json, || text(&made, &draft.next))?;
    Ok(Exit::Done)
}

/// Makes a name of what was typed: `add email` is `add_email`.
fn name(typed: &str) -> Result<String, SettingsError> {
    let name = typed.trim().replace([' ', '.'], "_");
    match check_name(&name) {
        Ok(()) => Ok(name),
        Err(_) if name.is_empty() => {
            Err(SettingsError::new("usage", "the name is empty", "say what it does: `whimbrel new add_email`"))
        }
        Err(reason) => Err(SettingsError::new("usage", reason, "use letters, digits, `_` and `-`")),
    }
}

fn sql(dir: &Path, version: &str, name: &str, reversible: bool) -> Draft {
    let words = name.replace(['_', '-'], " ");
    let file = |ending: &str, comment: String| NewFile {
        path: dir.join(format!("{version}_{name}{ending}")),
        contents: format!("-- {comment}\n"),
    };
    let up = format!("whimbrel: description = {words}");
    let files = if reversible {
        vec![file(".up.sql", up), file(".down.sql", format!("Undoes: {words}"))]
    } else {
        vec![file(".sql", up)]
    };
    Draft { files, next: vec!["write the SQL".to_owned(), "whimbrel up".to_owned()] }
}

fn text(made: &[MadeFile], next: &[String]) -> String {
    let mut text: String = made.iter().map(|file| file.line(false) + "\n").collect();
    text.push_str("Next:\n");
    text.extend(next.iter().map(|step| format!("  {step}\n")));
    text
}
