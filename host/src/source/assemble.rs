//! Puts files together to migrations. Pure: reads nothing; reports everything that is wrong.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;

use super::companions;
use super::content::{self, Content};
use super::file_name::{FileName, Part};
use super::placement;
use super::problem::{Problem, SourceError};
use super::{Ignored, Loaded};
use crate::model::{Body, FunctionLibrary, LibraryBody, Manifest, Migration, Role, Script, Version};

/// The files of a source while they are gathered.
#[derive(Default)]
pub(super) struct Gathered {
    /// Parts of migrations.
    pub(super) files: Vec<File>,
    /// What is no migration.
    pub(super) ignored: Vec<Ignored>,
    /// What is wrong.
    pub(super) problems: Vec<Problem>,
}

/// A part of a migration.
pub(super) struct File {
    /// What to call it in messages.
    pub(super) file: String,
    /// When the migration runs, as its name says.
    pub(super) role: Role,
    /// The number that orders the migration.
    pub(super) version: Version,
    /// The words after the version.
    pub(super) name: String,
    /// Which part it is.
    pub(super) part: Part,
    /// What it holds.
    pub(super) bytes: Cow<'static, [u8]>,
}

impl File {
    /// Returns what all files of one migration have in common.
    fn owner(&self) -> (Role, Version, &str) {
        (self.role, self.version, if self.role == Role::Repeatable { &self.name } else { "" })
    }
}

impl Gathered {
    /// Judges a file by its name; returns it, still empty, if it is part of a migration or a library of functions, so
    /// that its bytes are wanted.
    pub(super) fn judge(&mut self, file: String, name: &str) -> Option<File> {
        match FileName::parse(name) {
            FileName::Part { version, name, part, role } => {
                Some(File { file, role, version, name, part, bytes: Cow::Borrowed(b"") })
            }
            // Only migrations have versions.
            FileName::Library { name } => {
                let (role, version, part) = (Role::Versioned, Version::from(0), Part::Functions);
                Some(File { file, role, version, name, part, bytes: Cow::Borrowed(b"") })
            }
            FileName::Ignored(reason) => {
                self.ignored.push(Ignored { file, reason: reason.to_owned() });
                None
            }
            FileName::Malformed { message, hint } => {
                self.problems.push(Problem::of_file(file, message, Some(hint)));
                None
            }
        }
    }
}

/// Makes migrations of the files.
pub(super) fn assemble(gathered: Gathered) -> Result<Loaded, SourceError> {
    let Gathered { mut files, mut ignored, mut problems } = gathered;
    let libraries = files.extract_if(.., |file| file.part == Part::Functions);
    let libraries = libraries.filter_map(|file| library(file, &mut problems)).collect();
    files.sort_by(|left, right| (left.owner(), left.part, &left.file).cmp(&(right.owner(), right.part, &right.file)));
    let migrations = files
        .chunk_by_mut(|left, right| left.owner() == right.owner())
        .filter_map(|group| migration(group, &mut problems))
        .collect();
    if !problems.is_empty() {
        return Err(SourceError::new(problems));
    }
    ignored.sort();
    Ok(Loaded { migrations, libraries, ignored })
}

/// Makes a library of its file; `None` only if a problem was reported.
fn library(file: File, problems: &mut Vec<Problem>) -> Option<FunctionLibrary> {
    match content::read(&file.file, file.part, file.bytes) {
        Ok(Content::Component(bytes)) => {
            Some(FunctionLibrary { name: file.name, body: LibraryBody::Component { bytes }, file: file.file })
        }
        Ok(Content::Script(_) | Content::Manifest(_)) => None,
        Err(mut found) => {
            problems.append(&mut found);
            None
        }
    }
}

/// Makes one migration of the files of its version; `None` only if a problem was reported.
fn migration(files: &mut [File], problems: &mut Vec<Problem>) -> Option<Migration> {
    companions::check(files, problems);
    let mut up = None;
    let mut component = None;
    let mut down = None;
    let mut manifest = None;
    for file in files.iter_mut() {
        match content::read(&file.file, file.part, mem::take(&mut file.bytes)) {
            Err(mut found) => problems.append(&mut found),
            Ok(Content::Script(script)) if file.part == Part::Down => down = Some(script),
            Ok(Content::Script(script)) => up = Some(script),
            Ok(Content::Component(bytes)) => component = Some(bytes),
            Ok(Content::Manifest(contents)) => manifest = Some(*contents),
        }
    }
    let body = body(up, down, component, manifest.as_ref())?;
    // The parts are ordered, so the first file is the one with the body.
    let File { file, role, version, name, .. } = files.first()?;
    let placement = placement::find(*role, file, &body, manifest.as_ref(), problems);
    Some(Migration {
        version: if placement.role == Role::Repeatable { Version::from(0) } else { *version },
        name: name.clone(),
        placement,
        body,
        manifest,
        file: file.clone(),
    })
}

