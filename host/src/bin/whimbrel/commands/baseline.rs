//! `whimbrel baseline` and `whimbrel squash`: beginning in the middle.

use std::sync::Arc;

use serde::Serialize;
use whimbrel::plan::Rules;
use whimbrel::source::check_name;

use crate::args::{BaselineArgs, SquashArgs};
use crate::commands::confirm::{Danger, Question};
use crate::commands::files::{self, Made, MadeFile, Making, NewFile};
use crate::escape;
use crate::exit::Exit;
use crate::render::amount;
use crate::render::json::schema;
use crate::settings::{Settings, SettingsError};
use crate::signals::Signals;
use crate::ui::Ui;

#[derive(Serialize)]
struct BaselineJson {
    schema: String,
    dry_run: bool,
    chain: String,
    version: String,
    name: String,
}

/// Declares that the database has everything up to a version.
pub(super) fn run(args: &BaselineArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    let migrator = settings.migrator(Rules::default(), signals.watch(), Arc::new(()))?;
    let version = args.version.version;
    let is_unknown = !migrator.is_known(version)?;
    // What would be refused is refused before anybody is asked.
    let mut row = migrator.plan_baseline(version)?;
    if !args.dry_run {
        if let Some(question) = Question::of("baseline", Danger::Some, args.yes, settings)? {
            let about = || Ok(format!("This declares version {version} applied without running anything."));
            question.ask(ui, signals, about)?;
        }
        row = migrator.baseline(version)?;
    }
    if is_unknown {
        ui.talk(&format!("note: no migration of the chain has version {version}"));
    }
    let json = || BaselineJson {
        schema: schema("baseline"),
        dry_run: args.dry_run,
        chain: row.chain.to_string(),
        version: row.version.to_string(),
        name: row.name.clone(),
    };
    let (title, chain) = (row.title(), row.chain.clone());
    let (title, chain) = (escape::line(&title), escape::line(&chain));
    let text = || match args.dry_run {
        true => format!("The history would say that chain {chain} begins after {title}. Nothing was written.\n"),
        false => format!("Declared: chain {chain} begins after {title}; nothing was run.\n"),
    };
    ui.report(!args.dry_run, json, text)?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct SquashJson {
    schema: String,
    dry_run: bool,
    chain: String,
    version: String,
    file: String,
    configuration: Option<String>,
    script: String,
    tables_with_rows: Vec<TableJson>,
}

#[derive(Serialize)]
struct TableJson {
    table: String,
    rows: u64,
}

/// Writes the baseline.
pub(super) fn squash(args: &SquashArgs, settings: &Settings, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    if let Err(message) = check_name(&args.name) {
        return Err(SettingsError { code: "usage", message, hint: None, place: None }.into());
    }
    let squashed = settings.migrator(Rules::default(), signals.watch(), Arc::new(()))?.squash()?;
    let layout = settings.directory_of(&squashed.chain)?.find_layout()?;
    let Some(file_name) = layout.baseline(squashed.version, &args.name) else {
        let message = format!("the layout of {layout} has no baselines");
        return Err(SettingsError::new("usage", message, "only those of whimbrel and flyway have some").into());
    };
    let folder = settings.folder_of(&squashed.chain)?;
    let configuration = layout.without_placeholders(&file_name).filter(|_| squashed.has_marks);
    let shown = |name: &str| folder.join(name).display().to_string();
    let file = shown(&file_name);
    let beside = configuration.as_ref().map(|(name, _)| shown(name));
    if !args.dry_run {
        let baseline = NewFile { path: folder.join(&file_name), contents: squashed.script.clone() };
        let configuration = configuration.map(|(name, contents)| NewFile { path: folder.join(name), contents });
        let new: Vec<NewFile> = [Some(baseline), configuration].into_iter().flatten().collect();
        let (made, created) = files::make(&new, Making { force: false, dry_run: false })?;
        if let Some(MadeFile { path, .. }) = made.iter().find(|file| file.done == Made::Kept) {
            created.undo();
            anyhow::bail!("{path} exists already and was not touched");
        }
    }
    for (table, rows) in &squashed.rows {
        let rows = amount::count(usize::try_from(*rows).unwrap_or(usize::MAX), "row", "rows");
        ui.talk(&format!("note: {} has {rows}, which the baseline does not bring", escape::line(table)));
    }
    let rows = squashed.rows.iter().map(|(table, rows)| TableJson { table: table.clone(), rows: *rows });
    let json = || SquashJson {
        schema: schema("squash"),
        dry_run: args.dry_run,
        chain: squashed.chain.clone(),
        version: squashed.version.to_string(),
        file: file.clone(),
        configuration: beside.clone(),
        script: squashed.script.clone(),
        tables_with_rows: rows.collect(),
    };
    let text = || match args.dry_run {
        true => escape::lines(&squashed.script).into_owned(),
        false => format!(
            "Wrote {}{}: new databases start from it, and this one ignores it.\n\
             What it has in it can be removed once every database is at version {}.\n",
            escape::line(&file),
            beside.as_deref().map_or_else(String::new, |beside| format!(" and {}", escape::line(beside))),
            squashed.version
        ),
    };
    ui.report(!args.dry_run, json, text)?;
    Ok(Exit::Done)
}
