//! The same bytes on the same data give the same result: what guests see of the world, and that two runs agree.

mod sql;
mod twice;
pub(crate) mod wasi;
mod wasm;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use tempfile::TempDir;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::exec::{Event, Observer, Report, StepError};
use whimbrel::plan::Until;
use whimbrel::source::Directory;
use whimbrel::wasm::{ComponentCache, PluginError};
use whimbrel::{Error, LogLevel, Migrator};

use super::guests::workspace;

/// Hears what guests log.
#[derive(Default)]
struct Ears(Mutex<Vec<(LogLevel, String)>>);

impl Observer for Ears {
    fn event(&self, event: &Event<'_>) {
        if let Event::Log { level, message, .. } = event {
            self.0.lock().unwrap().push((*level, (*message).to_owned()));
        }
    }
}

/// A folder of migrations and a database.
struct House {
    folder: TempDir,
    ears: Arc<Ears>,
}

impl House {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("migrations")).unwrap();
        let house = Self { folder, ears: Arc::default() };
        for (name, contents) in files {
            house.write(name, contents);
        }
        house
    }

    fn write(&self, name: &str, contents: &[u8]) {
        std::fs::write(self.folder.path().join("migrations").join(name), contents).unwrap();
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("app.db")
    }

    fn migrator(&self) -> Migrator {
        Migrator::builder()
            .source(Directory::new(self.folder.path().join("migrations")))
            .database(Sqlite::file(self.database()))
            .component_cache(ComponentCache::Folder(workspace().join("target/test-component-cache")))
            .observer(Arc::clone(&self.ears) as Arc<dyn Observer>)
            .build()
            .unwrap()
    }

    fn up(&self) -> Result<Report, Error> {
        self.migrator().up(Until::End)
    }

    fn fails_as_guest(&self) -> PluginError {
        match self.up() {
            Err(Error::Run(error)) => match error.source {
                StepError::Guest(error) => *error,
                other => panic!("expected the guest's own failure, got {other:?}"),
            },
            other => panic!("expected the guest's own failure, got {other:?}"),
        }
    }

    fn query(&self, sql: &str) -> Vec<String> {
        let connection = Connection::open(self.database()).unwrap();
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    /// What a guest of `tests/guests/wasi` was told.
    fn told(&self) -> BTreeMap<String, String> {
        let connection = Connection::open(self.database()).unwrap();
        let mut statement = connection.prepare("SELECT what, answer FROM told").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    fn heard(&self) -> Vec<(LogLevel, String)> {
        self.ears.0.lock().unwrap().clone()
    }
}
