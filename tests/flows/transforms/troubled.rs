//! Transforms in chunks among other writers, locks, full disks and kills: every row once, whatever happens between.

use std::num::NonZeroU64;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::Connection;
use whimbrel::exec::{Event, Observer, StepError, Throttle};
use whimbrel::plan::{State, Until};
use whimbrel::{Error, Interrupt};

use super::{SPLIT, Stage, chain, counts, people};

const COUNT: &str = "[transform]\ntable = 'person'\nread = ['n']\nwrite = ['n']\nchunk = 500\n";

/// Does something at each chunk that is committed.
struct AtChunk<F: Fn(u64) + Send + Sync>(F);

impl<F: Fn(u64) + Send + Sync> Observer for AtChunk<F> {
    fn event(&self, event: &Event<'_>) {
        if let Event::ChunkCommitted { done, .. } = event {
            self.0(*done);
        }
    }
}

#[test]
fn a_throttle_waits_between_chunks_and_ends_with_an_interrupt() {
    for throttle in [Throttle::RowsPerSecond(NonZeroU64::MIN), Throttle::Pause(Duration::from_secs(3000))] {
        let stage = Stage::new(&people(3000), "split", &format!("{SPLIT}chunk = 1000"));
        let interrupt = stage.interrupt.clone();
        let chunks = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&chunks);
        let observer = AtChunk(move |done| {
            heard.lock().unwrap().push(done);
            interrupt.raise();
        });
        let migrator = stage.builder().observer(Arc::new(observer)).throttle(throttle).build().unwrap();
        match migrator.up(Until::End) {
            Err(Error::Run(error)) => assert!(matches!(error.source, StepError::Interrupted), "{error:?}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(*chunks.lock().unwrap(), [1000]);
        assert_eq!(stage.lines("SELECT count(first_name) FROM person"), ["1000"]);
    }
    // Without a pause that matters it goes through.
    let stage = Stage::new(&people(3000), "split", &format!("{SPLIT}chunk = 1000"));
    for rate in ["1000000", "1ms", "1_000_000/s"] {
        let run = stage.program(&["up", "--throttle", rate]);
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    }
    let wrong = stage.program(&["up", "--throttle", "slowly"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("write rows a second, such as 5000"), "{wrong:?}");
}

/// Runs a transform of chunks of ten rows until so many are done.
fn until(stage: &Stage, rows: u64) {
    let interrupt = stage.interrupt.clone();
    let stops = AtChunk(move |done| {
        if done >= rows {
            interrupt.raise();
        }
    });
    stage.builder().observer(Arc::new(stops)).build().unwrap().up(Until::End).unwrap_err();
    stage.interrupt.reset();
}

#[test]
fn a_throttle_counts_the_rows_of_its_own_run() {
    let stage = Stage::new(&people(3020), "split", &format!("{SPLIT}chunk = 10"));
    until(&stage, 3000);
    // A fifth of a second for a chunk; with the rows of the run before it would be a minute.
    let throttle = Throttle::RowsPerSecond(NonZeroU64::new(50).unwrap());
    let patience = Interrupt::new().within(Duration::from_secs(40));
    let report = stage.builder().throttle(throttle).interrupt(patience).build().unwrap().up(Until::End).unwrap();
    assert_eq!(report.steps[0].rows, Some(counts(3020, 3020, 0, 0)));
}

#[test]
fn a_damaged_row_in_progress_is_named_by_a_dry_run_too() {
    let stage = Stage::new(&people(30), "split", &format!("{SPLIT}chunk = 10"));
    until(&stage, 10);
    let damage = "UPDATE _whimbrel_history SET details = '{\"checkpoint\": 7}' WHERE version = '2'";
    Connection::open(stage.database()).unwrap().execute_batch(damage).unwrap();
    let before = std::fs::read(stage.database()).unwrap();
    for arguments in [["up", "--dry-run", "--json"].as_slice(), &["up", "--json"]] {
        let run = stage.program(arguments);
        let json: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
        assert_eq!((run.status.code(), json["code"].as_str()), (Some(1), Some("history-row")), "{json}");
        assert!(json["hint"].as_str().unwrap().contains("`whimbrel repair 2 --restart`"), "{json}");
    }
    assert!(std::fs::read(stage.database()).unwrap() == before, "the database changed");
}

#[test]
fn a_trap_in_the_third_chunk_keeps_the_two_before() {
    let schema = format!("{}; UPDATE person SET full_name = 'bad ' || id WHERE id = 2017", people(5000));
    let stage = Stage::new(&schema, "panic", &format!("{SPLIT}chunk = 1000"));
    let message = chain(&stage.up().unwrap_err());
    assert!(message.contains("stopped at the rows of person from id 2001 to id 3000"), "{message}");
    assert!(message.contains("the parser met bad 2017"), "{message}");
    assert_eq!(
        stage.lines("SELECT count(first_name), max(id) FILTER (WHERE first_name NOT NULL) FROM person"),
        ["2000|2000"]
    );
    assert_eq!(stage.migrator().status().unwrap().entries[1].state, State::InProgress);
    let connection = Connection::open(stage.database()).unwrap();
    connection.execute_batch("UPDATE person SET full_name = 'Good Name' WHERE id = 2017").unwrap();
    assert_eq!(stage.counts(), counts(5000, 5000, 0, 0));
}

#[test]
fn one_that_another_run_has_begun_anew_is_let_alone() {
    let another = "UPDATE _whimbrel_history SET run_id = 'another' WHERE version = '2'";
    let gone = "DELETE FROM _whimbrel_history WHERE version = '2'";
    for change in [another, gone] {
        let stage = Stage::new(&people(3000), "split", &format!("{SPLIT}chunk = 1000"));
        let database = stage.database();
        let observer = AtChunk(move |_| Connection::open(&database).unwrap().execute_batch(change).unwrap());
        let migrator = stage.builder().observer(Arc::new(observer)).build().unwrap();
        let message = chain(&migrator.up(Until::End).unwrap_err());
        assert!(message.contains("its row in the history has gone meanwhile, or another run has begun"), "{message}");
        assert_eq!(stage.lines("SELECT count(first_name) FROM person"), ["1000"]);
    }
}

#[test]
fn a_failure_on_row_17_and_a_broken_constraint_name_the_row() {
    let schema = format!("{}; UPDATE person SET full_name = 'bad ' || id WHERE id = 17", people(40));
    let message = Stage::new(&schema, "picky", SPLIT).fails();
    assert_eq!(message, "the row of person with id 17 cannot be transformed: bad 17 is no name");
    let schema = format!(
        "{}; CREATE UNIQUE INDEX one ON person (first_name); UPDATE person SET full_name = 'Given3 Twin' WHERE id = 1700",
        people(3000)
    );
    let stage = Stage::new(&schema, "split", &format!("{SPLIT}chunk = 1000"));
    let message = chain(&stage.up().unwrap_err());
    assert!(message.contains("with id 1700 cannot be written to person") && message.contains("UNIQUE"), "{message}");
    assert_eq!(stage.lines("SELECT count(first_name) FROM person"), ["1000"]);
}

#[test]
fn text_that_is_not_utf8_is_told_with_its_place() {
    let schema = "CREATE TABLE person (id INTEGER PRIMARY KEY, full_name TEXT, first_name TEXT, last_name TEXT);
        INSERT INTO person (full_name) VALUES ('a b'), ('c d'), ('e f'), (CAST(x'61ff' AS TEXT)), ('g h')";
    for chunk in ["'whole'", "4"] {
        let message = Stage::new(schema, "split", &format!("{SPLIT}chunk = {chunk}")).fails();
        assert!(message.starts_with("the row of person with id 4 cannot be read: column full_name of"), "{message}");
        assert!(message.contains("UTF-8"), "{message}");
    }
    let stage = Stage::new(schema, "split", &format!("{SPLIT}chunk = 2"));
    let message = chain(&stage.up().unwrap_err());
    assert!(message.contains("the row of person with id 4 cannot be read"), "{message}");
    // A key that cannot be read itself is not named.
    let schema =
        "CREATE TABLE t (k TEXT PRIMARY KEY, n) WITHOUT ROWID; INSERT INTO t VALUES (CAST(x'61ff' AS TEXT), 0)";
    let message = Stage::new(schema, "count", "[transform]\ntable = 't'\nread = ['n']\nwrite = ['n']").fails();
    assert!(message.starts_with("cannot read t: column k of"), "{message}");
}

#[test]
fn what_stays_of_chunks_is_told_only_where_something_stays() {
    let note = "the chunks of migration 2 transform before it stay done";
    let said = |stage: &Stage| {
        let run = stage.program(&["up"]);
        assert_eq!(run.status.code(), Some(1), "{run:?}");
        String::from_utf8(run.stderr).unwrap()
    };
    for (bad, stays) in [(1, false), (17, true)] {
        let schema = format!("{}; UPDATE person SET full_name = 'bad ' || id WHERE id = {bad}", people(20));
        let stage = Stage::new(&schema, "picky", &format!("{SPLIT}chunk = 10"));
        // The second time the chunks are those of an earlier run.
        for _ in 0..2 {
            let said = said(&stage);
            assert_eq!(said.contains(note), stays, "{said}");
            assert_eq!(said.contains("migration 2 transform was rolled back"), !stays, "{said}");
        }
    }
    // A key that is broken until the transaction ends fails at the commit, here of the second chunk.
    let schema = format!(
        "CREATE TABLE known (name TEXT PRIMARY KEY); {};
         INSERT INTO known SELECT 'Given' || id FROM person WHERE id <> 17",
        people(20).replace("first_name TEXT", "first_name TEXT REFERENCES known DEFERRABLE INITIALLY DEFERRED")
    );
    let stage = Stage::new(&schema, "split", &format!("{SPLIT}chunk = 10"));
    let said = said(&stage);
    assert!(said.contains("cannot commit") && said.contains(note), "{said}");
}

#[test]
fn a_lock_between_two_chunks_is_waited_for_and_told_when_it_stays() {
    let stage = Stage::new(&people(3000), "count", COUNT);
    let holder = Arc::new(Mutex::new(None::<Connection>));
    let (held, database) = (Arc::clone(&holder), stage.database());
    let observer = AtChunk(move |done| {
        if done == 1000 {
            let connection = Connection::open(&database).unwrap();
            connection.execute_batch("BEGIN IMMEDIATE").unwrap();
            held.lock().unwrap().replace(connection);
        }
    });
    let migrator =
        stage.builder().observer(Arc::new(observer)).lock_timeout(Duration::from_millis(50)).build().unwrap();
    let message = chain(&migrator.up(Until::End).unwrap_err());
    assert!(message.contains("cannot begin a transaction") && message.contains("SQLITE_BUSY"), "{message}");
    drop(holder.lock().unwrap().take());
    assert_eq!(stage.lines("SELECT count(n), max(n) FROM person"), ["1000|1"]);
    assert_eq!(stage.counts(), counts(3000, 3000, 0, 0));
    assert_eq!(stage.lines("SELECT count(n), max(n) FROM person"), ["3000|1"]);
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_grow_stops_it_after_whole_chunks() {
    let schema = format!("{}; CREATE TABLE copy (n INTEGER, filler TEXT);", people(4000));
    let into = "[transform]\ntable = 'person'\nread = ['full_name']\nwrite = ['filler']\ninto = 'copy'\nchunk = 500\n";
    let stage = Stage::new(&schema, "long", into);
    let size = std::fs::metadata(stage.database()).unwrap().len();
    // In blocks of 1024 bytes, as the shell counts.
    let most = size / 1024 + 1500;
    let program = stage.command(&["up"]);
    let mut limited = std::process::Command::new("bash");
    limited.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {most}; exec \"$0\" \"$@\"")).arg(program.get_program());
    limited.args(program.get_args()).current_dir(stage.folder());
    limited.env("WHIMBREL_CACHE", super::workspace().join("target/test-component-cache"));
    let failed = limited.output().unwrap();
    assert_eq!(failed.status.code(), Some(1), "{}", String::from_utf8_lossy(&failed.stderr));
    let said = String::from_utf8(failed.stderr).unwrap();
    assert!(said.contains("SQLITE_FULL") || said.contains("SQLITE_IOERR"), "{said}");
    let copied: u64 = stage.lines("SELECT count(*) FROM copy")[0].parse().unwrap();
    assert!(copied > 0 && copied < 4000 && copied.is_multiple_of(500), "{copied}");
    assert_eq!(stage.counts(), counts(4000, 4000, 0, 0));
    assert_eq!(stage.lines("SELECT count(*), count(DISTINCT filler) FROM copy"), ["4000|4000"]);
}

#[test]
fn killed_among_other_writers_every_row_is_transformed_once() {
    let stage = Stage::new(&people(20_000), "count", COUNT);
    Connection::open(stage.database()).unwrap().execute_batch("PRAGMA journal_mode = WAL").unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Writes what the transform does not, adds rows at the end, takes rows away anywhere.
        scope.spawn(|| {
            let connection = Connection::open(stage.database()).unwrap();
            connection.busy_timeout(Duration::from_secs(60)).unwrap();
            let mut turn = 0_i64;
            while !over.load(Ordering::Relaxed) {
                turn += 1;
                let at = turn * 7919 % 20_000;
                connection
                    .execute_batch(&format!(
                        "BEGIN IMMEDIATE; UPDATE person SET full_name = 'Changed {turn}' WHERE id = {at};
                         INSERT INTO person (full_name) VALUES ('Late {turn}'); DELETE FROM person WHERE id = {}; COMMIT;",
                        (at + 11) % 20_000
                    ))
                    .unwrap();
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        let mut kills = 0;
        loop {
            let mut child = stage.command(&["up"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let began = std::time::Instant::now();
            let patience = Duration::from_millis(40 + 31 * kills);
            let ended = loop {
                if let Some(status) = child.try_wait().unwrap() {
                    break Some(status);
                }
                if began.elapsed() > patience && kills < 10 {
                    child.kill().unwrap();
                    child.wait().unwrap();
                    break None;
                }
                std::thread::sleep(Duration::from_millis(1));
            };
            assert_eq!(stage.lines("SELECT coalesce(max(n), 1) FROM person"), ["1"], "a row was transformed twice");
            match ended {
                Some(status) => {
                    assert!(status.success());
                    break;
                }
                None => kills += 1,
            }
        }
        over.store(true, Ordering::Relaxed);
        assert!(kills > 0);
    });
    // Whatever was there when its chunk was read is transformed; what came behind the last key is not.
    let last = stage.lines(
        "SELECT json_extract(details, '$.checkpoint.key[0].integer') FROM _whimbrel_history WHERE version = '2'",
    );
    let left = format!("SELECT count(*) FROM person WHERE n IS NULL AND id <= {}", last[0]);
    assert_eq!(stage.lines(&left), ["0"]);
    assert_eq!(stage.lines("SELECT min(n), max(n) FROM person WHERE n NOT NULL"), ["1|1"]);
}

#[test]
fn an_interrupt_is_no_failure_of_the_chunks_before() {
    let stage = Stage::new(&people(3000), "count", COUNT);
    let interrupt: Interrupt = stage.interrupt.clone();
    let observer = AtChunk(move |done| {
        if done == 1500 {
            interrupt.raise();
        }
    });
    let migrator = stage.builder().observer(Arc::new(observer)).build().unwrap();
    migrator.up(Until::End).unwrap_err();
    assert_eq!(stage.lines("SELECT count(n), max(n) FROM person"), ["1500|1"]);
}
