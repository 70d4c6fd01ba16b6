//! A run whose plan another process makes false while it waits for its turn: it stops before it takes the wrong step.

use std::fmt::Debug;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tracing::Subscriber;
use tracing::field::Field;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use whimbrel::db::sqlite::Sqlite;
use whimbrel::db::{Backend, OpenOptions};
use whimbrel::exec::{Event, Observer, Report, StepOutcome};
use whimbrel::plan::{Goal, Until};
use whimbrel::source::Directory;
use whimbrel::{Error, Interrupt, Migrator};

use super::SOON;
use crate::harness::{Project, listen};

type Work = Box<dyn FnOnce() + Send>;

/// Does something just before a run takes the lock for one of its steps.
struct Before(usize, Mutex<Option<Work>>);

impl Observer for Before {
    fn event(&self, event: &Event<'_>) {
        if matches!(event, Event::StepStarted { number, .. } if *number == self.0)
            && let Some(work) = self.1.lock().unwrap().take()
        {
            work();
        }
    }
}

fn migrator(folder: &Path, observer: Arc<dyn Observer>) -> Migrator {
    let source = Directory::new(folder.join("migrations"));
    Migrator::builder().source(source).database(Sqlite::file(folder.join("app.db"))).observer(observer).build().unwrap()
}

/// A chain of which some is applied; each can be reverted.
fn three(applied: usize) -> Project {
    let project = Project::new();
    for version in 1..=3 {
        project.write(&format!("migrations/{version}_m.up.sql"), format!("CREATE TABLE t{version} (x);"));
        project.write(&format!("migrations/{version}_m.down.sql"), format!("DROP TABLE t{version};"));
    }
    migrator(&project.path(""), Arc::new(())).up(Until::Steps(applied)).unwrap();
    project
}

/// Has another migrator do something before a step of a run.
fn before(project: &Project, step: usize, other: impl FnOnce(Migrator) + Send + 'static) -> Migrator {
    let folder = project.path("");
    let plain = migrator(&folder, Arc::new(()));
    let work: Work = Box::new(move || other(plain));
    migrator(&folder, Arc::new(Before(step, Mutex::new(Some(work)))))
}

fn assert_overtaken(error: Error, words: &str) {
    let Error::Run(error) = error else { panic!("{error}") };
    assert_eq!(error.source.to_string(), format!("another process changed the history meanwhile: {words}"));
}

fn applied(project: &Project) -> Vec<i64> {
    let database = project.database();
    let mut live =
        database.prepare("SELECT version FROM _whimbrel_history WHERE ended_at IS NULL ORDER BY id").unwrap();
    let versions = live.query_map([], |row| row.get::<_, String>(0)).unwrap();
    versions.map(|version| version.unwrap().parse().unwrap()).collect()
}

#[test]
fn what_was_applied_meanwhile_is_not_left_standing_on_what_a_down_reverts() {
    for until in [Until::Steps(1), Until::Version(1.into()), Until::End] {
        let project = three(2);
        let down = before(&project, 1, |other| drop(other.up(Until::End).unwrap()));
        assert_overtaken(down.down(until).unwrap_err(), "it is not the turn of migration 2 m: 3 m comes first now");
        assert_eq!(applied(&project), [1, 2, 3]);
    }
}

#[test]
fn what_was_reverted_meanwhile_is_not_passed_over_by_an_up() {
    let project = three(2);
    let up = before(&project, 1, |other| drop(other.down(Until::End).unwrap()));
    assert_overtaken(up.up(Until::End).unwrap_err(), "it is not the turn of migration 3 m: 1 m comes first now");
    assert!(applied(&project).is_empty());
}

