//! `whimbrel inspect`: what a component is made of, or a text says, and what it asks for.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use whimbrel::CodeEvents;
use whimbrel::LogLevel;
use whimbrel::db::Signature;
use whimbrel::exec::refusals;
use whimbrel::limits::{Limit, Limits};
use whimbrel::model::{Body, Manifest, Migration, Placement, Policies, Version};
use whimbrel::plan::{Direction, Goal, Plan, Step};
use whimbrel::source::{FileName, Problem, SourceError, lone_file};
use whimbrel::wasm::{self, CompileError, Engine, FunctionsCall, Inspection, RunLimits, Used};

use crate::args::{Globals, InspectArgs};
use crate::commands::files;
use crate::exit::Exit;
use crate::failure::{self, Failure};
use crate::render::inspection::text_file::{self, InspectedText};
use crate::render::inspection::{self, Inspected, Judged};
use crate::settings::Settings;
use crate::signals::Signals;
use crate::ui::Ui;

/// Looks into a file. Runs nothing of it.
pub(super) fn run(args: &InspectArgs, globals: &Globals, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    let ending = args.file.extension().and_then(OsStr::to_str);
    if let Some(ending) = ending.filter(|ending| *ending != "wasm") {
        let settings = Settings::read(globals)?;
        let endings = settings.script_endings();
        if ending == "sql" || endings.iter().any(|known| known == ending) {
            return text(&args.file, endings, &settings, ui);
        }
    }
    component(args, globals, ui, signals)
}

/// Shows what SQL or a script says.
fn text(path: &Path, endings: Vec<String>, settings: &Settings, ui: &Ui) -> anyhow::Result<Exit> {
    // Whether it is there is told as of a component.
    files::read(path)?;
    let migration = lone_file(path, endings).map_err(whimbrel::Error::Source)?;
    let policy = judge(path, migration.clone(), settings);
    let inspected = InspectedText { file: path.display().to_string(), migration, policy };
    ui.result(|| text_file::json(&inspected), || text_file::text(&inspected))?;
    Ok(Exit::Done)
}

/// Shows what there is of a component, also when this host cannot run it.
fn component(args: &InspectArgs, globals: &Globals, ui: &Ui, signals: &Signals) -> anyhow::Result<Exit> {
    let file = args.file.display().to_string();
    let bytes = files::read(&args.file)?;
    let found = match wasm::inspect(&bytes) {
        Ok(found) => found,
        Err(error) => return Ok(ui.fail(&unusable(&file, &CompileError::Inspect(error)))),
    };
    let manifest = manifest(&args.file)?;
    let settings = Settings::read(globals)?;
    let checked = found.check().map_err(CompileError::Inspect);
    let checked = checked.and_then(|()| compiles(&found, &bytes, &settings, signals));
    let problem = checked.err().map(|error| unusable(&file, &error));
    let functions = match (&problem, found.world()) {
        (None, Some("functions")) => functions(&bytes, &settings, signals),
        _ => Ok(Vec::new()),
    };
    let (functions, problem) = match functions {
        Ok(functions) => (functions, problem),
        Err(failure) => (Vec::new(), Some(Failure { message: format!("{file}: {}", failure.message), ..failure })),
    };
    let policy = judge(&args.file, without_code(&args.file, manifest.clone()), &settings);
    let inspected = Inspected { file, inspection: found, functions, manifest, problem, policy };
    ui.result(|| inspection::json(&inspected), || inspection::text(&inspected))?;
    match &inspected.problem {
        None => Ok(Exit::Done),
        Some(_) if ui.json() => Ok(Exit::Failed),
        Some(problem) => Ok(ui.fail(problem)),
    }
}

