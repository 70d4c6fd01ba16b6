//! Puts the chains of a builder together, and refuses what was said of chains that are not there.

use std::collections::BTreeSet;

use crate::error::{Error, SettingError};
use crate::model::{ChainError, Policy};
use crate::source::{Code, Source};

/// The name of the first chain, unless it has another one.
const FIRST: &str = "main";

/// A chain of a migrator.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) source: Box<dyn Source>,
    pub(super) policy: Policy,
}

/// The first chain, as far as something was said of it.
#[derive(Default)]
pub(super) struct First {
    pub(super) name: Option<String>,
    pub(super) source: Option<Box<dyn Source>>,
    /// Another source was said before.
    pub(super) is_replaced: bool,
    pub(super) policy: Option<Policy>,
}

/// Puts all chains together. Without any source there is one chain, which is empty.
pub(super) fn members(first: First, others: Vec<Member>) -> Result<Vec<Member>, Error> {
    if first.is_replaced {
        return Err(SettingError::TwoSources.into());
    }
    let mut all = Vec::new();
    if first.source.is_some() || others.is_empty() {
        all.push(Member {
            name: first.name.unwrap_or_else(|| FIRST.to_owned()),
            source: first.source.unwrap_or_else(|| Box::new(Code::new())),
            policy: first.policy.unwrap_or_default(),
        });
    } else {
        let said = [("chain", first.name.is_some()), ("policy", first.policy.is_some())];
        if let Some((setting, _)) = said.into_iter().find(|(_, is_said)| *is_said) {
            return Err(SettingError::NoFirstChain { setting, known: names(&others) }.into());
        }
    }
    let of_first = all.len();
    all.extend(others);
    if let Some(place) = all.iter().position(|member| member.name.is_empty()) {
        let setting = if place < of_first { "chain" } else { "and_chain" };
        return Err(SettingError::EmptyName { setting }.into());
    }
    let mut names = BTreeSet::new();
    for Member { name, policy, .. } in &all {
        if !names.insert(name) {
            return Err(ChainError::SameName { name: name.clone() }.into());
        }
        policy.check()?;
    }
    Ok(all)
}

/// Refuses a setting of a chain that is not there.
pub(super) fn check_names<'n>(
    setting: &'static str,
    named: impl IntoIterator<Item = &'n String>,
    members: &[Member],
) -> Result<(), SettingError> {
    match named.into_iter().find(|name| !is_there(name, members)) {
        Some(name) => Err(SettingError::UnknownChain { setting, name: name.clone(), known: names(members) }),
        None => Ok(()),
    }
}

/// Refuses to be restricted to a chain that is not there.
pub(super) fn check_only(only: &[String], members: &[Member]) -> Result<(), ChainError> {
    match only.iter().find(|name| !is_there(name, members)) {
        Some(name) => Err(ChainError::Unknown { name: name.clone(), known: names(members) }),
        None => Ok(()),
    }
}

fn is_there(name: &str, members: &[Member]) -> bool {
    members.iter().any(|member| member.name == name)
}

fn names(members: &[Member]) -> Vec<String> {
    members.iter().map(|member| member.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Migrator;
    use crate::MigratorBuilder;
    use crate::model::Placeholders;

    fn refused(builder: MigratorBuilder) -> String {
        builder.build().expect_err("it is refused").to_string()
    }

    fn two() -> MigratorBuilder {
        Migrator::builder().source(Code::new()).and_chain("billing", Code::new(), Policy::default())
    }

    #[test]
    fn what_is_said_of_chains_that_are_not_there_is_refused() {
        let known = "which is not there; known are main, billing";
        let cases = [
            (two().keep_bodies_of("biling", true), format!("`keep_bodies_of` is about the chain biling, {known}")),
            (
                two().placeholders_of("Main", Placeholders::default()),
                format!("`placeholders_of` is about the chain Main, {known}"),
            ),
        ];
        for (builder, expected) in cases {
            assert_eq!(refused(builder), expected);
        }
        let unknown = two().chain("app").only(["billing", "main"]).build().expect_err("it is refused");
        let Error::Chain(ChainError::Unknown { name, known }) = unknown else { panic!("{unknown:?}") };
        assert_eq!((name.as_str(), known), ("main", vec!["app".to_owned(), "billing".to_owned()]));
        let fine = two().keep_bodies_of("billing", true).placeholders_of("main", Placeholders::default());
        assert!(fine.only(["billing"]).build().is_ok());
        assert!(Migrator::builder().build().is_ok(), "a migrator without a source has an empty chain");
    }

    #[test]
    fn what_is_said_of_a_first_chain_that_is_not_there_is_refused() {
        let only_others = || Migrator::builder().and_chain("billing", Code::new(), Policy::default());
        let expected = |setting| {
            format!(
                "`{setting}` is about the chain of `source`, which was not called; the chains of `and_chain` are billing"
            )
        };
        assert_eq!(refused(only_others().policy(Policy::default())), expected("policy"));
        assert_eq!(refused(only_others().chain("app")), expected("chain"));
        assert!(only_others().build().is_ok());
    }

    #[test]
    fn a_second_source_of_one_chain_and_a_chain_without_a_name_are_refused() {
        assert!(refused(two().source(Code::new())).starts_with("`source` was called twice for one chain; "));
        assert_eq!(refused(two().chain("")), "a chain was given an empty name by `chain`");
        let unnamed = two().and_chain("", Code::new(), Policy::default());
        assert_eq!(refused(unnamed), "a chain was given an empty name by `and_chain`");
    }

    #[test]
    fn two_chains_of_one_name_are_refused() {
        assert_eq!(refused(two().and_chain("main", Code::new(), Policy::default())), "two chains are called main");
        let same = two().and_chain("billing", Code::new(), Policy::default());
        assert_eq!(refused(same), "two chains are called billing");
    }
}
