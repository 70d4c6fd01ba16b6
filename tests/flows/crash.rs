//! A run is killed at every event: every call of the database, every word of a guest, before and after. What is left
//! is the database before or after a step, and the next run finishes the rest.
#![cfg(unix)]

mod backend;
mod events;
mod story;

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use rusqlite::Connection;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::model::AppliedState;
use whimbrel::plan::{Direction, Goal, Until};

use super::processes::Journal;
pub(super) use backend::Watched;
pub(super) use events::{Events, Moment};
use story::{INSIDE, OUTSIDE, SMALL, Story};
pub(super) use story::{assert_same, dump, migrator};

const MOMENT: &str = "WHIMBREL_TEST_CRASH_MOMENT";
const MIGRATIONS: &str = "WHIMBREL_TEST_CRASH_MIGRATIONS";
const DATABASE: &str = "WHIMBREL_TEST_CRASH_DATABASE";
const DIRECTION: &str = "WHIMBREL_TEST_CRASH_DIRECTION";
const SIGKILL: i32 = 9;

/// The process that is killed: this program again, told by its environment what to do.
#[test]
fn is_the_process_that_is_killed() {
    let Ok(moment) = std::env::var(MOMENT) else { return };
    let path = |name| PathBuf::from(std::env::var_os(name).unwrap());
    let database = path(DATABASE);
    let events = Events::new(moment.parse().unwrap());
    let backend = Watched { inner: Sqlite::file(&database), events: events.clone() };
    let migrator = migrator(&path(MIGRATIONS), backend, Arc::new(events.clone()));
    let goal = match std::env::var(DIRECTION).unwrap().as_str() {
        "up" => Goal::Up(Until::End),
        _ => Goal::Down(Until::End),
    };
    migrator.run(&goal).unwrap();
    std::fs::write(database.with_extension("events"), events.names().join("\n")).unwrap();
}

/// A kind of run to be killed.
#[derive(Clone, Copy)]
pub(super) struct Case<'s> {
    pub(super) story: &'s Story,
    pub(super) journal: Journal,
    pub(super) direction: Direction,
}

impl Case<'_> {
    /// Makes the database a run starts from, and prepares that run in a process of its own.
    pub(super) fn command(self, database: &Path, moment: Moment) -> Command {
        self.story.start(database, self.journal, self.direction);
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["flows::crash::is_the_process_that_is_killed", "--exact", "--test-threads=1"])
            .env(MOMENT, moment.text())
            .env(MIGRATIONS, self.story.migrations())
            .env(DATABASE, database)
            .env(DIRECTION, self.direction.as_str())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Runs to the moment and returns how the process ended.
    fn run(self, database: &Path, moment: Moment) -> ExitStatus {
        self.command(database, moment).status().unwrap()
    }

    /// Returns the names of the events of a run that is not killed.
    fn events(self) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("app.db");
        assert!(self.run(&database, Moment::Never).success());
        let reached = if self.direction == Direction::Up { self.story.steps() } else { 0 };
        assert_same(&dump(&database), self.story.expected(self.direction, reached));
        let names = std::fs::read_to_string(database.with_extension("events")).unwrap();
        names.lines().map(str::to_owned).collect()
    }

    /// Kills a run at every moment there is and looks at what it leaves.
    fn kill_at_every_event(self, expected: &[&str], check: impl Fn(Self, &Path) -> Left + Sync) {
        let events = self.events();
        for name in expected {
            assert!(events.iter().any(|event| event == name), "no event is called {name}: {events:#?}");
        }
        let moments: Vec<Moment> = Moment::all(events.len()).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            let mut left = BTreeSet::new();
            while let Some(moment) = moments.get(next.fetch_add(1, Ordering::Relaxed)) {
                let folder = tempfile::tempdir().unwrap();
                let database = folder.path().join("app.db");
                let status = self.run(&database, *moment);
                assert_eq!(status.signal(), Some(SIGKILL), "{moment:?}: {status}");
                left.insert(check(self, &database));
            }
            left
        };
        let left: BTreeSet<Left> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        // Kills at the ends and in the middle have left every state there is.
        let applied: BTreeSet<usize> = left.iter().map(|left| left.applied).collect();
        assert_eq!(applied, (0..=self.story.steps()).collect());
    }
}

/// What a killed run left.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Left {
    pub(super) applied: usize,
    stopped: bool,
}

/// Looks at a killed database: whole, between two steps, and the next run finishes.
pub(super) fn is_between_steps(case: Case<'_>, database: &Path) -> Left {
    let story = case.story;
    let migrator = story.migrator(database);
    // The first to come may only be looking; what the killed process left must not stop it.
    let pending = migrator.status().unwrap().entries.iter().filter(|entry| entry.state.is_pending()).count();
    is_whole(database);
    let applied = migrator.applied().unwrap();
    assert!(applied.iter().all(|row| row.state == AppliedState::Applied));
    assert_eq!(applied.len() + pending, story.steps());
    assert_same(&dump(database), story.expected(case.direction, applied.len()));
    if case.direction == Direction::Down {
        migrator.down(Until::End).unwrap();
        assert_same(&dump(database), story.expected(case.direction, 0));
    }
    migrator.up(Until::End).unwrap();
    assert_same(&dump(database), story.up.last().unwrap());
    is_whole(database);
    Left { applied: applied.len(), stopped: false }
}

