use std::sync::Arc;

use std::collections::BTreeSet;

use proptest::prelude::*;

mod chains;
mod states;

use super::*;
use crate::model::{
    Applied, AppliedState, Body, Chain, Chains, Checksum, Migration, Placeholders, Placement, Script, Surroundings,
    Version,
};
use crate::sql::Directives;

fn script(text: &str) -> Script {
    Script::new("x.sql", text.to_owned().into(), Directives::default())
}

fn migration(version: u64, text: &str, reversible: bool) -> Migration {
    let down = reversible.then(|| Box::new(script("SELECT 0;")));
    Migration {
        version: Version::from(version),
        name: format!("m{version}"),
        placement: Placement::default(),
        body: Body::Sql { up: script(text), down },
        verify: None,
        asked: Vec::new(),
        manifest: None,
        file: format!("{version}_m.sql"),
    }
}

fn chains(migrations: Vec<Migration>) -> Chains {
    let migrations = migrations.into_iter().map(Arc::new).collect();
    Chains::new(vec![Chain::new("main", migrations).unwrap()]).unwrap()
}

fn chain(versions: &[u64]) -> Chains {
    chains(versions.iter().map(|version| migration(*version, "SELECT 1;", true)).collect())
}

fn row(migration: &Migration) -> Applied {
    Applied {
        id: 0,
        chain: "main".into(),
        version: migration.version,
        repeatable: false,
        name: migration.name.clone(),
        kind: "sql".into(),
        state: AppliedState::Applied,
        checksum: migration.checksum(),
        normalised_checksum: migration.normalised_checksum(),
        manifest_checksum: None,
        record: None,
        functions: Default::default(),
        rows_done: None,
        not_run: None,
        script: None,
        down_checksum: None,
        origin: None,
        engine: None,
        run_id: None,
        ended_at: None,
    }
}

fn rows(versions: &[u64]) -> Vec<Applied> {
    versions.iter().map(|version| row(&migration(*version, "SELECT 1;", true))).collect()
}

fn versions(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|step| step.migration.version.to_string()).collect()
}

#[test]
fn goes_as_far_as_asked() {
    let to = |version: u64| Until::Version(Version::from(version));
    let cases: [(&[u64], &[u64], Goal, &[&str]); 12] = [
        (&[1, 2, 3], &[], Goal::LATEST, &["1", "2", "3"]),
        (&[1, 2, 3], &[1], Goal::LATEST, &["2", "3"]),
        (&[1, 2, 3], &[1, 2, 3], Goal::LATEST, &[]),
        (&[1, 2, 3], &[], Goal::Up(to(2)), &["1", "2"]),
        (&[1, 2, 3], &[1, 2, 3], Goal::Up(to(2)), &[]),
        (&[1, 2, 3], &[1], Goal::Up(Until::Steps(1)), &["2"]),
        (&[], &[], Goal::LATEST, &[]),
        (&[1, 2, 3], &[1, 2, 3], Goal::UNDO_LAST, &["3"]),
        (&[1, 2, 3], &[1, 2, 3], Goal::Down(to(1)), &["3", "2"]),
        (&[1, 2, 3], &[1, 2, 3], Goal::Down(to(0)), &["3", "2", "1"]),
        (&[1, 2, 3], &[1, 2, 3], Goal::Down(Until::End), &["3", "2", "1"]),
        (&[1, 2, 3], &[], Goal::UNDO_LAST, &[]),
    ];
    for (in_chain, applied, goal, expected) in cases {
        let plan = build(&chain(in_chain), &rows(applied), &goal, &Rules::default()).unwrap();
        assert_eq!(versions(&plan), expected, "{in_chain:?} {applied:?} {goal:?}");
    }
}

#[test]
fn what_is_kept_reverts_only_the_row_that_it_is_of() {
    let kept = Arc::new(migration(1, "SELECT 1;", true));
    let of = |down_checksum| Applied { down_checksum, ..row(&kept) };
    for in_chain in [vec![], vec![migration(1, "SELECT 'other';", false)]] {
        let all = [((0, kept.key()), crate::model::Kept::Migration(Arc::clone(&kept)))];
        let chains = chains(in_chain).with_kept(all.into_iter().collect());
        for goal in [Goal::UNDO_LAST, Goal::Redo(1)] {
            let applied_anew = of(Some(Checksum::of(b"DROP TABLE t;")));
            let problems = build(&chains, &[applied_anew], &goal, &Rules::default()).unwrap_err().problems;
            let is_told = |problem: &PlanProblem| problem.to_string().contains("applied anew meanwhile");
            assert!(problems.iter().any(is_told), "{problems:?}");
        }
        let plan = build(&chains, &[of(kept.down_checksum())], &Goal::UNDO_LAST, &Rules::default()).unwrap();
        assert_eq!(versions(&plan), ["1"]);
    }
}

