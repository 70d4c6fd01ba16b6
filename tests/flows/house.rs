//! Dependencies run downward: the order in which modules may name each other.

use std::path::{Path, PathBuf};

use super::guests::workspace;

/// Each module may name those in lines above its own.
const FLOORS: [&[&str]; 12] = [
    &["interrupt", "limits", "log_level", "sql", "grants"],
    &["code_events"],
    &["db"],
    &["model"],
    &["lock"],
    &["source", "history", "plan", "transform", "wasm"],
    &["engines"],
    &["exec"],
    &["error"],
    &["migrator"],
    &["testing"],
    &["lib"],
];

fn floor(module: &str) -> usize {
    FLOORS.iter().position(|floor| floor.contains(&module)).unwrap_or_else(|| panic!("{module} has no floor"))
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().unwrap() != "bin" {
                files(&path, into);
            }
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push(path);
        }
    }
}

#[test]
fn modules_name_only_what_is_below_them() {
    let root = workspace().join("host/src");
    let mut sources = Vec::new();
    files(&root, &mut sources);
    let mut wrong = Vec::new();
    for source in &sources {
        let path = source.strip_prefix(&root).unwrap();
        let module = path.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
        let text = std::fs::read_to_string(source).unwrap();
        // What stands in tests may look anywhere.
        if path.ends_with("tests.rs") {
            continue;
        }
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for mention in code.split("crate::").skip(1) {
            let named: String = mention.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let is_module = FLOORS.iter().any(|floor| floor.contains(&named.as_str()));
            if is_module && named != module && floor(&named) >= floor(module) {
                wrong.push(format!("{} names {named}", path.display()));
            }
        }
    }
    assert!(sources.len() > 50 && wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn seven_files_alone_are_excepted_from_the_ban_on_unsafe_code() {
    let root = workspace().join("host/src");
    let mut sources = Vec::new();
    files(&root, &mut sources);
    let text = |path: &PathBuf| std::fs::read_to_string(path).unwrap();
    let mut excepted: Vec<_> = sources.iter().filter(|path| text(path).contains("allow(unsafe_code")).collect();
    excepted.sort();
    let known = [
        "db/sqlite/asking.rs",
        "db/sqlite/bulk/source.rs",
        "db/sqlite/heap.rs",
        "db/sqlite/planner.rs",
        "db/sqlite/raw_function.rs",
        "db/sqlite/raw_statement.rs",
        "wasm/compile/mapped.rs",
    ];
    assert_eq!(excepted, known.map(|file| root.join(file)).iter().collect::<Vec<_>>());
    assert!(text(&root.join("lib.rs")).contains("#![deny(unsafe_code)]"));
}
