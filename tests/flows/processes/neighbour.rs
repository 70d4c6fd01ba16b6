//! Another process that starts steps outside a transaction whenever it is most inconvenient. It keeps to the rules: it
//! starts only with the lock, and another gets the lock only when it has finished.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::exec::{Report, StepOutcome};
use whimbrel::plan::{State, Until};

use super::super::crash::{Events, Moment, Watched, assert_same, dump, migrator};
use super::Journal;

/// How long its steps take.
const WORK: Duration = Duration::from_millis(100);
/// Its steps outside a transaction; step 2, an ordinary one, it does before them.
const OWN: [&str; 3] = ["3", "4", "5"];

struct Neighbour {
    database: PathBuf,
    /// Another database of the same chain, with everything applied.
    finished: PathBuf,
    left: Mutex<Vec<&'static str>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Neighbour {
    /// Starts the next of its steps if it gets the lock, and finishes it a little later.
    fn start_a_step(&self) {
        let mut left = self.left.lock().unwrap();
        let path = format!("{}-whimbrel-lock", self.database.display());
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path).unwrap();
        if left.is_empty() || lock.try_lock().is_err() {
            return;
        }
        let connection = Connection::open(&self.database).unwrap();
        connection.busy_timeout(Duration::from_secs(10)).unwrap();
        connection.execute("ATTACH ? AS finished", [self.finished.to_str().unwrap()]).unwrap();
        if left.len() == OWN.len() {
            write(&connection, "2", "applied");
        }
        let version = left.remove(0);
        write(&connection, version, "started");
        *self.thread.lock().unwrap() = Some(std::thread::spawn(move || finish(&connection, version, &lock)));
    }
}

/// Writes the row of a step, and its effect if it is applied.
fn write(connection: &Connection, version: &str, state: &str) {
    let effect = if state == "applied" { format!("INSERT INTO main.log VALUES ({version});") } else { String::new() };
    let row = format!(
        "BEGIN IMMEDIATE; {effect}
         INSERT INTO main._whimbrel_history SELECT * FROM finished._whimbrel_history WHERE version = '{version}';
         UPDATE main._whimbrel_history SET state = '{state}' WHERE version = '{version}'; COMMIT;"
    );
    connection.execute_batch(&row).unwrap();
}

fn finish(connection: &Connection, version: &str, lock: &File) {
    std::thread::sleep(WORK);
    let finish = format!(
        "BEGIN IMMEDIATE; INSERT INTO main.log VALUES ({version});
         UPDATE main._whimbrel_history SET state = 'applied' WHERE version = '{version}'; COMMIT;"
    );
    connection.execute_batch(&finish).unwrap();
    lock.unlock().unwrap();
}

/// Runs `up` beside a neighbour that starts a step whenever one of these events is about to happen.
fn up_beside(migrations: &Path, folder: &Path, inconvenient: &'static [&'static str]) -> Report {
    let (database, finished) = (folder.join("app.db"), folder.join("finished.db"));
    let plain = |database: &Path| migrator(migrations, Sqlite::file(database), Arc::new(()));
    plain(&finished).up(Until::End).unwrap();
    plain(&database).up(Until::Steps(1)).unwrap();
    let neighbour = Arc::new(Neighbour {
        database: database.clone(),
        finished: finished.clone(),
        left: Mutex::new(OWN.to_vec()),
        thread: Mutex::default(),
    });
    let watching = Arc::clone(&neighbour);
    let events = Events::new(Moment::Never).before_each(move |name| {
        if inconvenient.contains(&name) {
            watching.start_a_step();
        }
    });
    let watched = Watched { inner: Sqlite::file(&database), events: events.clone() };
    let report = migrator(migrations, watched, Arc::new(events)).up(Until::End).unwrap();
    let thread = neighbour.thread.lock().unwrap().take();
    thread.expect("the neighbour has started a step").join().unwrap();
    let mut content = dump(&database);
    content.retain(|line| !line.contains("Text(\"main\")"));
    let mut expected = dump(&finished);
    expected.retain(|line| !line.contains("Text(\"main\")"));
    assert_same(&content, &expected);
    report
}

