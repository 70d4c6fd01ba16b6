//! Every word that an error has for programs is documented, and no other is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Words in `failure/` that are no codes: verbs, outcomes, endings of files, words of engines and of guests, keys.
const OTHERS: [&str; 24] = [
    "accept",
    "applied",
    "commit",
    "db",
    "forget",
    "grant",
    "import",
    "js",
    "mark-applied",
    "mark-failed",
    "memory",
    "missing-export",
    "mjs",
    "mts",
    "py",
    "restart",
    "revert",
    "reverted",
    "row",
    "stack",
    "ts",
    "unreachable",
    "unsettled",
    "unsupported",
];

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are in the workspace")
}

/// Returns the texts of all files of Rust below a folder, with their paths.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            found.append(&mut sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).expect("text");
            let code = text.split("#[cfg(test)]\nmod tests {").next().expect("the first part").to_owned();
            found.push((path, code));
        }
    }
    found
}

/// Returns the words between two of these marks, each with what stands before it.
fn words(text: &str, mark: char) -> impl Iterator<Item = (&str, &str)> {
    let is_word =
        |word: &str| word.split('-').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase()));
    text.match_indices(mark).filter_map(move |(at, _)| {
        let (word, _) = text[at + 1..].split_once(mark)?;
        is_word(word).then(|| (text[..at].trim_end(), word))
    })
}

/// Tells by what stands before it whether a word is a code.
fn is_code(before: &str) -> bool {
    let is_of_failure = before
        .strip_suffix(',')
        .and_then(|before| before.rsplit_once("Failure::new(Exit::"))
        .is_some_and(|(_, exit)| exit.bytes().all(|byte| byte.is_ascii_alphabetic()));
    is_of_failure || before.ends_with("code:") || before.ends_with("SettingsError::new(")
}

fn in_source() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (path, text) in sources(&workspace().join("host/src/bin/whimbrel")) {
        let all = path.components().any(|part| part.as_os_str() == "failure");
        let codes =
            words(&text, '"').filter(|(before, word)| if all { !OTHERS.contains(word) } else { is_code(before) });
        found.extend(codes.map(|(_, word)| word.to_owned()));
    }
    let database = std::fs::read_to_string(workspace().join("host/src/db/error.rs")).expect("the codes of databases");
    found.extend(words(&database, '"').filter(|(before, _)| before.ends_with("=>")).map(|(_, word)| word.to_owned()));
    found
}

#[test]
fn every_code_is_documented_and_no_other() {
    let source = in_source();
    for code in ["usage", "settings", "line", "lock-file", "statement-failed", "constraint-unique", "component-limit"] {
        assert!(source.contains(code), "{code} is not found, so others are not either");
    }
    let page = std::fs::read_to_string(workspace().join("host/docs/errors.md")).expect("the page");
    let documented: BTreeSet<&str> = words(&page, '`').map(|(_, word)| word).collect();
    let missing: Vec<&String> = source.iter().filter(|code| !documented.contains(code.as_str())).collect();
    assert!(missing.is_empty(), "not in errors.md: {missing:?}");
    let cells = page.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    let listed: Vec<&str> = cells.flat_map(|cell| cell.split(", ").map(|code| code.trim_matches('`'))).collect();
    let unknown: Vec<&&str> = listed.iter().filter(|code| !source.contains(**code)).collect();
    assert!(listed.len() > 50 && unknown.is_empty(), "in errors.md, and nowhere else: {unknown:?}");
}