fn body(
    up: Option<Script>,
    down: Option<Script>,
    component: Option<Cow<'static, [u8]>>,
    manifest: Option<&Manifest>,
) -> Option<Body> {
    if let Some(up) = up {
        return Some(Body::Sql { up, down });
    }
    let transform = manifest.and_then(|manifest| manifest.transform.as_ref());
    component.map(|bytes| match transform {
        Some(spec) => Body::Transform { bytes, spec: Arc::clone(spec) },
        None => Body::Component { bytes },
    })
}

/// Returns what a file in a folder is called in messages; whatever could disturb a terminal is escaped.
pub(super) fn shown(folder: &str, name: &str) -> String {
    let name = name.escape_debug();
    match folder {
        "" | "." => name.to_string(),
        folder => format!("{}/{name}", folder.trim_end_matches('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Reversibility;

    fn load(files: &[(&str, &'static str)]) -> Result<Loaded, SourceError> {
        let mut gathered = Gathered::default();
        for (name, text) in files {
            if let Some(mut file) = gathered.judge(shown("m", name), name) {
                file.bytes = Cow::Borrowed(text.as_bytes());
                gathered.files.push(file);
            }
        }
        assemble(gathered)
    }

    #[test]
    fn puts_parts_together() {
        let loaded = load(&[
            ("0010_c.wasm", "x"),
            ("README.md", ""),
            ("0010_c.toml", "description = 'C'"),
            ("0002_b.down.sql", "SELECT 2"),
            ("2_b.up.sql", "-- whimbrel: rebuild\nSELECT 1"),
            ("0001_a.sql", "SELECT 1"),
            ("01_a.toml", "description = 'A'"),
            (".keep", ""),
            ("text_tools.functions.wasm", "x"),
        ])
        .expect("loaded");
        let shown: Vec<String> = loaded
            .migrations
            .iter()
            .map(|m| format!("{} {} {} {:?} {:?}", m.title(), m.file, m.kind(), m.reversibility(), m.description()))
            .collect();
        assert_eq!(
            shown,
            [
                "1 a m/0001_a.sql sql Irreversible Some(\"A\")",
                "2 b m/2_b.up.sql sql Reversible None",
                "10 c m/0010_c.wasm component Unknown Some(\"C\")",
            ]
        );
        assert_eq!(loaded.migrations[1].reversibility(), Reversibility::Reversible);
        let ignored: Vec<&str> = loaded.ignored.iter().map(|ignored| ignored.file.as_str()).collect();
        assert_eq!(ignored, ["m/.keep", "m/README.md"]);
        let library = &loaded.libraries[0];
        assert_eq!((library.name.as_str(), library.file.as_str()), ("text_tools", "m/text_tools.functions.wasm"));
    }

    #[test]
    fn reports_all_problems_of_all_files_together() {
        let files = [
            ("0001create.sql", ""),
            ("2_x.sql", ""),
            ("3_x.sql", "SELECT 1"),
            ("3_x.toml", "descr = 1\nfoo = 2"),
            ("03_y.sql", "SELECT 1;\n-- whimbrel: rebuild"),
        ];
        let error = load(&files).expect_err("problems");
        let expected = "\
            m/0001create.sql: after the version must come `_`, not `c`\n\
            m/03_y.sql:2:4: a directive must stand at the top, before the first statement\n\
            m/2_x.sql: the file is blank\n\
            m/3_x.sql: version 3 is already that of m/03_y.sql\n\
            m/3_x.toml:1:1: unknown key `descr`\n\
            m/3_x.toml:2:1: unknown key `foo`";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn shows_hostile_names_escaped() {
        let cases = [
            ("m", "a.sql", "m/a.sql"),
            ("m/", "a.sql", "m/a.sql"),
            (".", "a.sql", "a.sql"),
            ("/", "a.sql", "/a.sql"),
            ("m", "a\u{1b}[2J\n\u{202e}é.sql", "m/a\\u{1b}[2J\\n\\u{202e}é.sql"),
        ];
        for (folder, name, expected) in cases {
            assert_eq!(shown(folder, name), expected);
        }
    }
}
