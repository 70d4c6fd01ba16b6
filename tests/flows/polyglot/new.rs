//! `whimbrel new --lang`: each project builds with the command it prints, passes its unit test, and runs.

use std::process::Command;

use xtask::polyglot::Language;

use super::{made, workshop};
use crate::flows::guests::workspace;
use crate::harness::{Outcome, Project, program};

/// Makes a project, builds it as a reader would, runs it, and looks at the notes.
fn works(language: Language, lang: &str) {
    let Some(tools) = made(language, tools(language)) else { return };
    for reversible in [true, false] {
        let project = Project::notes();
        let mut arguments = vec!["new", "trim_notes", "--lang", lang];
        arguments.extend(reversible.then_some("--reversible"));
        let said = project.ok(&arguments);
        build(&project, &said, language, &tools);
        project.ok(&["up"]);
        project.database().execute("UPDATE note SET text = '  ' || text || ' '", []).expect("notes");
        project.database().execute("DELETE FROM _whimbrel_history WHERE version = 3", []).expect("history");
        project.ok(&["up"]);
        assert_eq!(project.number("SELECT count(*) FROM note WHERE text IN ('one', 'two')"), 2, "{language}");
        let down = project.run(&["down"]);
        assert_eq!(down.code == 0, reversible, "{language}: {down}");
        let inspected = project.ok(&["inspect", "migrations/0003_trim_notes.wasm"]);
        assert!(!inspected.stdout.contains("wasi:"), "{inspected}");
        if !matches!(language, Language::C | Language::JavaScript) {
            return;
        }
    }
}

/// Builds a project with the command that `new` printed.
pub(super) fn build(project: &Project, said: &Outcome, language: Language, tools: &Surroundings) {
    let build = said.stdout.lines().find_map(|line| line.strip_prefix("  sh ")).expect("a command");
    let mut shell = Command::new("sh");
    shell.arg(build).current_dir(project.path(".")).env("WHIMBREL", program());
    if let Some(modules) = &tools.modules {
        std::os::unix::fs::symlink(modules, project.path("guests/trim_notes/node_modules")).expect("a link");
    }
    for (name, value) in &tools.environment {
        shell.env(name, value);
    }
    let built = shell.output().expect("sh runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(built.status.success(), "{language}: {}{}", text(&built.stdout), text(&built.stderr));
}

/// What a build takes from here and not from the network.
pub(super) struct Surroundings {
    environment: Vec<(&'static str, String)>,
    modules: Option<std::path::PathBuf>,
}

pub(super) fn tools(language: Language) -> anyhow::Result<Result<Surroundings, xtask::polyglot::Absent>> {
    let target = workspace().join("target/polyglot");
    let shown = |name: &str| target.join(name).display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut found = Surroundings { environment: Vec::new(), modules: None };
    let tools = workshop().tools();
    match language {
        Language::Rust => {
            found.environment.push(("CARGO_TARGET_DIR", shown("new-rust")));
            found.environment.push(("CARGO_NET_OFFLINE", "true".to_owned()));
        }
        Language::C | Language::Zig | Language::Go | Language::Python => match tools.python() {
            Err(absent) => return Ok(Err(absent)),
            Ok(environment) => {
                let python = environment.join("bin/python").display().to_string();
                found.environment.push(("ZIG", format!("{python} -m ziglang")));
                found.environment.push(("PYTHON", python));
                found.environment.push(("PATH", format!("{}:{path}", environment.join("bin").display())));
                found.environment.push(("GOCACHE", shown("go-cache")));
                found.environment.push(("GOPROXY", "off".to_owned()));
                found.environment.push(("GOTOOLCHAIN", "local".to_owned()));
                found.environment.push(("ZIG_GLOBAL_CACHE_DIR", shown("zig-global")));
                found.environment.push(("ZIG_LOCAL_CACHE_DIR", shown("zig-local")));
            }
        },
        Language::JavaScript | Language::TypeScript | Language::AssemblyScript => match tools.npm() {
            Err(absent) => return Ok(Err(absent)),
            Ok(folder) => found.modules = Some(folder.join("node_modules")),
        },
    }
    Ok(Ok(found))
}

macro_rules! projects {
    ($($name:ident: $language:ident, $lang:literal;)+) => {$(
        #[test]
        fn $name() {
            works(Language::$language, $lang);
        }
    )+};
}

projects! {
    a_project_in_rust_works: Rust, "rust";
    a_project_in_c_works: C, "c";
    a_project_in_go_works: Go, "go";
    a_project_in_javascript_works: JavaScript, "js";
    a_project_in_typescript_works: TypeScript, "ts";
    a_project_in_python_works: Python, "python";
    a_project_in_zig_works: Zig, "zig";
    a_project_in_assemblyscript_works: AssemblyScript, "assemblyscript";
}
