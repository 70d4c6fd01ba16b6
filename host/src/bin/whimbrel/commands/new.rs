//! `whimbrel new`: the files of a new migration.

mod lang;
mod script;
mod version;

use std::path::Path;

use serde::Serialize;
use whimbrel::source::{Layout, check_name};

use crate::args::{NewArgs, NewKind, NewLang};
use crate::commands::files::{self, Made, MadeFile, Making, NewFile};
use crate::commands::lock;
use crate::exit::Exit;
use crate::render::json::schema;
use crate::settings::{ChainFolder, Settings, SettingsError};
use crate::signals::Signals;
use crate::ui::Ui;
use script::Language;

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
pub(super) fn run(args: &NewArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    let name = name(&args.name)?;
    let ChainFolder { chain, folder: dir, .. } = chain(settings)?;
    let folders = settings.directory_of(&chain)?;
    let named = settings.layout_of(&chain);
    let (layout, mut written) = version::existing(&folders, named)?;
    // A tool that has made pairs leaves out what is none.
    let may_be_of_another = named == Layout::Auto && layout == Layout::Whimbrel && !written.is_empty();
    let reversible = args.reversible || may_be_of_another && folders.has_pairs()?;
    if !settings.has_several_chains() {
        // Of several chains nobody knows for which one a guest is that is not built yet.
        written.extend(version::of_guests(&dir)?);
    }
    let version = version::next(layout, &written, args.timestamp)?;
    let stem = layout.stem(&version, &name);
    let draft = match (args.lang, args.kind) {
        (Some(lang), _) => lang::draft(&dir, &stem, &name, lang, args.reversible),
        (None, NewKind::Sql) => sql(&dir, layout, &version, &name, reversible)?,
        (None, NewKind::Rust) => lang::draft(&dir, &stem, &name, NewLang::Rust, args.reversible),
        (None, NewKind::Js) => script::draft(&dir, &stem, &name, args.reversible, Language::JavaScript),
        (None, NewKind::Ts) => script::draft(&dir, &stem, &name, args.reversible, Language::TypeScript),
        (None, NewKind::Py) => script::draft(&dir, &stem, &name, args.reversible, Language::Python),
    };
    let (made, created) = files::make(&draft.files, Making { force: false, dry_run: false })?;
    let finish = || {
        if let Some(file) = made.iter().find(|file| file.done == Made::Kept) {
            anyhow::bail!("{} exists already and was not touched", file.path);
        }
        if let (None, NewKind::Js | NewKind::Ts | NewKind::Py) = (args.lang, args.kind) {
            settings.check_script(&draft.files[0].path, signals.watch())?;
        }
        lock::add(&dir, &version, &name)
    };
    if let Err(refused) = finish() {
        created.undo();
        return Err(refused);
    }
    let kind = match (args.lang, args.kind) {
        (Some(lang), _) => lang.name(),
        (None, NewKind::Sql) => "sql",
        (None, NewKind::Rust) => "rust",
        (None, NewKind::Js) => "js",
        (None, NewKind::Ts) => "ts",
        (None, NewKind::Py) => "py",
    };
    let json =
        || NewJson { schema: schema("new"), version: &version, name: &name, kind, files: &made, next: &draft.next };
    ui.report(true, json, || text(&made, &draft.next))?;
    Ok(Exit::Done)
}

/// Returns the chain that gets the migration: the one that was named, else the default one, else the only one.
fn chain(settings: &Settings) -> anyhow::Result<ChainFolder> {
    let mut folders = settings.chain_folders()?;
    let place = folders.iter().position(|folder| folder.chain == settings.chain());
    match (place, folders.len()) {
        (Some(place), _) => Ok(folders.swap_remove(place)),
        (None, 1) => Ok(folders.swap_remove(0)),
        (None, _) => {
            let chains: Vec<&str> = folders.iter().map(|folder| folder.chain.as_str()).collect();
            let message = format!("the migration can be one of several chains: {}", chains.join(", "));
            Err(SettingsError::new("ambiguous-target", message, "say which with --chain").into())
        }
    }
}

/// Makes a name of what was typed: `add email` is `add_email`.
fn name(typed: &str) -> Result<String, SettingsError> {
    let name = typed.trim().replace([' ', '.'], "_");
    match check_name(&name) {
        Ok(()) => Ok(name),
        Err(_) if name.is_empty() => {
            Err(SettingsError::new("usage", "the name is empty", "say what it does: `whimbrel new add_email`"))
        }
        Err(message) => Err(SettingsError { code: "usage", message, hint: None, place: None }),
    }
}

fn sql(dir: &Path, layout: Layout, version: &str, name: &str, reversible: bool) -> Result<Draft, SettingsError> {
    let Some(scripts) = layout.draft(version, name, reversible) else {
        let message = format!("migrations in the layout of {layout} have no way down");
        return Err(SettingsError::new("usage", message, "leave out --reversible"));
    };
    let files: Vec<NewFile> =
        scripts.into_iter().map(|script| NewFile { path: dir.join(script.path), contents: script.contents }).collect();
    let write = files.iter().map(|file| format!("write the SQL into {}", file.path.display()));
    let sum = (layout == Layout::Atlas).then(|| "atlas migrate hash".to_owned());
    let next = write.chain(sum).chain(["whimbrel up".to_owned()]).collect();
    Ok(Draft { files, next })
}

fn text(made: &[MadeFile], next: &[String]) -> String {
    let mut text: String = made.iter().map(|file| file.line(false) + "\n").collect();
    text.push_str("Next:\n");
    text.extend(next.iter().map(|step| format!("  {step}\n")));
    text
}
