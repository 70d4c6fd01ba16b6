//! Small scripts on a fresh file, for which a run keeps the database to itself.

use std::process::Stdio;
use std::time::Instant;

use crate::harness::Project;

/// A chain of small scripts, after these files and before those.
fn small(before: &[(&str, &str)], after: &[(&str, &str)]) -> Project {
    let project = Project::with(before);
    for number in 10..20 {
        project.write(&format!("migrations/00{number}_t.sql"), format!("CREATE TABLE t{number} (x);"));
    }
    for (name, text) in after {
        project.write(&format!("migrations/{name}"), text);
    }
    project
}

/// The journal of the file, and whether it is marked as kept.
fn found(project: &Project) -> (String, bool) {
    let connection = project.database();
    let mode = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    let marks = "SELECT count(*) FROM _whimbrel_history_schema WHERE version < 0";
    (mode, connection.query_row(marks, [], |row| row.get::<_, i64>(0)).unwrap() > 0)
}

#[test]
fn leaves_the_journal_that_the_chain_asked_for() {
    let wal = "-- whimbrel: transaction = none\nPRAGMA journal_mode = WAL;";
    for chain in
        [small(&[("0001_wal.sql", wal)], &[]), small(&[], &[("0020_wal.sql", wal), ("0021_t.sql", "SELECT 1;")])]
    {
        chain.ok(&["up"]);
        assert_eq!(found(&chain), ("wal".to_owned(), false));
    }
    let chain = small(&[], &[]);
    chain.ok(&["up"]);
    assert_eq!(found(&chain), ("delete".to_owned(), false));
}

#[test]
fn gives_the_file_back_for_a_large_step_and_goes_on() {
    let many = "CREATE TABLE many AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20002) SELECT i FROM n;
                INSERT INTO t10 SELECT i FROM many;";
    let none = "-- whimbrel: transaction = none\nINSERT INTO t11 VALUES (1);";
    let project = small(&[], &[("0020_many.sql", many), ("0021_small.sql", "SELECT 1;"), ("0022_none.sql", none)]);
    project.ok(&["up", "--lock-timeout", "5s"]);
    assert_eq!(project.number("SELECT count(*) FROM t11"), 1);
    assert_eq!(found(&project), ("delete".to_owned(), false));
    assert!(project.list(".").iter().all(|name| !name.ends_with("-whimbrel-lock")));
}

#[test]
fn the_next_run_puts_back_what_a_killed_one_has_kept() {
    let project = small(&[], &[]);
    project.ok(&["up"]);
    for journal in ["DELETE", "WAL"] {
        let left = "INSERT INTO _whimbrel_history_schema (version) VALUES (-1); PRAGMA journal_mode =";
        project.database().execute_batch(&format!("{left} {journal}")).unwrap();
        assert!(found(&project).1);
        project.ok(&["up"]);
        assert_eq!(found(&project), ("delete".to_owned(), false), "{journal}");
    }
}

#[test]
fn a_run_killed_at_any_time_is_finished_by_the_next() {
    const ROUNDS: u32 = 24;
    // The program may have to be built first, which says nothing of how long a run takes.
    let whole = [(); 2].map(|()| {
        let (project, began) = (small(&[], &[]), Instant::now());
        project.ok(&["up"]);
        began.elapsed()
    })[1];
    for round in 0..ROUNDS {
        let project = small(&[], &[]);
        let mut killed = project.command(&["up"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * round / ROUNDS);
        killed.kill().unwrap();
        killed.wait().unwrap();
        let tables = |project: &Project, name: &str| {
            project.number(&format!("SELECT count(*) FROM sqlite_schema WHERE name GLOB '{name}'"))
        };
        let made = tables(&project, "t[0-9]*");
        if tables(&project, "_whimbrel_history") == 1 {
            assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history"), made, "round {round}");
        } else {
            assert_eq!(made, 0, "round {round}");
        }
        project.ok(&["up"]);
        assert_eq!((tables(&project, "t[0-9]*"), project.number("SELECT count(*) FROM _whimbrel_history")), (10, 10));
        assert_eq!(found(&project), ("delete".to_owned(), false), "round {round}");
    }
}

#[test]
fn a_first_step_that_is_skipped_leaves_nothing_kept() {
    let manifest = "[[preconditions]]\nsql = \"SELECT 0\"\notherwise = \"skip\"\n";
    let project = small(&[("0001_skipped.sql", "SELECT 1;"), ("0001_skipped.toml", manifest)], &[]);
    project.ok(&["up"]);
    assert_eq!(found(&project), ("delete".to_owned(), false));
}
