//! Reads the sources and makes chains of what they hold. Opens no database.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::Migrator;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::model::{ChainError, Chains, Held, gather};
use crate::plan::Goal;
use crate::source::{Ignored, Layout, Loaded, Problem, SourceError};

/// What the sources hold.
pub(super) struct Found {
    pub(super) chains: Chains,
    /// Files that are no migrations, and chains that are left out.
    pub(super) ignored: Vec<Ignored>,
    /// What is wrong with the files of hooks: nothing can be run, and everything can be looked at.
    pub(super) hook_problems: Vec<Problem>,
    /// The layout of which only another tool's history tells.
    pub(super) assumed: Option<Layout>,
}

/// Which chains have to be in order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sound {
    /// All.
    All,
    /// The active ones and those that they depend on. Others are left out where something is wrong with them, and told.
    Needed,
}

impl Sound {
    /// What goes up depends on some chains; on what goes down any chain may depend.
    pub(super) fn for_goal(goal: &Goal) -> Self {
        match goal {
            Goal::Up(_) => Self::Needed,
            Goal::Down(_) | Goal::Redo(_) => Self::All,
        }
    }
}

impl Migrator {
    /// Loads all chains; those that are not active too, since active ones may depend on them. For what runs no hooks.
    pub(super) fn load(&self, interrupt: &Interrupt) -> Result<Chains, Error> {
        Ok(self.look_into_sources(Sound::All, interrupt)?.chains)
    }

    /// Does the same for what is only about the active chains and those that they depend on.
    pub(super) fn load_needed(&self, interrupt: &Interrupt) -> Result<Chains, Error> {
        Ok(self.look_into_sources(Sound::Needed, interrupt)?.chains)
    }

    /// Does the same for what runs hooks, or tells of a run: none of them may be broken.
    pub(super) fn load_to_run(&self, sound: Sound, interrupt: &Interrupt) -> Result<Chains, Error> {
        let found = self.look_into_sources(sound, interrupt)?;
        match found.hook_problems.is_empty() {
            true => Ok(found.chains),
            false => Err(SourceError::new(found.hook_problems).into()),
        }
    }

    pub(super) fn look_into_sources(&self, sound: Sound, interrupt: &Interrupt) -> Result<Found, Error> {
        self.look_into_sources_of(None, sound, interrupt)
    }

    /// Looks into the sources, of which the active ones may be laid out as a tool does that has applied them.
    pub(super) fn look_into_sources_of(
        &self,
        tool: Option<Layout>,
        sound: Sound,
        interrupt: &Interrupt,
    ) -> Result<Found, Error> {
        let read_at = Timestamp::now();
        let (mut hooks, hook_problems) = self.own_hooks(read_at);
        let (mut sources, mut broken) = (Vec::new(), Vec::new());
        for (name, source) in &*self.sources {
            let tool = tool.filter(|_| self.only.is_empty() || self.only.contains(name));
            let loaded = match tool {
                Some(tool) => source.load_of(tool, interrupt),
                None => source.load(interrupt),
            };
            match loaded {
                Ok(loaded) => sources.push((name, loaded)),
                Err(error) if error.interrupted => return Err(error.into()),
                Err(error) => broken.push((name, error)),
            }
        }
        let needed = self.needed(sound, &sources);
        let is_needed = |chain: &String| needed.as_ref().is_none_or(|needed| needed.contains(chain));
        if broken.iter().any(|(name, _)| is_needed(name)) {
            let problems = broken.into_iter().flat_map(|(_, error)| error.problems).chain(hook_problems);
            return Err(SourceError::new(problems.collect()).into());
        }
        let mut left_out: Vec<(String, String)> =
            broken.iter().map(|(name, error)| ((*name).clone(), told(error))).collect();
        let (mut held, mut ignored) = (Vec::new(), Vec::new());
        let (mut of_sources, mut assumed) = (Vec::new(), None);
        for (name, mut loaded) in sources {
            assumed = assumed.or(loaded.assumed);
            of_sources.extend(self.of_source(name, read_at, &mut loaded));
            ignored.append(&mut loaded.ignored);
            // What the program itself brings, every chain may call.
            loaded.libraries.extend(self.libraries.iter().cloned());
            self.fill(name, read_at, loaded.migrations.iter_mut().map(Arc::make_mut));
            let Loaded { migrations, libraries, elsewhere, .. } = loaded;
            held.push(Held { chain: name.clone(), migrations, libraries, elsewhere });
        }
        of_sources.append(&mut hooks);
        let (chains, others) = gather_needed(held, is_needed)?;
        left_out.extend(others);
        ignored.extend(
            left_out.iter().map(|(chain, why)| Ignored { file: format!("the chain {chain}"), reason: why.clone() }),
        );
        let is_strangers = |chain: &str| self.policies.of(chain).is_untrusted();
        let chains = chains
            .with_strangers(is_strangers)
            .with_others(self.other_chains.clone())
            .with_left_out(left_out)
            .with_hooks(of_sources);
        let chains = if self.only.is_empty() { chains } else { chains.only(&self.only)? };
        let migrations = chains.nodes().len();
        tracing::debug!(migrations, ignored = ignored.len(), "sources read");
        Ok(Found { chains, ignored, hook_problems, assumed })
    }

