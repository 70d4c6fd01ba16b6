//! Files that were renumbered after a database had them: versions that were applied as another migration, which the chain
//! has under another version now. Pure.

use std::sync::Arc;

use super::{Difference, Entry, State};
use crate::model::{Applied, Migration, Role};

/// Finds, among the migrations of a chain with their rows in force, the one that was applied under the version of another.
pub(super) fn moved<'m>(
    all: impl IntoIterator<Item = (&'m Arc<Migration>, Option<&'m Applied>)>,
    migration: &Migration,
    row: &Applied,
) -> Option<&'m Arc<Migration>> {
    if row.name == migration.name || row.repeatable || row.checksum == migration.checksum() {
        return None;
    }
    let has_its_own = |own: Option<&Applied>, other: &Migration| {
        own.is_some_and(|own| own.is_live() && own.name == other.name && own.checksum == other.checksum())
    };
    let is_it = |(other, own): &(&Arc<Migration>, Option<&Applied>)| {
        other.version != migration.version
            && other.role() == Role::Versioned
            && other.name == row.name
            && other.checksum() == row.checksum
            && !has_its_own(*own, other)
    };
    all.into_iter().find(is_it).map(|(other, _)| other)
}

/// Finds what the version of a migration was applied as, where that is another migration: its entry as it is now.
pub fn applied_as<'e>(entries: &'e [Entry], entry: &Entry) -> Option<&'e Entry> {
    let (State::ChecksumMismatch(Difference::Body), Some(migration), Some(row)) =
        (entry.state, &entry.migration, &entry.applied)
    else {
        return None;
    };
    let own = || entries.iter().filter(|other| other.chain == entry.chain);
    let all = own().filter_map(|other| Some((other.migration.as_ref()?, other.applied.as_ref())));
    let now = moved(all, migration, row)?;
    own().find(|other| other.migration.as_ref().is_some_and(|other| Arc::ptr_eq(other, now)))
}

/// Returns all entries whose versions were given to each other's migrations, in the order in which each was applied as the next
/// one; nothing where an entry is none of those.
pub(super) fn renumbered<'e>(entries: &'e [Entry], entry: &'e Entry) -> Vec<&'e Entry> {
    let is_same = |one: &Entry, other: &Entry| std::ptr::eq(one, other);
    let mut all = vec![entry];
    while let Some(next) = all.last().and_then(|last| applied_as(entries, last))
        && !all.iter().any(|known| is_same(known, next))
    {
        all.push(next);
    }
    let before =
        |of: &Entry| entries.iter().find(|other| applied_as(entries, other).is_some_and(|now| is_same(now, of)));
    while let Some(first) = before(all[0])
        && !all.iter().any(|known| is_same(known, first))
    {
        all.insert(0, first);
    }
    if all.len() == 1 { Vec::new() } else { all }
}