/// Compiles a component, or finds it in the cache: only then is it known whether its exports have the contract's types. A
/// library is compiled when it is asked what it brings.
fn compiles(found: &Inspection, bytes: &[u8], settings: &Settings, signals: &Signals) -> Result<(), CompileError> {
    let compilation = settings.compilation(signals.watch());
    let engine = match found.world() {
        Some("functions") => return Ok(()),
        Some("script-engine") => Engine::for_scripts(&compilation)?,
        _ => Engine::with(&compilation)?,
    };
    engine.compile(bytes).map(drop)
}

/// Milliseconds in which a library has to say what it brings, which is no work at all.
const LISTING: u64 = 10_000;

/// Asks a library what functions it brings, in the sandbox and within the limits there are by default.
fn functions(bytes: &[u8], settings: &Settings, signals: &Signals) -> Result<Vec<Signature>, Failure> {
    let failed = |error: CompileError| failure::explain_component(&error);
    let interrupt = signals.watch();
    let engine = Engine::for_functions(&settings.compilation(interrupt.clone())).map_err(failed)?;
    let plugin = engine.compile(bytes).map_err(failed)?;
    let limits = RunLimits::decide(None, &Limits::default().with(Limit::Time, LISTING)).unwrap_or_default();
    let call = FunctionsCall { started_at: 0, limits, used: Used::default(), interrupt, events: Arc::new(Deaf) };
    let instance = plugin.functions(&call).map_err(|error| failure::explain_guest(&error))?;
    Ok(instance.functions().iter().map(|function| function.signature().clone()).collect())
}

/// Hears nothing of what a component says while it lists its functions.
struct Deaf;

impl CodeEvents for Deaf {
    fn log(&self, _: LogLevel, _: &str) {}
    fn progress(&self, _: u64, _: Option<u64>) {}
}

fn unusable(file: &str, error: &CompileError) -> Failure {
    let failure = failure::explain_component(error);
    Failure { message: format!("{file}: {}", failure.message), ..failure }
}

/// Makes a migration of a component, for which nothing is compiled.
fn without_code(path: &Path, manifest: Option<Manifest>) -> Migration {
    Migration {
        version: Version::from(0),
        name: String::new(),
        placement: Placement::default(),
        file: path.display().to_string(),
        verify: None,
        asked: Vec::new(),
        manifest: manifest.map(Box::new),
        body: Body::Component { bytes: Cow::Borrowed(&[][..]).into() },
    }
}

/// Holds what a migration asks for against the policy of the chain, if the settings have one and the file is named like one.
fn judge(path: &Path, migration: Migration, settings: &Settings) -> Option<Judged> {
    let chain = settings.chain_of(path).ok()?;
    let policy_file = settings.policy_file(&chain)?;
    let file_name = FileName::parse_with(path.file_name()?.to_str()?, &settings.script_endings());
    let FileName::Part { version, name, .. } = file_name else { return None };
    let migration = Migration { version, name, ..migration };
    let key = migration.key();
    let step =
        Step { direction: Direction::Up, chain: chain.as_str().into(), several: false, migration: Arc::new(migration) };
    let plan = Plan::of(vec![chain.clone()], Goal::LATEST, vec![step]);
    let policy = settings.policy_of(&chain);
    let mut policies = Policies::default();
    policies.set(&chain, policy.clone());
    let refused = refusals(&plan, &policies);
    Some(Judged { file: policy_file.display().to_string(), chain, policy, key, refused })
}

/// Reads the manifest beside a component.
fn manifest(component: &Path) -> anyhow::Result<Option<Manifest>> {
    let path = component.with_extension("toml");
    let file = path.display().to_string();
    let Some(text) = files::read_text_beside(&path)? else { return Ok(None) };
    match Manifest::parse(&file, &text) {
        Ok(manifest) => Ok(Some(manifest)),
        Err(error) => {
            let problems = error.problems.into_iter();
            let problems = problems.map(|wrong| Problem::at(&file, &text, wrong.offset, wrong.message, wrong.hint));
            Err(whimbrel::Error::Source(SourceError { problems: problems.collect(), interrupted: false }).into())
        }
    }
}
