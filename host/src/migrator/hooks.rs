//! Collects the hooks of a run: those of the migrator, and those that trusted sources bring.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::Migrator;
use crate::model::{Direction, Hook, Migration, Moment, Placeholders};
use crate::source::{self, Ignored, Loaded, Problem};

/// The hooks of a migrator.
#[derive(Default)]
pub(super) struct Hooks {
    pub(super) all: Vec<HookSource>,
    /// The values for names in their scripts.
    pub(super) placeholders: Placeholders,
}

/// A hook, or the file of one.
pub(super) enum HookSource {
    Made(Hook),
    File { moment: Moment, direction: Option<Direction>, path: PathBuf },
}

impl Migrator {
    /// Reads the hooks of the migrator, in the order in which they were named, and tells what is wrong with their files.
    pub(super) fn own_hooks(&self, read_at: Timestamp) -> (Vec<Hook>, Vec<Problem>) {
        let mut hooks = Vec::new();
        // A file can be named at several moments.
        let mut wrong: BTreeMap<Problem, Vec<&str>> = BTreeMap::new();
        for source in &self.hooks.all {
            let mut hook = match source {
                HookSource::Made(hook) => hook.clone(),
                HookSource::File { moment, direction, path } => match source::hook_file(path, self.endings()) {
                    Ok(migration) => Hook { direction: *direction, ..Hook::new(*moment, migration) },
                    Err(error) => {
                        for problem in error.problems {
                            let moments = wrong.entry(problem).or_default();
                            if !moments.contains(&moment.as_str()) {
                                moments.push(moment.as_str());
                            }
                        }
                        continue;
                    }
                },
            };
            let mut migration = Migration::clone(&hook.migration);
            self.hooks.placeholders.fill(&mut migration, &self.surroundings("", read_at));
            hook.migration = Arc::new(migration);
            hooks.push(hook);
        }
        (hooks, wrong.into_iter().map(|(problem, moments)| of_hook(problem, &moments)).collect())
    }

    /// Takes the hooks of a source, which are for its own chain; those of somebody else's source are left out.
    pub(super) fn of_source(&self, chain: &str, read_at: Timestamp, loaded: &mut Loaded) -> Vec<Hook> {
        let hooks = std::mem::take(&mut loaded.hooks);
        if self.policies.of(chain).is_untrusted() {
            let reason = "a hook of an untrusted chain, which is not run";
            let ignored = |hook: Hook| Ignored { file: hook.migration.file.clone(), reason: reason.to_owned() };
            loaded.ignored.extend(hooks.into_iter().map(ignored));
            return Vec::new();
        }
        let of_chain = |mut hook: Hook| {
            self.fill(chain, read_at, [Arc::make_mut(&mut hook.migration)]);
            Hook { chain: Some(Arc::from(chain)), ..hook }
        };
        hooks.into_iter().map(of_chain).collect()
    }

    #[cfg(feature = "wasm")]
    fn endings(&self) -> Vec<String> {
        self.engines.extensions()
    }

    #[cfg(not(feature = "wasm"))]
    fn endings(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Says of what is wrong with a file that it is a hook, and when it is to run.
fn of_hook(problem: Problem, moments: &[&str]) -> Problem {
    let noun = if moments.len() == 1 { "hook" } else { "hooks" };
    let message = format!("{} (the {} {noun})", problem.message, moments.join(" and "));
    let hint = problem.hint.or_else(|| Some("bring the file back, or take out what names it as a hook".to_owned()));
    Problem { message, hint, ..problem }
}
