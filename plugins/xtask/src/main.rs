//! The project's chores: `cargo xtask plugins` builds the Rust plugins.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use xtask::engines::{self, ENGINES};
use xtask::plugins::{self, Built, Comparison, PLUGINS};
use xtask::polyglot::{Absent, Form, Language, Workshop};
use xtask::toolchain::{TARGET, Toolchain, workspace_root};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's chores")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Builds the plugins and the script engines as components into target/components
    Plugins(Plugins),
    /// Builds the sample that there is in every language into target/polyglot/samples
    Polyglot(Polyglot),
    /// Applies the sample chain to target/sample/app.db and shows the result
    Sample,
    /// Runs all tests, after adding the Wasm target
    Test {
        /// Given to `cargo test`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

#[derive(Args)]
struct Plugins {
    /// Compares them with the components of the sample chain and the engines that the program carries
    #[arg(long)]
    check: bool,
    /// Makes them the components of the sample chain and the engines that the program carries
    #[arg(long, conflicts_with = "check")]
    update: bool,
    /// Builds the script engines only
    #[arg(long)]
    engines: bool,
}

#[derive(Args)]
struct Polyglot {
    /// Fails when a language's tools are absent
    #[arg(long)]
    all: bool,
    /// Runs the unit tests of the SDKs and the samples too
    #[arg(long)]
    test: bool,
}

fn main() -> Result<ExitCode> {
    match Arguments::parse().chore {
        Chore::Plugins(arguments) => build_plugins(&arguments),
        Chore::Polyglot(arguments) => build_polyglot(&arguments),
        Chore::Sample => xtask::sample::run(&workspace()?).map(|()| ExitCode::SUCCESS),
        Chore::Test { arguments } => xtask::tests::run(&workspace()?, &arguments).map(|()| ExitCode::SUCCESS),
    }
}

fn workspace() -> Result<PathBuf> {
    workspace_root(&env::current_dir()?.join("Cargo.toml"))
        .or_else(|_| workspace_root(&Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")))
}

fn build_plugins(arguments: &Plugins) -> Result<ExitCode> {
    let workspace = workspace()?;
    let toolchain = Toolchain::detect()?;
    if toolchain.add_target()? {
        eprintln!("Added the target {TARGET}.");
    }
    let mut engines = Vec::new();
    for engine in ENGINES {
        let built = engines::build(&workspace, *engine).with_context(|| format!("engine {}", engine.name))?;
        println!("{:<16} {:>8} bytes  sha256 {}", engine.name, built.bytes.len(), built.digest());
        engines.push(built);
    }
    let mut all = Vec::new();
    for plugin in PLUGINS.iter().filter(|_| !arguments.engines) {
        let built = plugins::build(&workspace, *plugin).with_context(|| format!("plugin {}", plugin.name))?;
        println!("{:<16} {:>8} bytes  sha256 {}", plugin.name, built.bytes.len(), built.digest());
        all.push(built);
    }
    if arguments.update {
        engines::update(&workspace, &engines, &toolchain)?;
        if !arguments.engines {
            plugins::update(&workspace, &all, &toolchain)?;
        }
        eprintln!("Updated what is committed, compiled by {}.", toolchain.version);
    }
    if arguments.check && !(check(&workspace, &all, &toolchain)? & check_engines(&workspace, &engines, &toolchain)?) {
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Tells whether every committed engine is what its source gives, as far as that can be known.
fn check_engines(workspace: &Path, all: &[engines::Built], toolchain: &Toolchain) -> Result<bool> {
    let mut good = true;
    for built in all {
        let name = built.engine.file;
        match engines::compare(workspace, built, toolchain)? {
            engines::Comparison::Same => eprintln!("{name}.wasm.zst is what its source gives."),
            engines::Comparison::OtherTools(recorded) => {
                eprintln!("{name}.wasm.zst is not compared: it was made by other tools ({recorded}).");
            }
            engines::Comparison::Different => {
                eprintln!(
                    "error: {name}.wasm.zst is not what its source gives\nhint: run `cargo xtask plugins --engines --update`"
                );
                good = false;
            }
        }
    }
    Ok(good)
}

/// Tells whether every committed component is what its source gives, as far as that can be known.
fn check(workspace: &Path, all: &[Built], toolchain: &Toolchain) -> Result<bool> {
    let mut good = true;
    for built in all {
        let name = built.plugin.migration;
        match plugins::compare(workspace, built, toolchain)? {
            Comparison::Same => eprintln!("{name}.wasm is what its source gives."),
            Comparison::OtherCompiler(recorded) => {
                eprintln!("{name}.wasm is not compared: it was made by {recorded}, this is {}.", toolchain.version);
            }
            Comparison::Missing => {
                eprintln!("error: {name}.wasm is missing\nhint: run `cargo xtask plugins --update`");
                good = false;
            }
            Comparison::Different => {
                eprintln!("error: {name}.wasm is not what its source gives\nhint: run `cargo xtask plugins --update`");
                good = false;
            }
        }
    }
    Ok(good)
}

/// Builds the samples of all languages whose tools are there or can be installed, and names the others.
fn build_polyglot(arguments: &Polyglot) -> Result<ExitCode> {
    let workshop = Workshop::open(&workspace()?);
    let mut skipped = false;
    for language in Language::ALL {
        if let Err(absent) = build_language(&workshop, language, arguments.test)? {
            println!("{language:<16} skipped: {absent}");
            skipped = true;
        }
    }
    Ok(if skipped && arguments.all { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn build_language(workshop: &Workshop, language: Language, test: bool) -> Result<Result<(), Absent>> {
    for form in Form::ALL {
        match workshop.sample(language, form).with_context(|| format!("{language}, {}", form.name()))? {
            Ok(sample) => println!("{language:<16} {:<10} {:>9} bytes", form.name(), sample.bytes.len()),
            Err(absent) => return Ok(Err(absent)),
        }
    }
    if test && let Err(absent) = workshop.unit_tests(language).with_context(|| format!("{language}, unit tests"))? {
        return Ok(Err(absent));
    }
    Ok(Ok(()))
}
