//! Every state, what a run makes of it, and baselines and repeatable migrations.

use super::*;
use crate::model::{Checksum, Role};

fn with_role(version: u64, name: &str, role: Role, text: &str) -> Migration {
    let placement = Placement { role, ..Placement::default() };
    Migration { name: name.into(), placement, file: name.into(), ..migration(version, text, false) }
}

/// A row of each of these, numbered in this order.
fn numbered(rows: Vec<Applied>) -> Vec<Applied> {
    rows.into_iter().zip(1..).map(|(row, id)| Applied { id, ..row }).collect()
}

fn shown(chains: &Chains, rows: &[Applied]) -> Vec<String> {
    reconcile(chains, rows.to_vec())
        .iter()
        .map(|entry| format!("{}: {}", entry.title(), entry.state.as_str()))
        .collect()
}

fn planned(chains: &Chains, rows: &[Applied], goal: Goal) -> Vec<String> {
    let plan = build(chains, rows, &goal, &Rules::default()).unwrap();
    plan.steps.iter().map(|step| format!("{} {}", step.direction, step.title())).collect()
}

fn problems(chains: &Chains, rows: &[Applied], goal: Goal) -> Vec<String> {
    let error = build(chains, rows, &goal, &Rules::default()).unwrap_err();
    error.problems.iter().map(ToString::to_string).collect()
}

#[test]
fn there_is_a_state_for_everything() {
    let one = |version| migration(version, "SELECT 1;", true);
    let chains = chains(vec![
        one(1),
        one(2),
        one(3),
        migration(4, "SELECT 2;", true),
        migration(5, "SELECT  1;", true),
        one(6),
        one(8),
        one(9),
        one(20),
        with_role(0, "same", Role::Repeatable, "SELECT 1;"),
        with_role(0, "changed", Role::Repeatable, "SELECT 2;"),
        with_role(0, "new", Role::Repeatable, "SELECT 1;"),
        with_role(6, "squash", Role::Baseline, "SELECT 1;"),
    ]);
    let row = |version, state| Applied { state, ..row(&one(version)) };
    let repeatable = |name: &str| super::row(&with_role(0, name, Role::Repeatable, "SELECT 1;"));
    let repeatable = |name: &str| Applied { repeatable: true, ..repeatable(name) };
    let ended = Some("2026-01-01T00:00:00Z".to_owned());
    let rows = numbered(vec![
        Applied { kind: "baseline".into(), ..row(1, AppliedState::Baseline) },
        row(3, AppliedState::Applied),
        row(4, AppliedState::Applied),
        row(5, AppliedState::Applied),
        row(6, AppliedState::InProgress),
        row(7, AppliedState::Applied),
        row(8, AppliedState::Started),
        Applied { ended_at: ended.clone(), ..row(9, AppliedState::Reverted) },
        repeatable("same"),
        Applied { ended_at: ended, state: AppliedState::Replaced, ..repeatable("changed") },
        repeatable("changed"),
    ]);
    assert_eq!(
        shown(&chains, &rows),
        [
            "1 m1: baseline",
            "2 m2: out-of-order",
            "3 m3: applied",
            "4 m4: checksum-mismatch",
            "5 m5: checksum-mismatch-cosmetic",
            "6 m6: in-progress",
            "6 squash: ignored",
            "7 m7: missing",
            "8 m8: dirty",
            "9 m9: reverted",
            "20 m20: pending",
            "changed: outdated",
            "new: pending",
            "same: applied",
        ]
    );
    let later = numbered(vec![row(30, AppliedState::Applied)]);
    assert_eq!(shown(&chain(&[1]), &later), ["1 m1: out-of-order", "30 m30: future"]);
    assert_eq!(
        problems(&chain(&[40]), &numbered(vec![row(50, AppliedState::Applied)]), Goal::LATEST),
        [
            "migration 50 m50 is applied, and newer than anything in the chain",
            "migration 40 m40 is pending, but 50 is already applied"
        ]
    );
}

#[test]
fn a_migration_may_consent_to_be_out_of_order() {
    let placement = Placement { out_of_order: true, ..Placement::default() };
    let chains = chains(vec![
        migration(1, "SELECT 1;", true),
        Migration { placement, ..migration(2, "SELECT 1;", true) },
        migration(3, "SELECT 1;", true),
    ]);
    assert_eq!(planned(&chains, &rows(&[1, 3]), Goal::LATEST), ["up 2 m2"]);
    assert_eq!(
        problems(&chain(&[1, 2, 3]), &rows(&[1, 3]), Goal::LATEST),
        ["migration 2 m2 is pending, but 3 is already applied"]
    );
}

