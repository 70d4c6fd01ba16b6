//! Collects the hooks of a run: those of the migrator, and those that trusted sources bring.

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
        let (mut hooks, mut problems) = (Vec::new(), Vec::new());
        for source in &self.hooks.all {
            let mut hook = match source {
                HookSource::Made(hook) => hook.clone(),
                HookSource::File { moment, direction, path } => match source::hook_file(path, self.endings()) {
                    Ok(migration) => Hook { direction: *direction, ..Hook::new(*moment, migration) },
                    Err(error) => {
                        problems.extend(error.problems);
                        continue;
                    }
                },
            };
            let mut migration = Migration::clone(&hook.migration);
            self.hooks.placeholders.fill(&mut migration, &self.surroundings("", read_at));
            hook.migration = Arc::new(migration);
            hooks.push(hook);
        }
        // A file can be named at several moments.
        problems.sort();
        problems.dedup();
        (hooks, problems)
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
