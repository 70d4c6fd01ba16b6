//! A folder with migrations and a database, and the program running in it.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use super::{filter, program};

/// A temporary project.
pub(crate) struct Project {
    folder: TempDir,
}

/// What a run of the program left: its exit code and what it wrote.
pub(crate) struct Outcome {
    /// The exit code.
    pub(crate) code: i32,
    /// What it wrote to stdout, with times and paths that change replaced.
    pub(crate) stdout: String,
    /// What it wrote to stderr, likewise.
    pub(crate) stderr: String,
}

impl Project {
    /// Makes an empty project.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// Makes a project with a folder of these migrations and `whimbrel.toml`.
    pub(crate) fn with(migrations: &[(&str, &str)]) -> Self {
        let project = Self::new();
        fs::create_dir(project.path("migrations")).expect("folder");
        project.write("whimbrel.toml", "database = \"sqlite:app.db\"\n");
        for (name, contents) in migrations {
            project.write(&format!("migrations/{name}"), contents);
        }
        project
    }

    /// Makes a project with two migrations, both of which can be reverted.
    pub(crate) fn notes() -> Self {
        Self::with(&[
            ("0001_create_note.up.sql", "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL);\n"),
            ("0001_create_note.down.sql", "DROP TABLE note;\n"),
            ("0002_first_notes.up.sql", "INSERT INTO note (text) VALUES ('one'), ('two');\n"),
            ("0002_first_notes.down.sql", "DELETE FROM note;\n"),
        ])
    }

    /// Returns the path of a file.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and the folders it is in.
    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("folder");
        fs::write(path, contents).expect("file");
    }

    /// Reads a file.
    pub(crate) fn read(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).expect("UTF-8")
    }

    /// Reads a file's bytes.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect(name)
    }

    /// Removes a file.
    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).expect(name);
    }

    /// Returns the names of the files in a folder, in order.
    pub(crate) fn list(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).expect(folder);
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Opens the database.
    pub(crate) fn database(&self) -> Connection {
        Connection::open(self.path("app.db")).expect("database")
    }

    /// Runs a query for one number.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.database().query_row(sql, [], |row| row.get(0)).expect(sql)
    }

    /// Prepares a run of the program without any of this process's environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program::path());
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("HOME", self.folder.path()).env("WHIMBREL_CACHE", program::cache());
        command
    }

    /// Runs the program.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.outcome(&self.command(arguments).output().expect("the program runs"))
    }

    /// Runs the program and expects it to end well.
    pub(crate) fn ok(&self, arguments: &[&str]) -> Outcome {
        let outcome = self.run(arguments);
        assert_eq!(outcome.code, 0, "{outcome}");
        outcome
    }

    /// Runs the program with one variable in its environment.
    pub(crate) fn run_with(&self, name: &str, value: &str, arguments: &[&str]) -> Outcome {
        self.outcome(&self.command(arguments).env(name, value).output().expect("the program runs"))
    }

    /// Makes an outcome of what a run left.
    pub(crate) fn outcome(&self, output: &Output) -> Outcome {
        let text = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).expect("the program writes UTF-8");
            filter::stable(&text, self.folder.path())
        };
        Outcome { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Runs `action` and asserts that it left the database as it was, byte for byte, with no file beside it.
    pub(crate) fn unchanged<R>(&self, action: impl FnOnce() -> R) -> R {
        let before = snapshot(self.folder.path());
        let result = action();
        assert!(snapshot(self.folder.path()) == before, "the database has changed");
        result
    }
}

/// Returns every file whose name begins with that of the database, with its bytes.
fn snapshot(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(folder).expect("folder").map(|entry| entry.expect("entry").path());
    let mut files: Vec<_> = entries
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("app.db")))
        .map(|path| (path.clone(), fs::read(path).expect("file")))
        .collect();
    files.sort();
    files
}

impl Outcome {
    /// Reads stdout as JSON and checks that it names its schema.
    pub(crate) fn json(&self, schema: &str) -> Value {
        let value: Value = serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self}"));
        assert_eq!(value["schema"], format!("whimbrel/{schema}/1"), "{self}");
        value
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "exit {}", self.code)?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                write!(formatter, "\n--- {name}\n{text}")?;
            }
        }
        Ok(())
    }
}