#[test]
fn new_databases_start_from_the_latest_baseline_and_old_ones_ignore_it() {
    let mut all: Vec<Migration> = (1..8).map(|version| migration(version, "SELECT 1;", true)).collect();
    all.push(with_role(3, "early", Role::Baseline, "SELECT 3;"));
    all.push(with_role(5, "late", Role::Baseline, "SELECT 5;"));
    let chains = chains(all);
    assert_eq!(planned(&chains, &[], Goal::LATEST), ["up 5 late", "up 6 m6", "up 7 m7"]);
    assert_eq!(planned(&chains, &[], Goal::Up(Until::Version(Version::from(4)))), ["up 3 early", "up 4 m4"]);
    assert_eq!(planned(&chains, &[], Goal::Up(Until::Version(Version::from(2)))), ["up 1 m1", "up 2 m2"]);
    assert_eq!(planned(&chains, &rows(&[1, 2, 3]), Goal::LATEST), ["up 4 m4", "up 5 m5", "up 6 m6", "up 7 m7"]);
    // Started from a baseline: what it has in it is there.
    let started = Applied { state: AppliedState::Baseline, ..row(&with_role(5, "late", Role::Baseline, "SELECT 5;")) };
    assert_eq!(planned(&chains, std::slice::from_ref(&started), Goal::LATEST), ["up 6 m6", "up 7 m7"]);
    assert_eq!(
        shown(&chains, std::slice::from_ref(&started))[..7],
        [
            "1 m1: baseline",
            "2 m2: baseline",
            "3 m3: baseline",
            "3 early: ignored",
            "4 m4: baseline",
            "5 m5: baseline",
            "5 late: baseline"
        ]
    );
    // Once the old files are gone nothing is missing.
    let squashed =
        super::chains(vec![with_role(5, "late", Role::Baseline, "SELECT 5;"), migration(6, "SELECT 1;", true)]);
    assert_eq!(planned(&squashed, &[started], Goal::LATEST), ["up 6 m6"]);
    assert_eq!(planned(&squashed, &rows(&[1, 2, 3, 4, 5]), Goal::LATEST), ["up 6 m6"]);
    assert_eq!(
        problems(&squashed, &rows(&[1, 2]), Goal::LATEST),
        ["the database is at 2, and what leads to the baseline 5 late is not in the chain"]
    );
}

#[test]
fn a_declared_version_has_everything_up_to_it_and_cannot_be_reverted() {
    let declared = Applied {
        kind: "baseline".into(),
        state: AppliedState::Baseline,
        ..row(&migration(2, "SELECT 'whatever';", true))
    };
    let rows = [declared];
    assert_eq!(planned(&chain(&[1, 2, 3]), &rows, Goal::LATEST), ["up 3 m3"]);
    assert_eq!(planned(&chain(&[3]), &rows, Goal::LATEST), ["up 3 m3"]);
    assert_eq!(
        problems(&chain(&[1, 2, 3]), &rows, Goal::Down(Until::End)),
        ["migration 2 m2 cannot be reverted: it was declared to be there, not run"]
    );
    assert!(planned(&chain(&[1, 2, 3]), &rows, Goal::Down(Until::Version(Version::from(2)))).is_empty());
}

#[test]
fn repeatable_ones_come_last_and_again_when_they_have_changed() {
    let views = |text: &str| with_role(0, "views", Role::Repeatable, text);
    let with = |text: &str| chains(vec![views(text), migration(1, "SELECT 1;", true)]);
    assert_eq!(planned(&with("SELECT 1;"), &[], Goal::LATEST), ["up 1 m1", "up views"]);
    assert_eq!(planned(&with("SELECT 1;"), &[], Goal::Up(Until::Version(Version::from(1)))), ["up 1 m1"]);
    let ran = Applied { repeatable: true, id: 2, ..row(&views("SELECT 1;")) };
    let rows = [row(&migration(1, "SELECT 1;", true)), ran];
    assert!(planned(&with("SELECT 1;"), &rows, Goal::LATEST).is_empty());
    assert!(planned(&with("-- why\nSELECT 1;"), &rows, Goal::LATEST).is_empty());
    assert_eq!(planned(&with("SELECT 2;"), &rows, Goal::LATEST), ["up views"]);
    let [first, ran] = rows.clone();
    let other = Applied { manifest_checksum: Some(Checksum::of(b"limits")), ..ran };
    let with_limits = [first, other];
    assert_eq!(planned(&with("SELECT 1;"), &with_limits, Goal::LATEST), ["up views"]);
    assert_eq!(planned(&with("-- why\nSELECT 1;"), &with_limits, Goal::LATEST), ["up views"]);
    assert_eq!(planned(&with("SELECT 1;"), &rows, Goal::UNDO_LAST), ["down 1 m1"]);
    assert_eq!(
        problems(&with("SELECT 1;"), &rows, Goal::Down(Until::End)),
        ["migration views cannot be reverted: it has no down"]
    );
}

#[test]
fn repeatable_ones_run_in_the_order_of_their_words() {
    let named = |name: &str| with_role(0, name, Role::Repeatable, "SELECT 1;");
    let all = chains(vec![named("10_cache"), named("1_base"), named("b"), named("a_b")]);
    assert_eq!(planned(&all, &[], Goal::LATEST), ["up 1_base", "up 10_cache", "up a_b", "up b"]);
}

#[test]
fn goes_down_in_the_reverse_order_of_what_was_recorded() {
    let rows = numbered(rows(&[1, 3, 2]));
    assert_eq!(planned(&chain(&[1, 2, 3]), &rows, Goal::UNDO_LAST), ["down 2 m2"]);
    assert_eq!(planned(&chain(&[1, 2, 3]), &rows, Goal::Down(Until::End)), ["down 2 m2", "down 3 m3", "down 1 m1"]);
    assert_eq!(planned(&chain(&[1, 2, 3, 4]), &rows, Goal::Redo(2)), ["down 2 m2", "down 3 m3", "up 3 m3", "up 2 m2"]);
}

#[test]
fn nothing_stays_below_zero() {
    let first = chains(vec![migration(0, "SELECT 1;", true), migration(1, "SELECT 1;", true)]);
    let rows = numbered(vec![row(&migration(0, "SELECT 1;", true)), row(&migration(1, "SELECT 1;", true))]);
    let to = |version: u64| Goal::Down(Until::Version(Version::from(version)));
    assert_eq!(planned(&first, &rows, to(0)), ["down 1 m1", "down 0 m0"]);
    assert_eq!(planned(&first, &rows, to(1)), Vec::<String>::new());
}
