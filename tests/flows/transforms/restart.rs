//! The way out for a transform whose bytes have changed while it is in progress.

use whimbrel::model::Key;
use whimbrel::plan::{ChangeKind, Repair, RepairVerb, State};

use super::{SPLIT, Stage, counts, people};

/// A transform that has done two of five chunks and met a row that it cannot do, and whose manifest is then another.
fn changed_in_progress() -> Stage {
    let schema = format!("{}; UPDATE person SET full_name = 'bad ' || id WHERE id IN (7, 2500)", people(5000));
    let manifest = format!("{SPLIT}chunk = 1000\non_error = 'skip'\nmax_rejects = 1");
    let stage = Stage::new(&schema, "picky", &manifest);
    stage.up().unwrap_err();
    stage.manifest("picky", &format!("{SPLIT}chunk = 1000\non_error = 'skip'\nmax_rejects = 2"));
    stage
}

fn restart(version: &str) -> Repair {
    Repair { verb: RepairVerb::Restart, target: Some(Key::Version(version.parse().unwrap())) }
}

#[test]
fn forgets_how_far_it_came_and_begins_anew() {
    let stage = changed_in_progress();
    let repair = &restart("2");
    assert!(stage.up().unwrap_err().to_string().contains("was changed while it is in progress"));
    let before = std::fs::read(stage.database()).unwrap();
    let decided = stage.migrator().plan_repair(repair).unwrap();
    assert_eq!(std::fs::read(stage.database()).unwrap(), before);
    let kinds: Vec<ChangeKind> = decided.changes.iter().map(|change| change.kind).collect();
    let [ChangeKind::Forget { rows_done, .. }, ChangeKind::ForgetRejects { rows }] = kinds.as_slice() else {
        panic!("{decided:?}")
    };
    assert_eq!((*rows_done, *rows), (Some((2000, 5000)), 1));
    stage.migrator().repair(repair, &decided).unwrap();
    assert_eq!(stage.migrator().status().unwrap().entries[1].state, State::Pending);
    // The two chunks that are done come out as they are.
    assert_eq!(stage.counts(), counts(5000, 2999, 1999, 2));
    let again = stage.migrator().plan_repair(repair).unwrap_err();
    assert!(again.to_string().contains("migration 2 transform is not in progress"), "{again}");
}

#[test]
fn writes_only_what_was_shown() {
    let stage = changed_in_progress();
    let repair = &restart("2");
    let decided = stage.migrator().plan_repair(repair).unwrap();
    rusqlite::Connection::open(stage.database())
        .unwrap()
        .execute_batch("DELETE FROM _whimbrel_history_rejects")
        .unwrap();
    let error = stage.migrator().repair(repair, &decided).unwrap_err();
    assert_eq!(error.to_string(), "another process changed the history meanwhile");
    let unknown = stage.migrator().plan_repair(&restart("9")).unwrap_err();
    assert_eq!(unknown.to_string(), "there is no migration 9");
}

#[test]
fn the_program_says_what_it_will_write_and_wants_a_yes() {
    let stage = changed_in_progress();
    let refused = stage.program(&["up"]);
    assert_eq!(refused.status.code(), Some(1));
    let hint = String::from_utf8(refused.stderr).unwrap();
    assert!(hint.contains("or begin anew with `whimbrel repair 2 --restart`"), "{hint}");
    let before = std::fs::read(stage.database()).unwrap();
    let asked = stage.program(&["repair", "2", "--restart"]);
    assert_eq!(asked.status.code(), Some(1));
    let asked = String::from_utf8(asked.stderr).unwrap();
    assert!(asked.starts_with("error: `repair` needs to be confirmed, and there is nobody to ask"), "{asked}");
    let dry = stage.program(&["repair", "2", "--restart", "--dry-run"]);
    assert_eq!(
        String::from_utf8(dry.stdout).unwrap(),
        "Chain main\n  delete the row of migration 2 transform, which is in-progress; what it did to 2,000 of 5,000 rows stays\n  \
         forget 1 row that migration 2 transform kept aside\nNothing was written.\n"
    );
    assert_eq!(std::fs::read(stage.database()).unwrap(), before);
    let json = stage.program(&["repair", "2", "--restart", "--yes", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((json["schema"].as_str(), json["written"].as_bool()), (Some("whimbrel/repair/1"), Some(true)));
    assert_eq!(json["changes"][0]["change"], "forget");
    assert_eq!(stage.program(&["up"]).status.code(), Some(5));
}

#[test]
fn status_tells_how_far_and_how_fast() {
    let schema = format!("{}; UPDATE person SET full_name = 'bad' WHERE id = 2500", people(5000));
    let stage = Stage::new(&schema, "picky", &format!("{SPLIT}chunk = 1000"));
    stage.up().unwrap_err();
    let shown = String::from_utf8(stage.program(&["status"]).stdout).unwrap();
    assert!(shown.contains("in progress, 40 %, ") && shown.contains(" rows/s"), "{shown}");
    let json: serde_json::Value = serde_json::from_slice(&stage.program(&["status", "--json"]).stdout).unwrap();
    let progress = &json["migrations"][1]["applied"]["progress"];
    assert_eq!((progress["rows_done"].as_u64(), progress["rows_total"].as_u64()), (Some(2000), Some(5000)));
    assert!(progress["rows_per_second"].as_u64().unwrap() > 0);
}
