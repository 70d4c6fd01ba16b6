//! Several chains, and what depends on what.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::model::{ChainError, Dependency};

fn needing(version: u64, needs: &[&str]) -> Migration {
    let depends_on = needs.iter().map(|text| text.parse::<Dependency>().unwrap()).collect();
    let placement = Placement { depends_on, ..Placement::default() };
    Migration { placement, ..migration(version, "SELECT 1;", true) }
}

fn several(chains: Vec<(&str, Vec<Migration>)>) -> Result<Chains, ChainError> {
    let chain =
        |(name, all): (&str, Vec<Migration>)| Chain::new(name, all.into_iter().map(Arc::new).collect()).unwrap();
    Chains::new(chains.into_iter().map(chain).collect())
}

fn order(chains: &Chains) -> Vec<String> {
    chains.nodes().iter().map(|node| chains.title(node.chain, &node.migration)).collect()
}

fn titles(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(Step::title).collect()
}

fn of(chain: &str, version: u64, id: i64) -> Applied {
    Applied { chain: chain.into(), id, ..row(&migration(version, "SELECT 1;", true)) }
}

#[test]
fn what_depends_on_others_comes_after_them_and_else_versions_count() {
    let one = |all: Vec<Migration>| order(&chains(all));
    assert_eq!(
        one(vec![needing(1, &[]), needing(2, &["3"]), needing(3, &[]), needing(4, &[])]),
        ["1 m1", "3 m3", "2 m2", "4 m4"]
    );
    let both = several(vec![
        ("app", vec![needing(1, &[]), needing(2, &["billing:2"]), needing(3, &[])]),
        ("billing", vec![needing(1, &[]), needing(2, &["app:1"]), needing(3, &[])]),
    ]);
    assert_eq!(
        order(&both.unwrap()),
        ["app:1 m1", "billing:1 m1", "billing:2 m2", "app:2 m2", "app:3 m3", "billing:3 m3"]
    );
}

#[test]
fn a_circle_and_what_is_not_there_are_shown() {
    let cycle = several(vec![
        ("app", vec![needing(1, &["billing:2"]), needing(2, &["1"])]),
        ("billing", vec![needing(1, &["app:2"]), needing(2, &["1"])]),
    ]);
    assert_eq!(
        cycle.unwrap_err().to_string(),
        "migrations depend on each other: app:1 m1 -> billing:2 m2 -> billing:1 m1 -> app:2 m2 -> app:1 m1"
    );
    let own = several(vec![("app", vec![needing(1, &["1"])])]).unwrap_err();
    assert_eq!(own.to_string(), "migrations depend on each other: 1 m1 -> 1 m1");
    let missing = several(vec![("app", vec![needing(1, &["7", "shop:1"])])]).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "migration 1 m1 depends on 7, but the chain app has no version 7 (1_m.sql); \
         migration 1 m1 depends on shop:1, but there is no chain shop (1_m.sql)"
    );
}

#[test]
fn one_chain_alone_runs_only_if_it_has_what_it_needs() {
    let both = || {
        several(vec![("app", vec![needing(1, &["billing:2"])]), ("billing", vec![needing(1, &[]), needing(2, &[])])])
            .unwrap()
    };
    let plan = build(&both(), &[], &Goal::LATEST, &Rules::default()).unwrap();
    assert_eq!(titles(&plan), ["billing:1 m1", "billing:2 m2", "app:1 m1"]);
    let error = build(&both().only(&["app"]).unwrap(), &[], &Goal::LATEST, &Rules::default()).unwrap_err();
    assert_eq!(error.to_string(), "migration app:1 m1 depends on billing:2 m2, which would not be applied before it");
    let rows = [of("billing", 1, 1), of("billing", 2, 2)];
    let plan = build(&both().only(&["app"]).unwrap(), &rows, &Goal::LATEST, &Rules::default()).unwrap();
    assert_eq!(titles(&plan), ["app:1 m1"]);
    assert!(matches!(both().only(&["shop"]), Err(ChainError::Unknown { known, .. }) if known == ["app", "billing"]));
}

#[test]
fn goes_down_across_chains_but_not_below_what_stays() {
    let both = several(vec![("app", vec![needing(1, &["billing:1"])]), ("billing", vec![needing(1, &[])])]).unwrap();
    let rows = [of("billing", 1, 1), of("app", 1, 2)];
    let plan = build(&both, &rows, &Goal::Down(Until::End), &Rules::default()).unwrap();
    assert_eq!(titles(&plan), ["app:1 m1", "billing:1 m1"]);
    let alone = both.only(&["billing"]).unwrap();
    let error = build(&alone, &rows, &Goal::Down(Until::End), &Rules::default()).unwrap_err();
    assert_eq!(error.to_string(), "migration billing:1 m1 cannot be reverted: app:1 m1 depends on it and stays");
}

