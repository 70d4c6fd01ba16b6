//! A script that runs, and what editors want to know of it.

use std::path::Path;

use super::Draft;
use crate::commands::files::NewFile;

/// The languages of the engines that come with the program.
#[derive(Clone, Copy)]
pub(super) enum Language {
    JavaScript,
    TypeScript,
    Python,
}

/// What a language's scripts are made of.
struct Template {
    ending: &'static str,
    up: &'static str,
    down: &'static str,
    /// What editors read, and the name of its file.
    declarations: (&'static str, &'static str),
}

impl Language {
    fn template(self) -> Template {
        let typescript = ("whimbrel.d.ts", include_str!("templates/whimbrel.d.ts"));
        match self {
            Self::JavaScript => Template {
                ending: "js",
                up: include_str!("templates/up.js"),
                down: include_str!("templates/down.js"),
                declarations: typescript,
            },
            Self::TypeScript => Template {
                ending: "ts",
                up: include_str!("templates/up.ts"),
                down: include_str!("templates/down.ts"),
                declarations: typescript,
            },
            Self::Python => Template {
                ending: "py",
                up: include_str!("templates/up.py"),
                down: include_str!("templates/down.py"),
                declarations: ("whimbrel.pyi", include_str!("templates/whimbrel.pyi")),
            },
        }
    }
}

/// Drafts the script, and the declarations unless they are there.
pub(super) fn draft(dir: &Path, stem: &str, name: &str, reversible: bool, language: Language) -> Draft {
    let Template { ending, up, down, declarations } = language.template();
    let path = dir.join(format!("{stem}.{ending}"));
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
    let (file, text) = declarations;
    if !dir.join(file).exists() {
        files.push(NewFile { path: dir.join(file), contents: text.to_owned() });
    }
    Draft { files, next }
}
