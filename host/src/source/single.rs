//! One file, wherever it lies, as a migration that belongs to no chain: a script, or whatever a hook may be.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::assemble::{File, Gathered, assemble, shown};
use super::file_name::{FileName, Part, check_name};
use super::open_folder::{LARGEST, unreadable_folder};
use super::problem::Problem;
use super::reader::Reader;
use super::regular::problem_of;
use super::{Layout, Loaded, Source, SourceError, hooks};
use crate::interrupt::Interrupt;
use crate::model::{FunctionLibrary, Migration, Role, Version};

/// One script of any name, with its manifest, the libraries of functions that it names and what it imports, all from its folder. What it depends on in its chain is left
/// out: it is run by itself.
#[derive(Clone, Debug)]
pub struct SingleScript {
    path: PathBuf,
    endings: Vec<String>,
}

impl SingleScript {
    /// Makes a source of a file; the endings are those of scripts.
    pub fn new(path: impl Into<PathBuf>, endings: Vec<String>) -> Self {
        Self { path: path.into(), endings }
    }
}

impl Source for SingleScript {
    fn load(&self, _: &Interrupt) -> Result<Loaded, SourceError> {
        let gathered = Gathered { endings: self.endings.clone(), ..Gathered::default() };
        let mut loaded = read_one(&self.path, gathered, |name, gathered| match gathered.is_script(name) {
            true => Ok(Part::Script),
            false => Err(("is no script", format!("scripts end in {}; {MORE}", list(&self.endings)))),
        })?;
        for migration in &mut loaded.migrations {
            Arc::make_mut(migration).placement.depends_on.clear();
            loaded.libraries.extend(libraries(&self.path, migration)?);
        }
        Ok(loaded)
    }

    fn load_of(&self, _: Layout, interrupt: &Interrupt) -> Result<Loaded, SourceError> {
        self.load(interrupt)
    }

    fn describe(&self) -> String {
        self.path.display().to_string()
    }
}

/// Reads the file of a hook: SQL, a script, or a component with its manifest beside it. The endings are those of scripts.
pub(crate) fn hook_file(path: &Path, endings: Vec<String>) -> Result<Migration, SourceError> {
    let migration = alone(path, endings, "cannot be a hook", "hooks end")?;
    match hooks::unfit(&migration) {
        None => Ok(migration),
        Some(problem) => Err(SourceError::new(vec![problem])),
    }
}

/// Reads one file of any name as a migration of no chain: SQL, a script, or a component with its manifest beside it. The
/// endings are those of scripts. Looks for no script that undoes it or verifies it.
pub fn lone_file(path: &Path, endings: Vec<String>) -> Result<Migration, SourceError> {
    alone(path, endings, "is no migration", "migrations end")
}

fn alone(path: &Path, endings: Vec<String>, no: &'static str, what: &str) -> Result<Migration, SourceError> {
    let gathered = Gathered { endings, ..Gathered::default() };
    let loaded = read_one(path, gathered, |name, gathered| match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("sql") => Ok(Part::Sql),
        Some("wasm") => Ok(Part::Component),
        _ if gathered.is_script(name) => Ok(Part::Script),
        _ => Err((no, format!("{what} in .sql, .wasm, {}; {MORE}", list(&gathered.endings)))),
    })?;
    let migration = loaded.migrations.into_iter().next();
    migration.map(Arc::unwrap_or_clone).ok_or_else(|| SourceError::new(Vec::new()))
}

/// Reads the libraries of functions that a migration names, of those that lie beside it.
fn libraries(path: &Path, migration: &Migration) -> Result<Vec<FunctionLibrary>, SourceError> {
    let (dir, folder) = folder_of(path)?;
    let mut reader = Reader::new(&dir, LARGEST, Gathered::default());
    for library in migration.libraries() {
        let name = format!("{library}.functions.wasm");
        let judged = FileName::parse(&name);
        if !matches!(judged, FileName::Library { .. }) {
            continue;
        }
        match reader.read_file(Path::new(&name)) {
            Ok(bytes) => {
                let file = shown(&folder, &name);
                let kept = reader.gathered.keep(file, judged).map(|file| File {
                    bytes: Cow::Owned(bytes),
                    path: name,
                    ..file
                });
                reader.gathered.files.extend(kept);
            }
            // That it is missing is told with the migration, and the program may have brought it.
            Err(error) if error.kind() == ErrorKind::NotFound && dir.symlink_metadata(&name).is_err() => {}
            Err(error) => return Err(SourceError::new(vec![problem_of(shown(&folder, &name), &error)])),
        }
    }
    Ok(assemble(reader.gathered)?.libraries)
}

/// Opens the folder of a file, and says what to call it.
fn folder_of(path: &Path) -> Result<(Dir, String), SourceError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = parent.to_string_lossy().into_owned();
    match Dir::open_ambient_dir(parent, ambient_authority()) {
        Ok(dir) => Ok((dir, folder)),
        Err(error) => Err(SourceError::new(vec![unreadable_folder(&folder, &error)])),
    }
}

const MORE: &str = "`[engines]` in whimbrel.toml names more engines";

fn list(endings: &[String]) -> String {
    endings.iter().map(|ending| format!(".{ending}")).collect::<Vec<_>>().join(", ")
}

/// Reads one file that is this part of its migration, with its manifest beside it and what it may import.
fn read_one(
    path: &Path,
    gathered: Gathered,
    part: impl Fn(&str, &Gathered) -> Result<Part, (&'static str, String)>,
) -> Result<Loaded, SourceError> {
    let (dir, folder) = folder_of(path)?;
    let refuse = |problem| SourceError::new(vec![problem]);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let file = shown(&folder, &name);
    let part = match part(&name, &gathered) {
        Ok(part) => part,
        Err((message, hint)) => return Err(refuse(Problem::of_file(file, message, Some(hint)))),
    };
    let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
    let (version, words) = match FileName::parse_with(&name, &gathered.endings) {
        FileName::Part { version, name, .. } => (version, name),
        FileName::Library { .. } | FileName::Ignored(_) | FileName::Malformed { .. } => (Version::from(0), words(stem)),
    };
    let mut reader = Reader::new(&dir, LARGEST, gathered);
    for (name, part) in [(name.clone(), part), (format!("{stem}.toml"), Part::Manifest)] {
        match reader.read_file(Path::new(&name)) {
            Ok(bytes) => {
                let file = shown(&folder, &name);
                let bytes = Cow::Owned(bytes);
                let role = Role::Versioned;
                reader.gathered.files.push(File {
                    file,
                    path: name,
                    role,
                    version,
                    name: words.clone(),
                    part,
                    bytes,
                    kind: None,
                    marks: None,
                });
            }
            Err(error) if error.kind() == ErrorKind::NotFound && dir.symlink_metadata(&name).is_err() => {
                if part != Part::Manifest {
                    return Err(refuse(Problem::of_file(file, "is not there", None)));
                }
            }
            Err(error) => return Err(refuse(problem_of(shown(&folder, &name), &error))),
        }
    }
    if part == Part::Script {
        reader.share(&folder, Path::new(""));
    }
    assemble(reader.gathered)
}

/// Makes a name of what a file is called.
fn words(stem: &str) -> String {
    let name: String = stem.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
    if check_name(&name).is_ok() { name } else { "script".to_owned() }
}