#[test]
fn a_version_is_that_of_one_chain() {
    let both = several(vec![("app", vec![needing(1, &[])]), ("billing", vec![needing(1, &[])])]).unwrap();
    let goal = Goal::Up(Until::Version(Version::from(1)));
    let error = build(&both, &[], &goal, &Rules::default()).unwrap_err();
    assert_eq!(error.to_string(), "version 1 can be that of several chains: app, billing");
    let plan = build(&both.only(&["billing"]).unwrap(), &[], &goal, &Rules::default()).unwrap();
    assert_eq!(titles(&plan), ["billing:1 m1"]);
}

#[test]
fn what_is_after_a_dependency_is_not_out_of_order_when_that_was_applied_first() {
    let chains = chains(vec![needing(1, &[]), needing(2, &["3"]), needing(3, &[])]);
    let plan = build(&chains, &rows(&[1, 3]), &Goal::LATEST, &Rules::default()).unwrap();
    assert_eq!(titles(&plan), ["2 m2"]);
}

#[test]
fn a_baseline_has_what_others_depend_on() {
    let squash = Placement { role: crate::model::Role::Baseline, ..Placement::default() };
    let squash = Migration { placement: squash, ..migration(5, "SELECT 1;", false) };
    let both = several(vec![("app", vec![needing(1, &["billing:3"])]), ("billing", vec![squash])]).unwrap();
    let plan = build(&both, &[], &Goal::LATEST, &Rules::default()).unwrap();
    assert_eq!(titles(&plan), ["billing:5 m5", "app:1 m1"]);
}

