//! The disk is full, or a file reaches its limit, in the middle of a step.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use whimbrel::plan::Direction;

use super::crash::{Case, Moment, inside, is_between_steps};
use super::processes::{BULKY, Journal};
use crate::harness::{Outcome, Project};

/// Becomes a program that may write files of so many blocks of 512 bytes.
const LIMITED: &str = "ulimit -c 0; ulimit -f \"$0\"; exec \"$@\"";
/// The same, and what went beyond the limit is told as an error instead of ending the program.
const LIMITED_AND_TOLD: &str = "trap '' XFSZ; ulimit -c 0; ulimit -f \"$0\"; exec \"$@\"";

/// Puts a limit before a command.
fn limited(how: &str, blocks: usize, command: &Command) -> Command {
    let mut limited = Command::new("sh");
    limited.args(["-c", how, &blocks.to_string()]).arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        limited.current_dir(folder);
    }
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    limited
}

/// Makes a project whose second step needs some megabytes.
fn growing(journal: Journal) -> Project {
    let project = Project::with(&[
        ("0001_log.sql", "CREATE TABLE log (step INTEGER NOT NULL); INSERT INTO log VALUES (1);"),
        ("0002_bulk.sql", BULKY),
        ("0003_last.sql", "INSERT INTO log VALUES (3);"),
    ]);
    journal.create(&project.path("app.db"));
    project
}

/// Asserts that one error says what failed, why, what became of it, and what to do.
fn assert_told(failed: &Outcome, why: &str, hint: &str) {
    assert_eq!(failed.code, 1, "{failed}");
    let error = failed.stderr.split_once("error: ").expect("there is an error").1;
    assert!(error.starts_with("migration 2 bulk failed on its way up\n"), "{failed}");
    for part in [why, "migration 2 bulk was rolled back", "1 migration was applied before it and stays applied", hint] {
        assert!(error.contains(part), "{part} is not in {failed}");
    }
    assert!(!error.contains("error: "), "{failed}");
}

#[test]
fn a_file_at_its_limit_fails_the_step_and_nothing_else() {
    for journal in [Journal::Rollback, Journal::Wal] {
        for how in [LIMITED, LIMITED_AND_TOLD] {
            let project = growing(journal);
            let command = project.command(&["up"]);
            let output = limited(how, 2001, &command).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
            let hint = "the limit on file sizes";
            assert_told(&project.outcome(&output), "disk I/O error (SQLITE_IOERR_WRITE)", hint);
            assert!(!project.path("app.db-journal").exists(), "the file still needs its journal");
            let again = || limited(how, 2001, &command).status().unwrap();
            assert_eq!(project.unchanged(again).code(), Some(1));
            assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history"), 1);
            project.ok(&["up"]);
            assert_eq!(project.number("SELECT count(*) FROM log"), 2);
            assert_eq!(project.number("SELECT count(*) FROM bulk"), 6000);
        }
    }
}

/// A small disk in memory.
struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// Mounts it; `None` when this process may not.
    fn mount(kibibytes: usize) -> Option<Self> {
        let disk = Self { folder: tempfile::tempdir().unwrap() };
        let mounted = disk.call("mount", &["-t", "tmpfs", "-o", &format!("size={kibibytes}k"), "tmpfs"]);
        mounted.then_some(disk)
    }

    /// Makes room.
    fn grow(&self) {
        assert!(self.call("mount", &["-o", "remount,size=64m"]));
    }

    fn call(&self, program: &str, arguments: &[&str]) -> bool {
        let mut command = Command::new(program);
        command.args(arguments).arg(self.folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("app.db")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        self.call("umount", &["-l"]);
    }
}

fn skipped() {
    eprintln!("skipped: this process may not mount a small disk");
}

#[test]
fn a_full_disk_fails_the_step_and_nothing_else() {
    for journal in [Journal::Rollback, Journal::Wal] {
        let project = growing(journal);
        let Some(disk) = SmallDisk::mount(1024) else { return skipped() };
        if project.path("app.db").exists() {
            fs::copy(project.path("app.db"), disk.database()).unwrap();
        }
        let database = disk.database();
        let up = ["up", "--database", database.to_str().unwrap()];
        assert_told(&project.run(&up), "database or disk is full (SQLITE_FULL)", "free some space on the disk");
        assert!(!database.with_file_name("app.db-journal").exists(), "the file still needs its journal");
        let count = |sql: &str| -> i64 {
            let connection = rusqlite::Connection::open(&database).unwrap();
            connection.query_row(sql, [], |row| row.get(0)).unwrap()
        };
        assert_eq!(count("SELECT count(*) FROM _whimbrel_history"), 1);
        assert_eq!(count("SELECT count(*) FROM sqlite_schema WHERE name = 'bulk'"), 0);
        disk.grow();
        project.ok(&up);
        assert_eq!(count("SELECT count(*) FROM log"), 2);
        assert_eq!(count("SELECT count(*) FROM bulk"), 6000);
    }
}

#[test]
fn a_full_folder_of_temporary_files_is_named() {
    let sorted = "CREATE TABLE bulk AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
                  SELECT hex(randomblob(1000)) AS x FROM n ORDER BY x;";
    let project = Project::with(&[("0001_log.sql", "CREATE TABLE log (step);"), ("0002_bulk.sql", sorted)]);
    let Some(disk) = SmallDisk::mount(256) else { return skipped() };
    let folder = disk.folder.path().display().to_string();
    let failed = project.run_with("SQLITE_TMPDIR", &folder, &["up"]);
    assert_told(&failed, "database or disk is full (SQLITE_FULL)", "SQLite's temporary files are in");
    assert!(project.ok(&["up"]).stdout.contains("Applied 1 migration"));
}

/// Asserts that runs stopped at different places have left different numbers of steps.
fn assert_spread(applied: &BTreeSet<usize>, case: Case<'_>) {
    assert!(applied.len() > case.story.steps() / 2, "only these numbers of steps were left: {applied:?}");
}

/// The signal ends the process in the middle of a write, with a part of a page in the file.
#[test]
fn ended_at_any_byte_a_run_leaves_whole_steps() {
    for journal in [Journal::Rollback, Journal::Wal] {
        let case = Case { story: inside(), journal, direction: Direction::Up };
        let mut left = BTreeSet::new();
        for blocks in (9..900).step_by(21) {
            let folder = tempfile::tempdir().unwrap();
            let database = folder.path().join("app.db");
            let command = case.command(&database, Moment::Never);
            limited(LIMITED, blocks, &command).status().unwrap();
            left.insert(is_between_steps(case, &database).applied);
        }
        assert_spread(&left, case);
    }
}

#[test]
fn failed_at_any_page_a_run_leaves_whole_steps() {
    for journal in [Journal::Rollback, Journal::Wal] {
        let case = Case { story: inside(), journal, direction: Direction::Up };
        let mut left = BTreeSet::new();
        for kibibytes in (8..1200).step_by(28) {
            let Some(disk) = SmallDisk::mount(kibibytes) else { return skipped() };
            case.command(&disk.database(), Moment::Never).status().unwrap();
            disk.grow();
            left.insert(is_between_steps(case, &disk.database()).applied);
        }
        assert_spread(&left, case);
    }
}
