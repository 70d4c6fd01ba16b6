//! Migrations in a folder. Reads nothing outside it and writes nothing.

use std::path::{Path, PathBuf};

use super::file_name::{FileName, Part, SCRIPTS};
use super::layout::{self, Layout, Options};
use super::open_folder::{LARGEST, OpenFolder};
use super::renumber::{self, Listed, Renumber, Renumbering};
use super::repoint::{Pointing, Repointed};
use super::scripts::lines_of_head;
use super::tree::{self, Entry, Found, Tree};
use super::{Loaded, Source, SourceError};
use crate::interrupt::Interrupt;
use crate::model::{Manifest, Precondition, Role, Unmet, Version};
use crate::sql;

/// The files of a folder, or of several that make one source.
///
/// Only opening a folder takes the rights of the process; everything after that is confined to it, so that a symbolic
/// link cannot lead the host to another file.
#[derive(Clone, Debug)]
pub struct Directory {
    paths: Vec<PathBuf>,
    options: Options,
    largest: u64,
    endings: Vec<String>,
}

impl Directory {
    /// Makes a source of a folder.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            paths: vec![path.into()],
            options: Options::DEFAULT,
            largest: LARGEST,
            endings: SCRIPTS.map(str::to_owned).into(),
        }
    }

    /// Sets the endings of the files that are scripts; those of the engines of the program unless set.
    #[must_use]
    pub fn scripts(mut self, endings: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.endings = endings.into_iter().map(Into::into).collect();
        self
    }

    /// Adds another folder to the same source.
    #[must_use]
    pub fn and(mut self, path: impl Into<PathBuf>) -> Self {
        self.paths.push(path.into());
        self
    }

    /// Says whose way the folder is laid out; found out unless set.
    #[must_use]
    pub fn layout(mut self, layout: Layout) -> Self {
        self.options.layout = layout;
        self
    }

    /// Reads the folders in the folder as well; layouts of other tools know by themselves whether to.
    #[must_use]
    pub fn recursive(mut self, recursive: bool) -> Self {
        self.options.recursive = recursive;
        self
    }

    /// Returns the folder, the first of several.
    pub fn path(&self) -> &Path {
        self.paths.first().map_or(Path::new(""), PathBuf::as_path)
    }

    /// Finds whose way the first folder is laid out.
    pub fn find_layout(&self) -> Result<Layout, SourceError> {
        let mut reader =
            OpenFolder::open(self.path(), self.largest).map_err(|problem| SourceError::new(vec![problem]))?;
        layout::layout(&mut reader, &self.options).map_err(|problem| SourceError::new(vec![problem]))
    }

    /// Returns the digits of all versions, as they are written: `007`, and `20260131120000` for `2026-01-31-120000`; of
    /// `1.2` what stands before the dot. With them whose way the folder is laid out.
    pub fn versions(&self) -> Result<(Layout, Vec<String>), SourceError> {
        let layout = self.find_layout()?;
        let mut versions = Vec::new();
        self.each_file(layout, |_, path, _, _| {
            if let FileName::Part { role: Role::Versioned | Role::Baseline, .. } = layout.judge_any(path, &self.endings)
            {
                versions.push(layout::digits(layout, path));
            }
        })?;
        Ok((layout, versions))
    }

    /// Tells whether every script of the folder that runs once goes one way, and some have the other one beside them.
    pub fn has_pairs(&self) -> Result<bool, SourceError> {
        let layout = self.find_layout()?;
        let mut found = Vec::new();
        self.each_file(layout, |_, path, _, _| {
            if let FileName::Part { part, role: Role::Versioned, .. } = layout.judge_any(path, &self.endings) {
                found.push(part);
            }
        })?;
        Ok(found.contains(&Part::Up) && found.contains(&Part::Down) && !found.contains(&Part::Sql))
    }

    /// Decides which migrations get new versions, at the end of the chain. Writes nothing.
    pub fn renumber(&self, wanted: &Renumber<'_>) -> Result<Renumbering, SourceError> {
        let layout = self.find_layout()?;
        let mut listed = Vec::new();
        self.each_file(layout, |folder, path, shown, reader| {
            let judged = layout.judge_any(path, &self.endings);
            let out_of_order = match &judged {
                FileName::Part { part, .. } => may_be_out_of_order(layout, path, *part, reader),
                FileName::Library { .. } | FileName::Ignored(_) | FileName::Malformed { .. } => false,
            };
            let (folder, path) = (folder.to_owned(), path.to_owned());
            listed.push(Listed { folder, path, shown, judged, out_of_order });
        })?;
        if !matches!(layout, Layout::Auto | Layout::Whimbrel) {
            leave_out_strays(&mut listed);
        }
        renumber::renumber(layout, &listed, wanted)
    }

    /// Finds a file by its name, with or without its ending; `None` where there is none.
    pub fn find_named(&self, name: &str) -> Result<Option<PathBuf>, SourceError> {
        let mut found = None;
        self.each_file(self.find_layout()?, |folder, path, _, _| {
            if found.is_none() && renumber::is_named(path, name) {
                found = Some(folder.join(path));
            }
        })?;
        Ok(found)
    }

    /// Writes the new versions of migrations, by the names of their chains, where files of this folder depend on them;
    /// `own` is the chain of the folder. Changes no file.
    pub fn repoint(&self, own: &str, moves: &[(String, Renumbering)]) -> Result<Repointed, SourceError> {
        let pointing = Pointing { own, moves };
        let layout = self.find_layout()?;
        let mut all = Repointed::default();
        self.each_file(layout, |folder, path, shown, reader| {
            if let FileName::Part { part, role, version, .. } = layout.judge(path, &self.endings)
                && part != Part::Component
                && let Ok(Found::File(bytes)) = reader.read(path)
                && let Ok(text) = str::from_utf8(&bytes)
            {
                pointing.file(folder.join(path), (role != Role::Repeatable).then_some(version), &shown, text, &mut all);
            }
        })?;
        Ok(all)
    }

    /// Goes through the files that this source reads, in order.
    fn each_file(
        &self,
        layout: Layout,
        mut see: impl FnMut(&Path, &str, String, &mut OpenFolder),
    ) -> Result<(), SourceError> {
        let refuse = |problem| SourceError::new(vec![problem]);
        for path in &self.paths {
            let mut reader = OpenFolder::open(path, self.largest).map_err(refuse)?;
            let mut folders = vec![String::new()];
            while let Some(folder) = folders.pop() {
                for Entry { path: file, is_folder, .. } in tree::sorted(&mut reader, &folder).map_err(refuse)? {
                    if is_folder && layout::is_read(layout, &file, &self.options) {
                        folders.push(file);
                    } else if !is_folder {
                        let shown = reader.shown(&file);
                        see(path, &file, shown, &mut reader);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Takes what no migration of another tool is made of for what it is there: something else.
fn leave_out_strays(listed: &mut [Listed]) {
    let part = |file: &Listed| match &file.judged {
        FileName::Part { version, part, .. } => (*version, *part),
        // No version of a script is such a file's.
        _ => (Version::from(0), Part::Functions),
    };
    let strays = layout::find_strays(&listed.iter().map(part).collect::<Vec<_>>());
    for (file, _) in listed.iter_mut().zip(strays).filter(|(_, is_stray)| *is_stray) {
        file.judged = FileName::Ignored(layout::STRAY);
    }
}

/// Tells whether a migration says itself that it may be applied although a later one is, or can be left out for now, so
/// that others overtake it.
fn may_be_out_of_order(layout: Layout, path: &str, part: Part, reader: &mut OpenFolder) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    if layout == Layout::Refinery && name.starts_with('U') {
        return true;
    }
    let Ok(Found::File(bytes)) = reader.read(path) else { return false };
    let Ok(text) = str::from_utf8(&bytes) else { return false };
    let can_be_skipped = |all: &[Precondition]| all.iter().any(|condition| condition.otherwise == Unmet::Skip);
    let says_so = |manifest: Manifest| manifest.placement.out_of_order || can_be_skipped(&manifest.preconditions);
    match part {
        Part::Manifest => Manifest::parse(name, text).is_ok_and(says_so),
        part if part.is_sql() => sql::directives(text)
            .is_ok_and(|directives| directives.out_of_order || can_be_skipped(&directives.preconditions)),
        // What cannot be read as a script's head says nothing: whoever loads the script tells why.
        _ => match lines_of_head(name, text) {
            Ok(Some(head)) => Manifest::parse(name, &head).is_ok_and(says_so),
            Ok(None) | Err(_) => false,
        },
    }
}

impl Source for Directory {
    fn load(&self, _: &Interrupt) -> Result<Loaded, SourceError> {
        let mut readers = Vec::new();
        let mut problems = Vec::new();
        for path in &self.paths {
            match OpenFolder::open(path, self.largest) {
                Ok(reader) => readers.push(reader),
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(SourceError::new(problems));
        }
        let mut trees: Vec<&mut dyn Tree> = readers.iter_mut().map(|reader| reader as &mut dyn Tree).collect();
        layout::load(&mut trees, &self.options, &self.endings)
    }

    fn load_of(&self, tool: Layout, interrupt: &Interrupt) -> Result<Loaded, SourceError> {
        Self { options: self.options.of(tool), ..self.clone() }.load(interrupt)
    }

    fn describe(&self) -> String {
        self.paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" and ")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::open_folder::BUFFER;
    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("temporary folder");
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).expect("file");
        }
        folder
    }

    fn problems(source: &Directory) -> Vec<String> {
        let error = source.load(&Interrupt::new()).expect_err("problems");
        let prefix = source.path().display().to_string();
        error.problems.iter().map(|problem| problem.to_string().replace(&prefix, "m")).collect()
    }

    #[test]
    fn reads_the_files_of_a_folder() {
        let long = format!("SELECT '{}';", "x".repeat(3 * BUFFER));
        let folder = folder(&[("0001_a.sql", b"SELECT 1;"), ("0002_b.sql", long.as_bytes()), ("notes.txt", b"")]);
        fs::create_dir(folder.path().join("0003_c.sql")).expect("folder");
        let loaded = Directory::new(folder.path()).load(&Interrupt::new()).expect("loaded");
        let checksums: Vec<_> = loaded.migrations.iter().map(|migration| migration.checksum()).collect();
        assert_eq!(checksums, ["SELECT 1;", &long].map(|text| crate::model::Checksum::of(text.as_bytes())));
        let ignored: Vec<&str> = loaded.ignored.iter().map(|ignored| ignored.reason.as_str()).collect();
        assert_eq!(ignored, ["a folder", "neither .sql nor .wasm nor .toml nor a script"]);
    }

    #[test]
    fn says_what_is_wrong_with_the_folder() {
        let folder = folder(&[("file", b"")]);
        let cases = [("nowhere", "m: there is no such folder"), ("file", "m: is not a folder")];
        for (name, expected) in cases {
            assert_eq!(problems(&Directory::new(folder.path().join(name))), [expected]);
        }
        assert!(Directory::new(folder.path()).load(&Interrupt::new()).expect("empty").migrations.is_empty());
    }

    #[test]
    fn refuses_a_file_that_is_too_large() {
        let folder = folder(&[("0001_a.sql", b"SELECT 1;"), ("0002_b.sql", b"SELECT 12;")]);
        let source = Directory { largest: 9, ..Directory::new(folder.path()) };
        assert_eq!(problems(&source), ["m/0002_b.sql: is larger than 9 bytes"]);
    }

    #[test]
    fn passes_no_folder_over_that_is_called_like_a_manifest() {
        let folder = folder(&[("0001_a.sql", b"SELECT 1;"), ("0002_b.sql", b"SELECT 1;")]);
        fs::create_dir(folder.path().join("0001_a.toml")).expect("folder");
        fs::create_dir(folder.path().join("notes.toml")).expect("folder");
        let mut expected = vec!["m/0001_a.toml: is not a regular file"];
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("notes.toml", folder.path().join("0002_b.toml")).expect("link");
            expected.push("m/0002_b.toml: is not a regular file");
        }
        assert_eq!(problems(&Directory::new(folder.path())), expected);
        assert_eq!(problems(&Directory::new(folder.path()).recursive(true)), expected);
    }

    #[cfg(unix)]
    #[test]
    fn follows_links_inside_the_folder_only() {
        use std::os::unix::fs::symlink;

        let outside = folder(&[("secret.sql", b"SELECT 1;")]);
        let folder = folder(&[("0001_a.sql", b"SELECT 1;")]);
        let link = |target: &Path, name: &str| symlink(target, folder.path().join(name)).expect("link");
        link(Path::new("0001_a.sql"), "0002_b.sql");
        link(Path::new("nothing"), ".#0001_a.sql");
        assert_eq!(Directory::new(folder.path()).load(&Interrupt::new()).expect("loaded").migrations.len(), 2);

        link(&outside.path().join("secret.sql"), "0003_c.sql");
        link(Path::new("../../../../../../../../etc/passwd"), "0004_d.sql");
        link(Path::new("nothing"), "0005_e.sql");
        link(Path::new("/dev/null"), "0006_f.sql");
        link(Path::new("0007_g.sql"), "0007_g.sql");
        let found = problems(&Directory::new(folder.path()));
        let out = "is a link that leads out of the folder, and is not followed";
        assert_eq!(
            found[..4],
            [
                format!("m/0003_c.sql: {out}"),
                format!("m/0004_d.sql: {out}"),
                "m/0005_e.sql: is a link to nothing, or has gone meanwhile".to_owned(),
                format!("m/0006_f.sql: {out}"),
            ]
        );
        assert!(found[4].starts_with("m/0007_g.sql: cannot be read: "), "{}", found[4]);
    }

    #[cfg(unix)]
    #[test]
    fn what_lies_beside_a_file_that_cannot_be_read_is_not_blamed() {
        let folder =
            folder(&[("0001_a.down.sql", b"SELECT 1;"), ("0002_b.toml", b""), ("0003_c.down.sql", b"SELECT 1;")]);
        for name in ["0001_a.up.sql", "0002_b.wasm"] {
            std::os::unix::fs::symlink("nothing", folder.path().join(name)).expect("link");
        }
        let gone = "is a link to nothing, or has gone meanwhile";
        let expected = [
            format!("m/0001_a.up.sql: {gone}"),
            format!("m/0002_b.wasm: {gone}"),
            "m/0003_c.down.sql: there is no up script for this down script".to_owned(),
        ];
        assert_eq!(problems(&Directory::new(folder.path())), expected);
    }

    #[cfg(unix)]
    #[test]
    fn says_that_no_folder_is_read_by_way_of_a_link() {
        use std::os::unix::fs::symlink;

        let outside = folder(&[("0002_b.sql", b"SELECT 1;")]);
        let folder = folder(&[("0001_a.sql", b"SELECT 1;")]);
        fs::create_dir(folder.path().join("more")).expect("folder");
        fs::write(folder.path().join("more/0003_c.sql"), b"SELECT 1;").expect("file");
        symlink("more", folder.path().join("again")).expect("link");
        symlink(outside.path(), folder.path().join("shared")).expect("link");
        symlink("nothing", folder.path().join("gone")).expect("link");
        symlink("0001_a.sql", folder.path().join("same")).expect("link");
        let told = |recursive| {
            let loaded = Directory::new(folder.path()).recursive(recursive).load(&Interrupt::new()).expect("loaded");
            let reasons: Vec<String> = loaded.ignored.into_iter().map(|ignored| ignored.reason).collect();
            (loaded.migrations.len(), reasons)
        };
        let link = "a link, by way of which no folder is read";
        let other = "neither .sql nor .wasm nor .toml nor a script";
        assert_eq!(told(true), (2, [link, "a link to nothing", other, link].map(str::to_owned).to_vec()));
        assert_eq!(told(false), (1, [other, other, "a folder", other, other].map(str::to_owned).to_vec()));
    }

    #[cfg(unix)]
    #[test]
    fn opens_no_pipe_and_escapes_hostile_names() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        use std::os::unix::net::UnixListener;

        let folder = folder(&[("2_\u{1b}[2J.sql", b""), ("\u{1b}", b"")]);
        fs::write(folder.path().join(OsStr::from_bytes(b"3_\xff.sql")), b"").expect("file");
        let _socket = UnixListener::bind(folder.path().join("1_a.sql")).expect("socket");
        let found = problems(&Directory::new(folder.path()));
        assert_eq!(found[0], "m/1_a.sql: is not a regular file");
        assert!(found[1].starts_with("m/2_\\u{1b}[2J.sql: `\\u{1b}` cannot stand in a name"), "{}", found[1]);
        assert!(found[2].starts_with("m/3_\u{fffd}.sql: `\u{fffd}` cannot stand in a name"), "{}", found[2]);
    }
}
