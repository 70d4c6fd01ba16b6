//! `whimbrel new --lang`: a small project in one language, with the sources of its SDK, that builds with one command.

mod sources;

use std::path::Path;

use super::Draft;
use crate::args::NewLang;
use crate::commands::files::NewFile;

/// What a project of one language is made of, and what turns it into one that can be reverted.
struct Template {
    /// Files of the project; `{{…}}` is filled in.
    files: &'static [(&'static str, &'static str)],
    /// Files of the SDK, as they are.
    sdk: &'static [(&'static str, &'static str)],
    /// The file to write the migration into.
    main: &'static str,
    /// What `{{down}}` becomes.
    down: &'static str,
}

/// Drafts the project beside the folder of the migrations.
pub(super) fn draft(dir: &Path, stem: &str, name: &str, lang: NewLang, reversible: bool) -> Draft {
    let template = sources::of(lang);
    let project = dir.parent().unwrap_or(Path::new("")).join("guests").join(name);
    let package = package(name);
    let migrations = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let fill = |text: &str| {
        text.replace("{{stem}}", stem)
            .replace("{{package}}", &package)
            .replace("{{module}}", &package.replace('-', "_"))
            .replace("{{version}}", env!("CARGO_PKG_VERSION"))
            .replace("{{world}}", if reversible { "reversible" } else { "migration" })
            .replace("{{migrations}}", &format!("../../{}", quoted(&migrations)))
            .replace("{{define}}", if reversible { "-DWHIMBREL_DOWN " } else { "" })
            .replace("{{export}}", if reversible { "export_reversible" } else { "export" })
            .replace("{{down}}", if reversible { template.down } else { "" })
    };
    let filled = template.files.iter().map(|(path, text)| (*path, fill(text)));
    let sdk = template.sdk.iter().map(|(path, text)| (*path, (*text).to_owned()));
    let mut files: Vec<NewFile> =
        filled.chain(sdk).map(|(path, contents)| NewFile { path: project.join(path), contents }).collect();
    let manifest = project.join(format!("{stem}.toml"));
    files.push(NewFile { path: manifest.clone(), contents: manifest_toml(name) });
    files.push(NewFile { path: project.join(".gitignore"), contents: sources::IGNORED.to_owned() });
    let next = vec![
        format!("write the migration into {}", project.join(template.main).display()),
        format!("say what it may do in {}", manifest.display()),
        format!("sh {}", project.join("build.sh").display()),
        "whimbrel up".to_owned(),
    ];
    Draft { files, next }
}

/// A package's name cannot begin with a digit.
fn package(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    if name.starts_with(|first: char| first.is_ascii_alphabetic()) { name } else { format!("migration-{name}") }
}

fn manifest_toml(name: &str) -> String {
    format!(
        "description = \"{}\"\n\
         \n\
         [grants]\n\
         read = [\"note(id, text)\"]\n\
         update = [\"note(text)\"]\n",
        name.replace(['_', '-'], " ")
    )
}

/// Makes a name safe between the double quotes of a shell.
fn quoted(name: &str) -> String {
    name.chars().fold(String::new(), |mut text, character| {
        if matches!(character, '"' | '$' | '`' | '\\') {
            text.push('\\');
        }
        text.push(character);
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_every_folder_as_it_is_named() {
        assert_eq!(quoted("my \"$HOME\"`ls`\\"), "my \\\"\\$HOME\\\"\\`ls\\`\\\\");
    }

    /// Tells whether a `{{word}}` stands in it; C has braces of its own.
    fn has_blank(text: &str) -> bool {
        text.split("{{").skip(1).any(|rest| {
            let word = rest.trim_start_matches(|letter: char| letter.is_ascii_lowercase());
            word.len() < rest.len() && word.starts_with("}}")
        })
    }

    #[test]
    fn nothing_is_left_to_fill_in() {
        for lang in NewLang::ALL {
            for reversible in [false, true] {
                let draft = draft(Path::new("migrations"), "0001", "first", lang, reversible);
                assert!(draft.files.iter().all(|file| !has_blank(&file.contents)), "{lang:?}");
                assert!(draft.files.iter().any(|file| file.path.ends_with("guests/first/build.sh")), "{lang:?}");
            }
        }
    }
}
