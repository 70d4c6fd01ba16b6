//! Puts files together to migrations. Pure: reads nothing; reports everything that is wrong.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;

use super::companions;
use super::content::{self, Content};
use super::file_name::{FileName, Part, SCRIPTS};
use super::layout::{Callback, Layout};
use super::placement;
use super::problem::{Problem, SourceError};
use super::scripts::{self, Shared};
use super::{Ignored, Loaded, hooks};
use crate::model::{
    Binary, Body, Elsewhere, FunctionLibrary, Hook, LibraryBody, Manifest, Migration, Role, Script, ScriptFile,
    ScriptFiles, Substitution, Version,
};

/// The files of a source while they are gathered.
pub(super) struct Gathered {
    /// Parts of migrations.
    pub(super) files: Vec<File>,
    /// What is no migration.
    pub(super) ignored: Vec<Ignored>,
    /// What is wrong.
    pub(super) problems: Vec<Problem>,
    /// Parts of migrations that could not be read, which is a problem of theirs; whatever else there is of these is not blamed for it.
    pub(super) unread: Vec<File>,
    /// Endings of scripts.
    pub(super) endings: Vec<String>,
    /// What scripts may import, beside each other.
    pub(super) shared: Vec<Shared>,
    /// Scripts that are run at the moments of a run, and how.
    pub(super) hooks: Vec<(Callback, File)>,
    /// Folders that are refused unless there is this file in them.
    pub(super) incomplete: Vec<(String, Problem)>,
    /// What only another program can run.
    pub(super) elsewhere: Vec<Elsewhere>,
    /// The layout of which nothing in the files tells.
    pub(super) assumed: Option<Layout>,
}

/// A part of a migration.
#[derive(Clone, Debug)]
pub(super) struct File {
    /// What to call it in messages.
    pub(super) file: String,
    /// Where it is below the root of its source.
    pub(super) path: String,
    /// When the migration runs.
    pub(super) role: Role,
    /// The number that orders the migration.
    pub(super) version: Version,
    /// The words after the version.
    pub(super) name: String,
    /// Which part it is.
    pub(super) part: Part,
    /// What it holds.
    pub(super) bytes: Cow<'static, [u8]>,
    /// The kind of database that it is for, if it is for one only.
    pub(super) kind: Option<&'static str>,
    /// What another tool's marks say about it, if it is laid out for one.
    pub(super) marks: Option<Marks>,
}

/// What the marks of another tool say about a script.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Marks {
    /// It runs outside any transaction.
    pub(super) outside: bool,
    /// Foreign keys are off while it runs.
    pub(super) rebuild: bool,
    /// The tool has foreign keys off, whatever it runs.
    pub(super) keys_off: bool,
    /// It may be applied although a later one is.
    pub(super) out_of_order: bool,
    /// Where values stand in it.
    pub(super) substitution: Substitution,
}

impl File {
    /// Tells whether it belongs to a migration that runs once, in order.
    pub(super) fn is_versioned(&self) -> bool {
        self.role == Role::Versioned
    }

    /// Returns a number that keeps migrations of different roles apart.
    pub(super) fn role_order(&self) -> u8 {
        match self.role {
            Role::Versioned => 0,
            Role::Baseline => 1,
            Role::Repeatable => 2,
        }
    }

    /// Returns what all files of one migration have in common.
    fn owner(&self) -> (u8, Version, &str) {
        (self.role_order(), self.version, if self.role == Role::Repeatable { &self.name } else { "" })
    }
}

impl Default for Gathered {
    fn default() -> Self {
        Self {
            files: Vec::new(),
            ignored: Vec::new(),
            problems: Vec::new(),
            unread: Vec::new(),
            endings: SCRIPTS.map(str::to_owned).into(),
            shared: Vec::new(),
            hooks: Vec::new(),
            incomplete: Vec::new(),
            elsewhere: Vec::new(),
            assumed: None,
        }
    }
}

impl Gathered {
    /// Tells whether some migration is a script, so that the files scripts may import are wanted.
    pub(super) fn has_scripts(&self) -> bool {
        self.files.iter().any(|file| file.part == Part::Script)
    }