fn chain(folder: &Path) -> PathBuf {
    let migrations = folder.join("migrations");
    std::fs::create_dir(&migrations).unwrap();
    let write = |name: &str, text: &str| std::fs::write(migrations.join(name), text).unwrap();
    write("1_log.sql", "CREATE TABLE log (step INTEGER NOT NULL); INSERT INTO log VALUES (1);");
    write("2_ordinary.sql", "INSERT INTO log VALUES (2);");
    for version in OWN {
        let text = format!("-- whimbrel: transaction = none\nINSERT INTO log VALUES ({version});");
        write(&format!("{version}_outside.sql"), &text);
    }
    write("6_last.sql", "INSERT INTO log VALUES (6);");
    migrations
}

fn done(report: &Report) -> Vec<String> {
    let done = report.steps.iter().filter(|step| step.outcome == StepOutcome::Done);
    done.map(|step| step.step.migration.version.to_string()).collect()
}

#[test]
fn is_waited_for_while_planning() {
    let folder = tempfile::tempdir().unwrap();
    let report = up_beside(&chain(folder.path()), folder.path(), &["table exists"]);
    assert_eq!(done(&report), ["4", "5", "6"]);
}

#[test]
fn is_waited_for_again_and_again_while_running() {
    let folder = tempfile::tempdir().unwrap();
    let report = up_beside(&chain(folder.path()), folder.path(), &["begin"]);
    assert_eq!(done(&report), ["6"]);
}

/// Where another process has started step 2, and what it does when that has ended. Its table of statements goes too.
const STARTED: &str = "
    DELETE FROM log WHERE step > 1;
    DELETE FROM _whimbrel_history WHERE version NOT IN ('1', '2');
    UPDATE _whimbrel_history SET state = 'started' WHERE version = '2';
    CREATE TABLE _whimbrel_history_statements (chain TEXT NOT NULL, migration TEXT NOT NULL, statement INTEGER NOT NULL,
        state TEXT NOT NULL, checksum TEXT NOT NULL, PRIMARY KEY (chain, migration, statement)) WITHOUT ROWID;
    INSERT INTO _whimbrel_history_statements VALUES ('main', '2', 0, 'begun', '');";
const ENDED: &str = "
    BEGIN IMMEDIATE;
    INSERT INTO log VALUES (2);
    UPDATE _whimbrel_history SET state = 'applied' WHERE version = '2';
    DROP TABLE _whimbrel_history_statements;
    COMMIT;";

#[test]
fn ends_a_step_between_any_two_looks_at_the_history() {
    let folder = tempfile::tempdir().unwrap();
    let migrations = chain(folder.path());
    std::fs::remove_file(migrations.join("2_ordinary.sql")).unwrap();
    std::fs::write(migrations.join("2_outside.sql"), "-- whimbrel: transaction = none\nINSERT INTO log VALUES (2);")
        .unwrap();
    let database = folder.path().join("app.db");
    let mut found = Vec::new();
    for moment in 0.. {
        let _ = std::fs::remove_file(&database);
        Journal::Wal.create(&database);
        migrator(&migrations, Sqlite::file(&database), Arc::new(())).up(Until::Steps(2)).unwrap();
        Connection::open(&database).unwrap().execute_batch(STARTED).unwrap();
        let (seen, other) = (Arc::new(AtomicUsize::new(0)), Connection::open(&database).unwrap());
        let other = Mutex::new(other);
        let counted = Arc::clone(&seen);
        let events = Events::new(Moment::Never).before_each(move |_| {
            if counted.fetch_add(1, Ordering::Relaxed) == moment {
                other.lock().unwrap().execute_batch(ENDED).unwrap();
            }
        });
        let watched = Watched { inner: Sqlite::file(&database), events: events.clone() };
        let status = migrator(&migrations, watched, Arc::new(events)).status().unwrap();
        if seen.load(Ordering::Relaxed) <= moment {
            break;
        }
        found.push(status.entries[1].state);
    }
    // Before the history is read, and after: never half of each.
    found.dedup();
    assert_eq!(found, [State::Applied, State::InProgress]);
}