    /// Names the chains that have to be in order: the active ones, and what they depend on, also by way of others. Nothing
    /// is all of them.
    fn needed(&self, sound: Sound, sources: &[(&String, Loaded)]) -> Option<BTreeSet<String>> {
        if sound == Sound::All || self.only.is_empty() {
            return None;
        }
        let mut needed: BTreeSet<String> = self.only.iter().cloned().collect();
        let mut ahead = self.only.clone();
        while let Some(name) = ahead.pop() {
            let Some((_, loaded)) = sources.iter().find(|(chain, _)| **chain == name) else { continue };
            let dependencies = loaded.migrations.iter().flat_map(|migration| &migration.placement.depends_on);
            let chains = dependencies.filter_map(|dependency| dependency.chain.clone());
            ahead.extend(chains.filter(|chain| needed.insert(chain.clone())));
        }
        Some(needed)
    }
}

/// Makes the chains. Where that cannot be done because of some that nobody needs, it is done without those, which are named
/// with what is wrong.
fn gather_needed(
    held: Vec<Held>,
    is_needed: impl Fn(&String) -> bool,
) -> Result<(Chains, Vec<(String, String)>), ChainError> {
    let others: Vec<String> = held.iter().map(|held| &held.chain).filter(|chain| !is_needed(chain)).cloned().collect();
    let alone = held.iter().filter(|held| is_needed(&held.chain)).cloned().collect();
    let error = match gather(held) {
        Ok(chains) => return Ok((chains, Vec::new())),
        Err(error) if others.is_empty() => return Err(error),
        Err(error) => error,
    };
    let why = error.to_string();
    let chains = gather(alone).map_err(|_| error)?;
    Ok((chains, others.into_iter().map(|chain| (chain, why.clone())).collect()))
}

/// Tells all that is wrong with a source in one line.
fn told(error: &SourceError) -> String {
    error.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use crate::model::Policy;
    use crate::source::{Directory, Memory, Source};
    use crate::{Goal, Migrator, Until};

    fn memory(files: &[(&'static str, &'static str)]) -> Memory {
        files.iter().fold(Memory::new("memory"), |source, (name, text)| source.file(*name, *text))
    }

    /// The chain `main`, and another one; runs are about `main`.
    fn beside(main: &'static str, other: impl Source + 'static) -> Migrator {
        let source = memory(&[("1_a.up.sql", main), ("1_a.down.sql", "DROP TABLE a;")]);
        Migrator::builder().source(source).and_chain("other", other, Policy::default()).only(["main"]).build().unwrap()
    }

    const TABLE: &str = "CREATE TABLE a (x);";

    #[test]
    fn what_is_wrong_with_a_chain_that_nobody_needs_stops_nothing_on_the_way_up() {
        let dependent = "-- whimbrel: depends_on = main:9\nSELECT 1;";
        let broken: [(Box<dyn Source>, &str); 3] = [
            (Box::new(memory(&[("1_b.sql", "SELECT 1;"), ("1_b.toml", "nonsense")])), "1_b.toml"),
            (Box::new(Directory::new("a_folder_that_is_not_there")), "a_folder_that_is_not_there"),
            (Box::new(memory(&[("1_b.sql", dependent)])), "the chain main has no version 9"),
        ];
        for (other, said) in broken {
            let migrator = beside(TABLE, other);
            let mut connection = Connection::open_in_memory().unwrap();
            migrator
                .on(&mut connection, |migrator| {
                    let report = migrator.up(Until::End)?;
                    assert_eq!(report.steps.len(), 1);
                    let [warning] = &report.warnings[..] else { panic!("{:?}", report.warnings) };
                    assert!(warning.message.contains(said), "{warning:?}");
                    let status = migrator.status()?;
                    assert_eq!(status.chains, ["main"]);
                    assert!(status.ignored.iter().any(|ignored| ignored.reason.contains(said)), "{status:?}");
                    migrator.verify_deep()?;
                    // Something of that chain may depend on what would go.
                    assert!(migrator.plan(&Goal::UNDO_LAST).is_err(), "{said}");
                    Ok(())
                })
                .unwrap();
        }
    }

    #[test]
    fn what_is_wrong_with_a_chain_that_is_needed_stops_everything() {
        let migrator = beside(
            "-- whimbrel: depends_on = other:1\nCREATE TABLE a (x);",
            memory(&[("1_b.sql", "SELECT 1;"), ("1_b.toml", "nonsense")]),
        );
        let mut connection = Connection::open_in_memory().unwrap();
        let error = migrator.on(&mut connection, |migrator| migrator.up(Until::End)).unwrap_err();
        assert!(error.to_string().contains("1_b.toml"), "{error}");
    }
}