    /// Tells by its name whether a script may import a file.
    pub(super) fn is_script(&self, name: &str) -> bool {
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        !name.starts_with('.') && self.endings.iter().any(|known| known == ending) && !name.ends_with(".d.ts")
    }

    /// Takes a file with what was said of its name; returns it, still empty, if it is part of a migration or a library of
    /// functions, so that its bytes are wanted.
    pub(super) fn keep(&mut self, file: String, judged: FileName) -> Option<File> {
        let wanted = |file, version, name, part, role| {
            let bytes = Cow::Borrowed(b"".as_slice());
            Some(File { file, path: String::new(), role, version, name, part, bytes, kind: None, marks: None })
        };
        match judged {
            FileName::Part { version, name, part, role } => wanted(file, version, name, part, role),
            // Only migrations have versions.
            FileName::Library { name } => wanted(file, Version::from(0), name, Part::Functions, Role::Versioned),
            // The program itself writes it.
            FileName::Ignored(_) if file.ends_with("whimbrel.d.ts") || file.ends_with("whimbrel.pyi") => None,
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
    let Gathered { mut files, mut ignored, mut problems, unread, mut shared, mut hooks, elsewhere, assumed, .. } =
        gathered;
    hooks.sort_by(|(left, one), (right, other)| (left, &one.name, &one.file).cmp(&(right, &other.name, &other.file)));
    let hooks = hooks.into_iter().filter_map(|(callback, file)| hook(callback, file, &mut problems)).collect();
    let libraries = files.extract_if(.., |file| file.part == Part::Functions);
    let libraries = libraries.filter_map(|file| library(file, &mut problems)).collect();
    let scripts = files.iter().filter(|file| file.part == Part::Script);
    shared.extend(scripts.map(|file| Shared {
        path: file.path.clone(),
        file: file.file.clone(),
        bytes: file.bytes.clone(),
    }));
    files.sort_by(|left, right| (left.owner(), left.part, &left.file).cmp(&(right.owner(), right.part, &right.file)));
    let mut migrations: Vec<Arc<Migration>> = Vec::with_capacity(files.len());
    let groups = files.chunk_by_mut(|left, right| left.owner() == right.owner());
    for group in groups {
        if !unread.iter().any(|file| file.owner() == group[0].owner()) {
            companions::check(group, &mut problems);
        }
        migrations.extend(migration(group, &shared, &mut problems).map(Arc::new));
    }
    if !problems.is_empty() {
        return Err(SourceError::new(problems));
    }
    let imported = |file: &String| {
        let mut scripts = migrations.iter().filter_map(|migration| migration.body.script());
        scripts.any(|script| script.imports.iter().any(|import| import.file == *file))
    };
    ignored.retain(|ignored| !imported(&ignored.file));
    ignored.sort();
    Ok(Loaded { migrations, libraries, hooks, elsewhere, ignored, assumed })
}

/// Makes a hook of its file; `None` only if a problem was reported.
fn hook(callback: Callback, mut file: File, problems: &mut Vec<Problem>) -> Option<Hook> {
    let migration = migration(std::slice::from_mut(&mut file), &[], problems)?;
    if let Some(problem) = hooks::unfit(&migration) {
        problems.push(problem);
        return None;
    }
    Some(callback.hook(migration))
}

/// Makes a library of its file; `None` only if a problem was reported.
fn library(file: File, problems: &mut Vec<Problem>) -> Option<FunctionLibrary> {
    match content::read(&file.file, file.part, file.bytes, None) {
        Ok(Content::Component(bytes)) => {
            Some(FunctionLibrary { name: file.name, body: LibraryBody::Component { bytes }, file: file.file })
        }
        Ok(Content::Script(_) | Content::Code(_) | Content::Manifest(_)) => None,
        Err(mut found) => {
            problems.append(&mut found);
            None
        }
    }
}

/// Makes one migration of the files of its version; `None` only if a problem was reported.
fn migration(files: &mut [File], shared: &[Shared], problems: &mut Vec<Problem>) -> Option<Migration> {
    let mut up = None;
    let mut component = None;
    let mut down = None;
    let mut verify = None;
    let mut code = None;
    let mut manifest = None;
    for file in files.iter_mut() {
        match content::read(&file.file, file.part, mem::take(&mut file.bytes), file.marks.clone()) {
            Err(mut found) => problems.append(&mut found),
            Ok(Content::Script(script)) if file.part == Part::Down => down = Some(Box::new(script)),
            Ok(Content::Script(script)) if file.part == Part::Verify => {
                problems.extend(companions::directs(&script));
                verify = Some(Box::new(script));
            }
            Ok(Content::Script(script)) => up = Some(script),
            Ok(Content::Component(bytes)) => component = Some(bytes),
            Ok(Content::Manifest(contents)) => manifest = Some(contents),
            Ok(Content::Code(text)) => {
                let (path, file) = (file.path.clone(), file.file.clone());
                code = Some(ScriptFile { path, file, text });
            }
        }
    }
    let code = match code.map(|code| script(code, &mut manifest, shared)).transpose() {
        Ok(code) => code,
        Err(mut found) => {
            problems.append(&mut found);
            return None;
        }
    };
    let body = body(up, down, component, code, manifest.as_deref())?;
    // The parts are ordered, so the first file is the one with the body.
    let File { file, version, name, role, marks, .. } = files.first_mut()?;
    let mut placement = placement::find(*role, file, &body, manifest.as_deref(), problems);
    placement.out_of_order |= marks.as_ref().is_some_and(|marks| marks.out_of_order);
    Some(Migration {
        asked: Vec::new(),
        version: if placement.role == Role::Repeatable { Version::from(0) } else { *version },
        name: mem::take(name),
        placement,
        body,
        verify,
        manifest,
        file: mem::take(file),
    })
}

/// Reads the head of a script, and gives it what it may import.
fn script(
    code: ScriptFile,
    manifest: &mut Option<Box<Manifest>>,
    shared: &[Shared],
) -> Result<Arc<ScriptFiles>, Vec<Problem>> {
    match (scripts::head(&code.file, &code.text)?, &manifest) {
        (Some(_), Some(beside)) => {
            let message = format!("its head says what {} is there to say", beside.file);
            return Err(vec![Problem::of_file(&code.file, message, Some("keep one of them".to_owned()))]);
        }
        (Some(head), None) => *manifest = Some(Box::new(head)),
        (None, _) => {}
    }
    let extension = code.path.rsplit_once('.').map_or_else(String::new, |(_, ending)| ending.to_owned());
    scripts::gather(code, &extension, shared)
}

fn body(
    up: Option<Script>,
    down: Option<Box<Script>>,
    component: Option<Cow<'static, [u8]>>,
    code: Option<Arc<ScriptFiles>>,
    manifest: Option<&Manifest>,
) -> Option<Body> {
    if let Some(up) = up {
        return Some(Body::Sql { up, down });
    }
    let transform = manifest.and_then(|manifest| manifest.transform.as_ref());
    if let Some(files) = code {
        return Some(Body::Script { files, spec: transform.map(Arc::clone) });
    }
    component.map(Binary::from).map(|bytes| match transform {
        Some(spec) => Body::Transform { bytes, spec: Arc::clone(spec) },
        None => Body::Component { bytes },
    })
}

/// Returns what a file in a folder is called in messages: its own name, which whoever writes it makes safe to show.
pub(super) fn shown(folder: &str, name: &str) -> String {
    match folder {
        "" | "." => name.to_owned(),
        folder => [folder.trim_end_matches('/'), "/", name].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Reversibility;

    fn load(files: &[(&str, &'static str)]) -> Result<Loaded, SourceError> {
        let mut gathered = Gathered::default();
        for (name, text) in files {
            if let Some(mut file) = gathered.keep(shown("m", name), FileName::parse(name)) {
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
    fn calls_a_file_by_its_own_name() {
        let cases = [
            ("m", "a.sql", "m/a.sql"),
            ("m/", "a.sql", "m/a.sql"),
            (".", "a.sql", "a.sql"),
            ("/", "a.sql", "/a.sql"),
            ("m", "a\u{1b}[2J 'é' \\.sql", "m/a\u{1b}[2J 'é' \\.sql"),
        ];
        for (folder, name, expected) in cases {
            assert_eq!(shown(folder, name), expected);
        }
    }
}