#[test]
fn refuses_with_every_reason() {
    let mut applied = rows(&[1, 3, 9]);
    applied[1].state = AppliedState::Started;
    applied[1].script = Some(Box::new(crate::model::ScriptProgress { unknown: true, ..Default::default() }));
    applied.push(row(&migration(5, "SELECT 'other';", true)));
    let error =
        build(&chain(&[1, 2, 3, 5, 12]), &applied, &Goal::Up(Until::Version(Version::from(4))), &Rules::default())
            .unwrap_err();
    insta::assert_snapshot!(error.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"), @r"
    migration 3 m3 runs outside a transaction and stopped half way
    migration 5 m5 was changed after it was applied (5_m.sql)
    migration 9 m9 is applied, but not in the chain
    the chain has no version 4
    migration 2 m2 is pending, but 9 is already applied
    ");
}

#[test]
fn the_rules_let_pass() {
    let rules = Rules { allow_out_of_order: true, ignore_missing: true };
    let plan = build(&chain(&[1, 2, 3]), &rows(&[1, 3, 9]), &Goal::LATEST, &rules).unwrap();
    assert_eq!(versions(&plan), ["2"]);
}

#[test]
fn accepts_a_reformatted_script_with_a_warning() {
    let chain = chains(vec![migration(1, "-- why\r\nSELECT   1;\r\n", true)]);
    let plan = build(&chain, &rows(&[1]), &Goal::LATEST, &Rules::default()).unwrap();
    assert_eq!(plan.warnings.len(), 1);
    let state = reconcile(&chain, rows(&[1]))[0].state;
    assert_eq!(state, State::ChecksumMismatch(Difference::Cosmetic));
}

#[test]
fn reverts_only_what_says_how_and_is_there() {
    let chain = chains(vec![migration(1, "SELECT 1;", false)]);
    let error = build(&chain, &rows(&[1, 2]), &Goal::Down(Until::End), &Rules::default()).unwrap_err();
    assert!(matches!(
        error.problems.as_slice(),
        [PlanProblem::CannotRevertMissing { .. }, PlanProblem::Irreversible { .. }]
    ));
}

#[test]
fn a_script_with_its_own_transaction_is_refused_before_it_runs() {
    let chain = chains(vec![migration(1, "CREATE TABLE t (x);\nCOMMIT;", true)]);
    let error = build(&chain, &[], &Goal::LATEST, &Rules::default()).unwrap_err();
    assert!(matches!(&error.problems[0], PlanProblem::Script { range, .. } if range.start == 20), "{error:?}");
}

#[test]
fn tells_the_first_of_very_many_problems_of_one_script() {
    let refused = chains(vec![migration(1, &"COMMIT;\nVACUUM;\n".repeat(20_000), true)]);
    let error = build(&refused, &[], &Goal::LATEST, &Rules::default()).unwrap_err();
    assert_eq!(error.problems.len(), 101);
    assert_eq!(error.problems[100].to_string(), "migration 1 m1: and 39900 more of this kind from here on");
    let PlanProblem::Script { script: first, .. } = &error.problems[0] else { panic!("{error}") };
    let PlanProblem::Script { script: last, .. } = &error.problems[100] else { panic!("{error}") };
    assert!(Arc::ptr_eq(first, last));

    let warned = chains(vec![migration(1, &"ATTACH 'x' AS y;\n".repeat(40_000), true)]);
    let plan = build(&warned, &[], &Goal::LATEST, &Rules::default()).unwrap();
    assert_eq!(plan.warnings.len(), 101);
    assert_eq!(plan.warnings[100].message, "and 39900 more of this kind from here on");

    let mut unset = migration(1, &"SELECT ${x};\n".repeat(40_000), true);
    let values = Placeholders::default().set("other", "1");
    let surroundings = Surroundings { chain: "main", table: "t", read_at: jiff::Timestamp::UNIX_EPOCH, trusted: true };
    values.fill(&mut unset, &surroundings);
    let error = build(&chains(vec![unset]), &[], &Goal::LATEST, &Rules::default()).unwrap_err();
    assert_eq!(error.problems.len(), 101);
    assert!(matches!(&error.problems[99], PlanProblem::Placeholder { .. }), "{error}");
}

/// Applies a plan to the versions that are applied.
fn after(plan: &Plan, applied: &BTreeSet<u64>) -> BTreeSet<u64> {
    let mut applied = applied.clone();
    for step in &plan.steps {
        let version: u64 = step.migration.version.to_string().parse().unwrap();
        match step.direction {
            Direction::Up => assert!(applied.insert(version), "{version} is applied already"),
            Direction::Down => assert!(applied.remove(&version), "{version} is not applied"),
        }
    }
    applied
}

proptest! {
    #[test]
    fn up_reaches_the_goal_once_and_down_takes_it_back(
        in_chain in prop::collection::btree_set(1_u64..60, 0..20),
        chosen in prop::collection::vec(any::<bool>(), 20),
        target in 0_u64..60,
    ) {
        let applied: BTreeSet<u64> =
            in_chain.iter().zip(&chosen).filter(|(_, chosen)| **chosen).map(|(version, _)| *version).collect();
        let list = |set: &BTreeSet<u64>| set.iter().copied().collect::<Vec<_>>();
        let chain = chain(&list(&in_chain));
        let rules = Rules { allow_out_of_order: true, ignore_missing: false };
        let plan = build(&chain, &rows(&list(&applied)), &Goal::LATEST, &rules).unwrap();
        let full = after(&plan, &applied);
        prop_assert_eq!(&full, &in_chain);
        prop_assert!(build(&chain, &rows(&list(&full)), &Goal::LATEST, &rules).unwrap().steps.is_empty());
        if in_chain.contains(&target) {
            let down = build(&chain, &rows(&list(&full)), &Goal::Down(Until::Version(Version::from(target))), &rules).unwrap();
            let lower = after(&down, &full);
            prop_assert!(lower.iter().all(|version| *version <= target) && lower.contains(&target));
        }
    }
}
