//! One script, wherever it lies, as a migration that belongs to no chain.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::assemble::{File, Gathered, assemble, shown};
use super::directory::{LARGEST, Reader, unreadable_file, unreadable_folder};
use super::file_name::{FileName, Part, check_name};
use super::problem::Problem;
use super::{Loaded, Source, SourceError};
use crate::model::{Role, Version};

/// One script of any name, with its manifest beside it and what it imports from its folder.
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
    fn load(&self) -> Result<Loaded, SourceError> {
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = parent.to_string_lossy();
        let refuse = |problem| SourceError::new(vec![problem]);
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let file = shown(&folder, &name);
        let gathered = Gathered { endings: self.endings.clone(), ..Gathered::default() };
        let Some((stem, _)) = name.rsplit_once('.').filter(|_| gathered.is_script(&name)) else {
            let known = self.endings.iter().map(|ending| format!(".{ending}")).collect::<Vec<_>>().join(", ");
            let hint = format!("scripts end in {known}; `[engines]` in whimbrel.toml names more engines");
            return Err(refuse(Problem::of_file(file, "is no script", Some(hint))));
        };
        let (version, words) = match FileName::parse_with(&name, &self.endings) {
            FileName::Part { version, name, .. } => (version, name),
            FileName::Library { .. } | FileName::Ignored(_) | FileName::Malformed { .. } => {
                (Version::from(0), words(stem))
            }
        };
        let dir = Dir::open_ambient_dir(parent, ambient_authority());
        let dir = dir.map_err(|error| refuse(unreadable_folder(&folder, &error)))?;
        let mut reader = Reader::new(&dir, LARGEST, gathered);
        for (name, part) in [(name.clone(), Part::Script), (format!("{stem}.toml"), Part::Manifest)] {
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
                        marks: None,
                    });
                }
                Err(_) if part == Part::Manifest => {}
                Err(error) => return Err(refuse(unreadable_file(file, &error))),
            }
        }
        reader.share(&folder, Path::new(""));
        assemble(reader.gathered)
    }

    fn describe(&self) -> String {
        self.path.display().to_string()
    }
}

/// Makes a name of what a file is called.
fn words(stem: &str) -> String {
    let name: String = stem.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
    if check_name(&name).is_ok() { name } else { "script".to_owned() }
}
