//! Components that are too large or too slow to compile, and the process of its own in which they are.

use std::path::Path;
use std::time::{Duration, Instant};

use whimbrel::Interrupt;
use whimbrel::limits::{Limit, Limits, RunLimits};
use whimbrel::wasm::{Compilation, CompileError, CompileIsolation, CompilerProgram, ComponentCache, Engine};

use super::wat::{component, own_cache, slow};
use crate::harness::{self, Project};

fn isolated(cache: ComponentCache) -> Compilation {
    let program = harness::program().to_owned();
    let isolation = CompileIsolation::Child(CompilerProgram { program, arguments: vec!["__compile".into()] });
    Compilation { cache, isolation, interrupt: Interrupt::new() }
}

fn within(limit: Limit, amount: u64) -> RunLimits {
    RunLimits::decide(None, &Limits::default().with(limit, amount)).unwrap()
}

fn files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries.map(|entry| entry.unwrap().path()).map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}

#[test]
fn a_component_that_is_too_large_is_not_even_looked_at() {
    let engine = Engine::new(&ComponentCache::Off).unwrap();
    let error = engine.compile_within(&[0; 100], &within(Limit::ComponentSize, 99)).err().unwrap();
    assert_eq!(error.to_string(), "the component reached the component_size limit of 99 bytes");
}

#[test]
fn a_component_that_is_not_valid_is_not_compiled() {
    let good = component("", "");
    // Somewhere in the code, behind what inspection reads.
    let at = good.windows(4).position(|window| window == [0x23, 0x00, 0x23, 0x00]).expect("two of global.get");
    let mut bad = good;
    bad[at] = 0xff;
    let folder = tempfile::tempdir().unwrap();
    for compilation in [isolated(own_cache(&folder)), Compilation::default()] {
        let error = Engine::with(&compilation).unwrap().compile(&bad).err().unwrap();
        assert!(matches!(error, CompileError::Invalid { .. }), "{error}");
    }
    assert_eq!(files(folder.path()), 0, "nothing was compiled");
}

#[test]
fn compiles_in_a_process_of_its_own_once() {
    let folder = tempfile::tempdir().unwrap();
    let compilation = isolated(own_cache(&folder));
    let guest = component("", "");
    Engine::with(&compilation).unwrap().compile(&guest).unwrap();
    assert_eq!(files(folder.path()), 1, "the process of its own kept it, and nobody else");
    // From now on it is loaded without any other process: there is none to start.
    let nobody = CompilerProgram { program: "/nowhere/whimbrel".into(), arguments: Vec::new() };
    let alone = Compilation { isolation: CompileIsolation::Child(nobody), ..compilation };
    Engine::with(&alone).unwrap().compile(&guest).unwrap();
    let other = component("(drop (i32.const 5))", "");
    let error = Engine::with(&alone).unwrap().compile(&other).err().unwrap();
    assert!(matches!(error, CompileError::Child { .. }), "{error}");
    assert!(error.to_string().contains("/nowhere/whimbrel: it does not start"), "{error}");
}

#[test]
fn works_without_a_cache() {
    Engine::with(&isolated(ComponentCache::Off)).unwrap().compile(&component("", "")).unwrap();
}

#[test]
fn a_component_that_takes_too_long_to_compile_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let slow = slow(150_000);
    let engine = Engine::with(&isolated(own_cache(&folder))).unwrap();
    let began = Instant::now();
    let error = engine.compile_within(&slow, &within(Limit::CompileTime, 1_000)).err().unwrap();
    assert_eq!(error.to_string(), "the component reached the compile_time limit of 1s");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!(files(folder.path()), 0, "nothing is left of it");
    engine.compile(&component("", "")).unwrap();
}

#[test]
fn a_component_that_takes_too_much_memory_to_compile_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::with(&isolated(own_cache(&folder))).unwrap();
    let error = engine.compile_within(&slow(50_000), &within(Limit::CompileMemory, 40 << 20)).err().unwrap();
    assert_eq!(error.to_string(), "the component reached the compile_memory limit of 40 MiB");
}

#[test]
fn the_program_says_how_to_give_more() {
    let project = Project::with(&[
        ("0001_note.sql", "CREATE TABLE note (text TEXT);"),
        ("0002_slow.toml", "[limits]\ncompile_time = \"1s\"\n"),
    ]);
    project.write("migrations/0002_slow.wasm", slow(150_000));
    let outcome = project.run(&["up"]);
    assert_eq!(outcome.code, 1, "{outcome}");
    let expected = "  caused by: the component reached the compile_time limit of 1s\n\
                    hint: let it do less, or raise `compile_time` under [limits] in the migration's manifest\n";
    assert!(outcome.stderr.ends_with(expected), "{outcome}");
    assert!(!project.path("app.db").exists(), "nothing was begun");
}

#[test]
fn an_interrupt_stops_the_compilation() {
    let compilation = isolated(ComponentCache::Off);
    let interrupt = compilation.interrupt.clone();
    let raiser = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        interrupt.raise();
    });
    let began = Instant::now();
    let error = Engine::with(&compilation).unwrap().compile(&slow(150_000)).err().unwrap();
    assert!(matches!(error, CompileError::Interrupted), "{error}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    raiser.join().unwrap();
}

#[test]
fn a_program_that_is_no_compiler_is_told_from_a_bad_component() {
    let program = CompilerProgram { program: "/bin/true".into(), arguments: Vec::new() };
    let isolation = CompileIsolation::Child(program);
    let compilation = Compilation { cache: ComponentCache::Off, isolation, interrupt: Interrupt::new() };
    let error = Engine::with(&compilation).unwrap().compile(&component("", "")).err().unwrap();
    assert!(matches!(error, CompileError::Child { .. }), "{error}");
}
