//! How to give a migration more of what it has used up, ready to paste.

use whimbrel::limits::{Excess, LimitReached, Limits, SetBy};
use whimbrel::model::{Key, Policy};
use whimbrel::plan::Step;

/// Says how to raise a limit that a step has met.
pub(super) fn hint(reached: &LimitReached, failed: &Step) -> String {
    let migration = &failed.migration;
    match (reached.set_by, &migration.manifest) {
        (SetBy::Manifest, Some(manifest)) => {
            format!("let it do less, or raise `{}` under [limits] in {}", reached.limit.key(), manifest.file)
        }
        _ => {
            let now = Limits::default().with(reached.limit, reached.value);
            let policy = Policy::limits_snippet(&failed.chain, &migration.key(), &now);
            format!("let it do less, or give it more than this in whimbrel.toml:\n{policy}")
        }
    }
}

/// Says how to raise a limit where the migration is not at hand.
pub(super) fn general_hint(reached: &LimitReached) -> String {
    format!("let it do less, or raise {}", reached.how_to_raise())
}

/// Says how to give a manifest what it asks for.
pub(crate) fn give(excesses: &[Excess], chain: &str, key: &Key) -> String {
    let asked = excesses.iter().fold(Limits::default(), |asked, excess| asked.with(excess.limit, excess.asked));
    let policy = Policy::limits_snippet(chain, key, &asked);
    format!("to give it, write into whimbrel.toml:\n{policy}")
}