fn is_whole(database: &Path) {
    if database.exists() {
        let connection = Connection::open(database).unwrap();
        let result: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(result, "ok");
    }
}

pub(super) fn inside() -> &'static Story {
    static STORY: OnceLock<Story> = OnceLock::new();
    STORY.get_or_init(|| Story::new(INSIDE))
}

const UP: &[&str] = &[
    "open existing",
    "compiling",
    "begin",
    "data version",
    "execute CREATE TABLE \"_whimbrel_history_schema\"",
    "statement of a script",
    "execute INSERT INTO \"_whimbrel_history\"",
    "set foreign keys",
    "check foreign keys",
    "prepare",
    "open cursor",
    "fetch",
    "execute batch",
    "savepoint",
    "rollback to",
    "release",
    "guest log",
    "guest progress",
    "commit",
    "rollback",
];
const DOWN: &[&str] = &["begin", "execute UPDATE \"_whimbrel_history\" SET", "set foreign keys", "commit"];

#[test]
fn up_on_a_rollback_journal() {
    let case = Case { story: inside(), journal: Journal::Rollback, direction: Direction::Up };
    case.kill_at_every_event(UP, is_between_steps);
}

#[test]
fn up_on_a_write_ahead_log() {
    let case = Case { story: inside(), journal: Journal::Wal, direction: Direction::Up };
    case.kill_at_every_event(UP, is_between_steps);
}

#[test]
fn down_on_a_rollback_journal() {
    let case = Case { story: inside(), journal: Journal::Rollback, direction: Direction::Down };
    case.kill_at_every_event(DOWN, is_between_steps);
}

#[test]
fn down_on_a_write_ahead_log() {
    let case = Case { story: inside(), journal: Journal::Wal, direction: Direction::Down };
    case.kill_at_every_event(DOWN, is_between_steps);
}

/// Looks at a killed database that the run had kept to itself: also the file is in the end as if nothing had been.
fn is_between_steps_and_given_back(case: Case<'_>, database: &Path) -> Left {
    let left = is_between_steps(case, database);
    let connection = Connection::open(database).unwrap();
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    let rows = "SELECT count(*) FROM _whimbrel_history_schema";
    let rows: i64 = connection.query_row(rows, [], |row| row.get(0)).unwrap();
    assert_eq!((mode.as_str(), rows), ("delete", 1));
    for ending in ["db-wal", "db-shm", "db-journal"] {
        assert!(!database.with_extension(ending).exists(), "{ending}");
    }
    left
}

#[test]
fn while_the_database_is_kept() {
    let story = Story::new(SMALL);
    let case = Case { story: &story, journal: Journal::Rollback, direction: Direction::Up };
    case.kill_at_every_event(&["keep", "commit"], is_between_steps_and_given_back);
}

/// Looks at a database whose run was killed in or around a step outside a transaction: the next run goes on at the
/// statement that was not run, and every statement has run once.
fn goes_on_at_the_right_statement(case: Case<'_>, database: &Path) -> Left {
    let story = case.story;
    let migrator = story.migrator(database);
    let applied = migrator.applied().unwrap();
    let stopped = applied.iter().find(|row| row.state == AppliedState::Started);
    let logged = || -> String {
        let connection = Connection::open(database).unwrap();
        let steps = "SELECT group_concat(step) FROM (SELECT step FROM log ORDER BY rowid)";
        connection.query_row(steps, [], |row| row.get(0)).unwrap()
    };
    let Some(stopped) = stopped else { return is_between_steps(case, database) };
    is_whole(database);
    let (before, after): (usize, &[&str]) = match stopped.name.as_str() {
        "outside" => (1, &["1", "1,20", "1,20,21,22", "1,20,21,22,23"]),
        _ => (3, &["1,20,21,22,23,3", "1,20,21,22,23,3,40", "1,20,21,22,23,3,40,41", "1,20,21,22,23,3,40,41,42"]),
    };
    assert!(after.contains(&logged().as_str()), "{}", logged());
    assert_eq!(migrator.pending().unwrap().len(), 4 - before);
    migrator.up(Until::End).unwrap();
    assert_eq!(logged(), "1,20,21,22,23,3,40,41,42");
    // How much the step has used is not the same when it was begun twice.
    let content = |dump: &[String]| -> Vec<String> {
        let counts = |line: &String| line.contains("Text(\"outside\")") || line.contains("Text(\"steps_out\")");
        dump.iter().filter(|line| !counts(line)).cloned().collect()
    };
    assert_same(&content(&dump(database)), &content(story.up.last().unwrap()));
    is_whole(database);
    Left { applied: before, stopped: true }
}

#[test]
fn outside_a_transaction() {
    let story = Story::new(OUTSIDE);
    for journal in [Journal::Rollback, Journal::Wal] {
        let case = Case { story: &story, journal, direction: Direction::Up };
        let expected = ["lock run", "commit", "statement of a script", "execute INSERT OR REPLACE"];
        case.kill_at_every_event(&expected, goes_on_at_the_right_statement);
    }
}