#[test]
fn what_another_has_done_of_the_plan_already_is_no_reason_to_stop() {
    let project = three(1);
    let up = before(&project, 2, |other| drop(other.up(Until::End).unwrap()));
    let outcomes: Vec<_> = up.up(Until::End).unwrap().steps.iter().map(|step| step.outcome).collect();
    assert_eq!(outcomes, [StepOutcome::Done, StepOutcome::DoneElsewhere]);
    let down = before(&project, 1, |other| drop(other.down(Until::Steps(1)).unwrap()));
    let outcomes: Vec<_> = down.down(Until::Steps(2)).unwrap().steps.iter().map(|step| step.outcome).collect();
    assert_eq!(outcomes, [StepOutcome::DoneElsewhere, StepOutcome::Done]);
    assert_eq!(applied(&project), [1]);
}

#[test]
fn what_was_left_out_holds_nothing_up_when_others_write_meanwhile() {
    let project = Project::new();
    project.write("migrations/1_skipped.sql", "-- whimbrel: skip_unless = SELECT 0\nCREATE TABLE s (x);");
    project.write("migrations/2_m.sql", "CREATE TABLE t2 (x);");
    project.write("migrations/3_m.sql", "CREATE TABLE t3 (x);");
    let path = project.path("app.db");
    let up = before(&project, 3, move |_| {
        rusqlite::Connection::open(path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    });
    let outcomes: Vec<_> = up.up(Until::End).unwrap().steps.iter().map(|step| step.outcome).collect();
    assert_eq!(outcomes, [StepOutcome::Skipped, StepOutcome::Done, StepOutcome::Done]);
}

#[test]
fn what_was_left_out_is_no_leave_for_others_to_come_late() {
    let project = Project::new();
    project.write("migrations/1_skipped.sql", "-- whimbrel: skip_unless = SELECT 0\nCREATE TABLE s (x);");
    project.write("migrations/2_m.sql", "CREATE TABLE t2 (x);");
    project.write("migrations/3_m.sql", "CREATE TABLE t3 (x);");
    let folder = project.path("");
    let up = before(&project, 2, move |_| {
        let newer = folder.join("newer");
        std::fs::create_dir_all(newer.join("migrations")).unwrap();
        std::fs::write(newer.join("migrations/3_m.sql"), "CREATE TABLE t3 (x);").unwrap();
        let source = Directory::new(newer.join("migrations"));
        let newer = Migrator::builder().source(source).database(Sqlite::file(folder.join("app.db"))).build().unwrap();
        newer.up(Until::End).unwrap();
    });
    let Err(Error::Run(error)) = up.up(Until::End) else { panic!("2 m came after 3 m") };
    let words = error.source.to_string();
    assert!(words.contains("2 m") && !words.contains("1 skipped"), "{words}");
    assert_eq!(applied(&project), [3]);
}

#[test]
fn what_was_reverted_before_it_was_taken_back_is_not_applied_again() {
    let project = three(2);
    let redo = before(&project, 1, |other| drop(other.down(Until::End).unwrap()));
    assert_overtaken(redo.redo(1).unwrap_err(), "it is not the turn of migration 2 m: others were applied or reverted");
    assert!(applied(&project).is_empty());
}

#[test]
fn what_is_taken_back_and_applied_again_stands_on_the_same_both_times() {
    let project = three(2);
    let redo = before(&project, 1, |other| drop(other.up(Until::End).unwrap()));
    assert_overtaken(redo.redo(1).unwrap_err(), "it is not the turn of migration 2 m: others were applied or reverted");
    assert_eq!(applied(&project), [1, 2, 3]);
    let redo = before(&project, 2, |other| drop(other.down(Until::Steps(1)).unwrap()));
    let words = "it is not the turn of migration 3 m: others were applied or reverted";
    assert_overtaken(redo.redo(1).unwrap_err(), words);
    assert_eq!(applied(&project), [1]);
    // Another one has applied it again already.
    project.run(&["up"]);
    let redo = before(&project, 2, |other| drop(other.up(Until::End).unwrap()));
    assert_eq!(redo.redo(1).unwrap().steps[1].outcome, StepOutcome::DoneElsewhere);
    assert_eq!(applied(&project), [1, 2, 3]);
}

#[test]
fn what_runs_again_with_a_redo_is_no_change_of_others() {
    let project = three(1);
    project.write("migrations/R__view.sql", "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT x FROM t1;");
    migrator(&project.path(""), Arc::new(())).up(Until::End).unwrap();
    for step in 1..=3 {
        let (path, table) = (project.path("app.db"), format!("CREATE TABLE theirs{step} (x)"));
        let redo = before(&project, step, move |_| {
            rusqlite::Connection::open(path).unwrap().execute_batch(&table).unwrap();
        });
        let titles: Vec<String> = redo.redo(1).unwrap().steps.iter().map(|step| step.step.title()).collect();
        assert_eq!(titles, ["3 m", "3 m", "view"]);
    }
}

#[test]
fn a_dry_run_chooses_its_steps_once_it_has_the_lock() {
    let project = three(2);
    let other = project.database();
    other
        .execute_batch(
            "BEGIN IMMEDIATE; DROP TABLE t2; UPDATE _whimbrel_history SET state = 'reverted', \
             ended_at = '2026-01-01T00:00:00.000Z' WHERE version = '2';",
        )
        .unwrap();
    let trying = Trying::begin(&project);
    trying.hear("planned");
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(trying.outcomes(), [StepOutcome::DoneElsewhere]);
    assert_eq!(applied(&project), [1]);
}

#[test]
fn a_dry_run_waits_for_whoever_is_in_the_middle_of_a_step() {
    let project = three(2);
    let database = Sqlite::file(project.path("app.db"));
    let options = OpenOptions { lock_timeout: Duration::ZERO, interrupt: Interrupt::new(), record: false };
    let mut session = database.open(&options).unwrap();
    let lock = session.lock_run(None).unwrap();
    let other = project.database();
    other.execute_batch("BEGIN IMMEDIATE; UPDATE _whimbrel_history SET state = 'started' WHERE version = '2'").unwrap();
    let trying = Trying::begin(&project);
    trying.hear("planned");
    other.execute_batch("COMMIT").unwrap();
    trying.hear("waits for a step outside a transaction");
    other
        .execute_batch(
            "DROP TABLE t2; UPDATE _whimbrel_history SET state = 'reverted', ended_at = '2026-01-01T00:00:00.000Z' \
             WHERE version = '2';",
        )
        .unwrap();
    drop(lock);
    assert_eq!(trying.outcomes(), [StepOutcome::DoneElsewhere]);
    assert_eq!(applied(&project), [1]);
}

/// A dry run of the last step back, on a thread of its own.
struct Trying {
    thread: JoinHandle<Result<Report, Error>>,
    says: Receiver<String>,
}

impl Trying {
    fn begin(project: &Project) -> Self {
        let folder = project.path("");
        let (words, says) = mpsc::channel();
        let subscriber = tracing_subscriber::registry().with(Words(words));
        let work = move || listen(subscriber, || migrator(&folder, Arc::new(())).dry_run(&Goal::UNDO_LAST));
        Self { thread: std::thread::spawn(work), says }
    }

    /// Waits until it says this.
    fn hear(&self, words: &str) {
        while self.says.recv_timeout(SOON).unwrap_or_else(|error| panic!("{words}: {error}")) != words {}
    }

    fn outcomes(self) -> Vec<StepOutcome> {
        self.thread.join().unwrap().unwrap().steps.iter().map(|step| step.outcome).collect()
    }
}

/// Hands on what is told `tracing`.
struct Words(Sender<String>);

impl<S: Subscriber> Layer<S> for Words {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        event.record(&mut |field: &Field, value: &dyn Debug| {
            if field.name() == "message" {
                // Nobody may be listening any more.
                let _ = self.0.send(format!("{value:?}"));
            }
        });
    }
}