#[test]
fn draws_what_depends_on_what() {
    let both = several(vec![
        ("app", vec![needing(1, &[]), needing(2, &["billing:1"])]),
        ("bil\"ling", vec![]),
        ("billing", vec![needing(1, &[])]),
    ])
    .unwrap();
    let plan = build(&both, &[of("app", 1, 1)], &Goal::LATEST, &Rules::default()).unwrap();
    insta::assert_snapshot!(graph(&both, &plan, GraphFormat::Mermaid), @r#"
    flowchart TD
      subgraph c0["app"]
        m0["1 m1"]
        m2(["2 m2"]):::planned
      end
      subgraph c2["billing"]
        m1(["1 m1"]):::planned
      end
      m0 -.-> m2
      m1 --> m2
      classDef planned stroke-width:3px
    "#);
    insta::assert_snapshot!(graph(&both, &plan, GraphFormat::Dot), @r#"
    digraph migrations {
      node [shape=box];
      subgraph cluster_0 {
        label="app";
        m0 [label="1 m1"];
        m2 [label="2 m2", style=bold];
      }
      subgraph cluster_2 {
        label="billing";
        m1 [label="1 m1", style=bold];
      }
      m0 -> m2 [style=dashed];
      m1 -> m2;
    }
    "#);
}

proptest! {
    #[test]
    fn the_order_respects_dependencies_and_versions_where_it_can(
        sizes in prop::collection::vec(1_u64..7, 1..4),
        wanted in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..12),
        applied in prop::collection::vec(any::<bool>(), 20),
    ) {
        let all: Vec<(usize, u64)> =
            sizes.iter().enumerate().flat_map(|(chain, size)| (1..=*size).map(move |version| (chain, version))).collect();
        let mut needs: BTreeMap<(usize, u64), Vec<(usize, u64)>> = BTreeMap::new();
        for (from, to) in &wanted {
            needs.entry(*from.get(&all)).or_default().push(*to.get(&all));
        }
        let names = ["a", "b", "c"];
        let made = several(sizes.iter().enumerate().map(|(chain, size)| {
            let migrations = (1..=*size).map(|version| {
                let texts: Vec<String> = needs.get(&(chain, version)).into_iter().flatten()
                    .map(|(chain, version)| format!("{}:{version}", names[*chain])).collect();
                needing(version, &texts.iter().map(String::as_str).collect::<Vec<_>>())
            });
            (names[chain], migrations.collect())
        }).collect());
        let chains = match made {
            Ok(chains) => chains,
            Err(ChainError::Cycle { path }) => {
                prop_assert_eq!(path.first(), path.last());
                return Ok(());
            }
            Err(other) => panic!("{other}"),
        };
        prop_assert_eq!(chains.nodes().len(), all.len());
        for (place, node) in chains.nodes().iter().enumerate() {
            prop_assert!(node.needs.iter().all(|need| *need < place));
            prop_assert_eq!(node.needs.len(), node.migration.placement.depends_on.len());
        }
        if needs.is_empty() {
            prop_assert!(chains.nodes().is_sorted_by_key(|node| (node.chain, node.migration.version)));
        }
        // Whatever is applied already, the rest comes in an order that respects the dependencies, once, and then nothing.
        let rules = Rules { allow_out_of_order: true, ..Rules::default() };
        let mut rows: Vec<Applied> = Vec::new();
        for (node, applied) in chains.nodes().iter().zip(&applied) {
            let have = |need: &usize| {
                let needed = &chains.nodes()[*need];
                rows.iter().any(|row| *row.chain == *names[needed.chain] && row.version == needed.migration.version)
            };
            if *applied && node.needs.iter().all(have) {
                let id = i64::try_from(rows.len()).unwrap();
                rows.push(Applied { chain: names[node.chain].into(), id, ..row(&node.migration) });
            }
        }
        let plan = build(&chains, &rows, &Goal::LATEST, &rules).unwrap();
        for step in &plan.steps {
            let have = |chain: &str, version| rows.iter().any(|row| *row.chain == *chain && row.version == version);
            prop_assert!(!have(&step.chain, step.migration.version));
            for need in &step.migration.placement.depends_on {
                prop_assert!(have(need.chain.as_deref().unwrap(), need.version));
            }
            let id = i64::try_from(rows.len()).unwrap();
            rows.push(Applied { chain: Arc::clone(&step.chain), id, ..row(&step.migration) });
        }
        prop_assert_eq!(rows.len(), all.len());
        prop_assert!(build(&chains, &rows, &Goal::LATEST, &rules).unwrap().steps.is_empty());
        let down = build(&chains, &rows, &Goal::Down(Until::End), &rules).unwrap();
        let up: Vec<String> = rows.iter().map(|row| format!("{}:{}", row.chain, row.version)).collect();
        let taken: Vec<String> =
            down.steps.iter().rev().map(|step| format!("{}:{}", step.chain, step.migration.version)).collect();
        prop_assert_eq!(up, taken);
    }
}

#[test]
fn what_is_skipped_with_another_may_be_overtaken_as_that_may() {
    let skipped = || {
        let condition = crate::sql::Precondition {
            sql: "SELECT 0".to_owned(),
            otherwise: crate::model::Unmet::Skip,
            message: None,
            at: 0..0,
        };
        let mut migration = needing(1, &[]);
        if let Body::Sql { up, .. } = &mut migration.body {
            up.directives.preconditions.push(condition);
        }
        migration
    };
    let mut late = skipped();
    late.placement.out_of_order = true;
    let one = chains(vec![late, needing(2, &["1"]), needing(3, &["2"]), needing(4, &[])]);
    let plan = build(&one, &rows(&[4]), &Goal::LATEST, &Rules::default()).unwrap();
    assert_eq!(titles(&plan), ["1 m1", "2 m2", "3 m3"]);
    // Also when the one that was skipped has come since.
    let plan = build(&one, &rows(&[1, 4]), &Goal::LATEST, &Rules::default()).unwrap();
    assert_eq!(titles(&plan), ["2 m2", "3 m3"]);
    let other = several(vec![("app", vec![needing(1, &["b:1"]), needing(2, &[])]), ("b", vec![skipped()])]).unwrap();
    let plan = build(&other, &[of("app", 2, 1)], &Goal::LATEST, &Rules::default()).unwrap();
    assert_eq!(titles(&plan), ["b:1 m1", "app:1 m1"]);
}

#[test]
fn a_repeatable_one_needs_what_it_depends_on() {
    let recent = || {
        let placement = Placement { role: crate::model::Role::Repeatable, ..needing(0, &["b:1"]).placement };
        Migration { name: "recent".into(), placement, ..needing(0, &[]) }
    };
    let both = || several(vec![("app", vec![needing(1, &[]), recent()]), ("b", vec![needing(1, &[])])]).unwrap();
    let plan = build(&both(), &[], &Goal::LATEST, &Rules::default()).unwrap();
    assert_eq!(titles(&plan), ["app:1 m1", "b:1 m1", "app:recent"]);
    let app = both().only(&["app"]).unwrap();
    let error = build(&app, &[], &Goal::LATEST, &Rules::default()).unwrap_err();
    assert_eq!(error.to_string(), "migration app:recent depends on b:1 m1, which would not be applied before it");
    let plan = build(&app, &[of("b", 1, 1)], &Goal::LATEST, &Rules::default()).unwrap();
    assert_eq!(titles(&plan), ["app:1 m1", "app:recent"]);
}

#[test]
fn chains_that_only_the_history_knows_are_told_with_what_is_in_force() {
    let chains = several(vec![("app", vec![needing(1, &[])]), ("billing", vec![])]).unwrap().only(&["app"]).unwrap();
    let ended = Some("2026-11-20T17:33:19Z".to_owned());
    let reverted = Applied { state: AppliedState::Reverted, ended_at: ended.clone(), ..of("shop", 3, 4) };
    let rows = [of("billing", 1, 1), of("shop", 1, 2), of("shop", 2, 3), reverted, of("app", 1, 5)];
    let plan = build(&chains, &rows, &Goal::LATEST, &Rules::default()).unwrap();
    assert_eq!(plan.unnamed_chains, [UnnamedChain { name: "shop".into(), rows: 2 }]);
    let gone = [Applied { state: AppliedState::Reverted, ended_at: ended, ..of("shop", 1, 1) }];
    assert_eq!(build(&chains, &gone, &Goal::LATEST, &Rules::default()).unwrap().unnamed_chains, []);
}
