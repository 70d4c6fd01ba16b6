//! A script that runs, and what editors want to know of it.

use std::path::Path;

use super::Draft;
use crate::commands::files::NewFile;

/// The languages of the engines that come with the program.
#[derive(Clone, Copy)]
pub(super) enum Language {
    JavaScript,
    TypeScript,
}

const DECLARATIONS: &str = "whimbrel.d.ts";

/// Drafts the script, and the declarations unless they are there.
pub(super) fn draft(dir: &Path, version: &str, name: &str, reversible: bool, language: Language) -> Draft {
    let (ending, up, down) = match language {
        Language::JavaScript => ("js", include_str!("templates/up.js"), include_str!("templates/down.js")),
        Language::TypeScript => ("ts", include_str!("templates/up.ts"), include_str!("templates/down.ts")),
    };
    let path = dir.join(format!("{version}_{name}.{ending}"));
    let mut contents = up.replace("{description}", &name.replace(['_', '-'], " "));
    if reversible {
        contents.push_str(down);
    }
    let next = vec![
        format!("write the migration into {}", path.display()),
        format!("whimbrel run-script {}   # tries it, and rolls back", path.display()),
        "whimbrel up".to_owned(),
    ];
    let mut files = vec![NewFile { path, contents }];
    let declarations = dir.join(DECLARATIONS);
    if !declarations.exists() {
        files.push(NewFile { path: declarations, contents: include_str!("templates/whimbrel.d.ts").to_owned() });
    }
    Draft { files, next }
}
