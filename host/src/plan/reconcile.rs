//! Holds the chains against the history: the state of every migration.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::model::{Applied, AppliedState, Body, Chain, Chains, Key, Migration, Node, Resumption, Role, Version};

/// How an applied migration differs from the one in the chain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Difference {
    /// Only in line endings, blanks or comments.
    Cosmetic,
    /// Only in the manifest.
    Manifest,
    /// Only in libraries whose functions it calls.
    Functions,
    /// In what it does.
    Body,
}

/// Where a migration stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// In the history, and the chain has the same body.
    Applied,
    /// Not in the history.
    Pending,
    /// Was applied once, and taken back: it would be applied again.
    Reverted,
    /// Not in the history, but one that comes after it is.
    OutOfOrder,
    /// In the history, but not in the chain.
    Missing,
    /// In the history, but newer than anything in the chain.
    Future,
    /// In the history, and the chain has something else.
    ChecksumMismatch(Difference),
    /// Repeatable, and changed since it ran: it would run again.
    Outdated,
    /// Some chunks or statements of it are done, and the chain has the same ones; it goes on where it stopped.
    InProgress,
    /// Some chunks or statements of it are done, and the chain has something else for these: it cannot go on.
    ChangedInProgress,
    /// A step outside a transaction stopped half way.
    Dirty,
    /// In the database by way of a baseline: declared so, or part of a squash that was run.
    Baseline,
    /// Never to be applied here: a baseline that the database did not start from, or what one has in it that it is
    /// about to start from.
    Ignored,
}

impl State {
    /// Returns the state's name for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Pending => "pending",
            Self::Reverted => "reverted",
            Self::OutOfOrder => "out-of-order",
            Self::Missing => "missing",
            Self::Future => "future",
            Self::ChecksumMismatch(Difference::Cosmetic) => "checksum-mismatch-cosmetic",
            Self::ChecksumMismatch(Difference::Manifest) => "checksum-mismatch-manifest",
            Self::ChecksumMismatch(Difference::Functions) => "checksum-mismatch-functions",
            Self::ChecksumMismatch(Difference::Body) => "checksum-mismatch",
            Self::Outdated => "outdated",
            Self::InProgress => "in-progress",
            Self::ChangedInProgress => "changed-in-progress",
            Self::Dirty => "dirty",
            Self::Baseline => "baseline",
            Self::Ignored => "ignored",
        }
    }

    /// Returns the state's name for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::OutOfOrder => "out of order",
            Self::ChecksumMismatch(Difference::Cosmetic) => "applied and reformatted",
            Self::ChecksumMismatch(Difference::Manifest) => "applied with another manifest",
            Self::ChecksumMismatch(Difference::Functions) => "applied with other functions",
            Self::ChecksumMismatch(Difference::Body) => "applied and changed since",
            Self::InProgress => "in progress",
            Self::ChangedInProgress => "changed while it is in progress",
            Self::Baseline => "there by way of a baseline",
            other => other.as_str(),
        }
    }

    /// Tells whether the migration still has to be applied.
    pub fn is_pending(self) -> bool {
        matches!(self, Self::Pending | Self::Reverted | Self::OutOfOrder | Self::Outdated | Self::InProgress)
    }
}

/// One migration with its state: in a chain, in the history, or in both.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// Name of its chain.
    pub chain: Arc<str>,
    /// Its version; 0 for one that is repeatable.
    pub version: Version,
    /// When it runs.
    pub role: Role,
    /// Where it stands.
    pub state: State,
    /// It may be applied although a later one is.
    pub may_be_late: bool,
    /// The chain's part.
    pub migration: Option<Arc<Migration>>,
    /// The history's part.
    pub applied: Option<Applied>,
}

impl Entry {
    /// Returns the name, the chain's first.
    pub fn name(&self) -> &str {
        match (&self.migration, &self.applied) {
            (Some(migration), _) => &migration.name,
            (None, Some(applied)) => &applied.name,
            (None, None) => "",
        }
    }

    /// Returns the kind, the chain's first.
    pub fn kind(&self) -> &str {
        match (&self.migration, &self.applied) {
            (Some(migration), _) => migration.kind().as_str(),
            (None, Some(applied)) => &applied.kind,
            (None, None) => "",
        }
    }

    /// Names it in a sentence: version and name; only the name of a repeatable one.
    pub fn title(&self) -> String {
        match self.role {
            Role::Versioned | Role::Baseline => format!("{} {}", self.version, self.name()),
            Role::Repeatable => self.name().to_owned(),
        }
    }

    /// Returns what tells it from the others of its chain.
    pub fn key(&self) -> Key {
        match self.role {
            Role::Versioned | Role::Baseline => Key::Version(self.version),
            Role::Repeatable => Key::Name(self.name().to_owned()),
        }
    }
}

/// Returns every migration of the active chains and of their history with its state: chain by chain, in the order of
/// versions, repeatable ones last.
pub fn reconcile(chains: &Chains, applied: Vec<Applied>) -> Vec<Entry> {
    let states = States::find(chains, &applied, None);
    let place = |row: Option<&Applied>| row.and_then(|row| applied.element_offset(row));
    let nodes = chains.nodes().iter().zip(&states.nodes);
    let nodes = nodes.map(|(node, (state, row))| (node.chain, *state, node.may_be_late, Some(&node.migration), *row));
    let repeatables =
        states.repeatables.iter().map(|(chain, migration, state, row)| (*chain, *state, false, Some(*migration), *row));
    let strangers = states.strangers.iter().map(|(chain, state, row)| (*chain, *state, false, None, Some(*row)));
    let mut found: Vec<Found> = nodes
        .chain(repeatables)
        .chain(strangers)
        .filter(|(chain, ..)| chains.is_active(*chain))
        .map(|(chain, state, may_be_late, migration, row)| {
            let (role, version) = match (migration, row) {
                (Some(migration), _) => (migration.role(), migration.version),
                (None, Some(row)) if row.repeatable => (Role::Repeatable, row.version),
                (None, row) => (Role::Versioned, row.map_or(Version::from(0), |row| row.version)),
            };
            Found { chain, role, version, state, may_be_late, migration: migration.cloned(), row: place(row) }
        })
        .collect();
    // Stable, so that repeatable ones stay in the order in which they run.
    found.sort_by_key(|found| (found.chain, found.role == Role::Repeatable, found.version, found.role));
    // Each row belongs to one of them at most, and a row is large.
    let mut rows: Vec<Option<Applied>> = applied.into_iter().map(Some).collect();
    let entry = |Found { chain, role, version, state, may_be_late, migration, row }| Entry {
        chain: Arc::clone(chains.all()[chain].shared_name()),
        version,
        role,
        state,
        may_be_late,
        migration,
        applied: row.and_then(|row| rows[row].take()),
    };
    found.into_iter().map(entry).collect()
}

/// What becomes an [`Entry`]: small, to be put in order first.
struct Found {
    chain: usize,
    role: Role,
    version: Version,
    state: State,
    may_be_late: bool,
    migration: Option<Arc<Migration>>,
    /// Which of the rows.
    row: Option<usize>,
}

/// A repeatable migration: its chain, itself, its state, its row.
type Repeatable<'a> = (usize, &'a Arc<Migration>, State, Option<&'a Applied>);

/// The states of all migrations of all chains.
pub(super) struct States<'a> {
    /// One for each of [`Chains::nodes`], with its row in force.
    pub(super) nodes: Vec<(State, Option<&'a Applied>)>,
    /// One for each that is repeatable, in the order in which they run.
    pub(super) repeatables: Vec<Repeatable<'a>>,
    /// Rows in force of which the chains have nothing.
    pub(super) strangers: Vec<(usize, State, &'a Applied)>,
}

/// What is known of one chain's history.
#[derive(Default)]
struct Past<'a> {
    live: HashMap<Key, &'a Applied, RandomState>,
    reverted: HashMap<Key, &'a Applied, RandomState>,
    /// The highest version that a baseline in force has in it.
    floor: Option<Version>,
    /// The baseline that a database which has nothing of the chain starts from.
    start: Option<Version>,
}

impl<'a> States<'a> {
    /// Finds them; a database that has nothing of a chain starts from its latest baseline that is not above `limit`.
    pub(super) fn find(chains: &'a Chains, applied: &'a [Applied], limit: Option<Version>) -> Self {
        let mut pasts: Vec<Past<'a>> = chains.all().iter().map(|chain| Past::with_room(chain, applied)).collect();
        for row in applied {
            let Some(chain) = chains.index(&row.chain) else { continue };
            let past = &mut pasts[chain];
            if row.is_live() {
                past.live.insert(row.key(), row);
                if row.state == AppliedState::Baseline {
                    past.floor = past.floor.max(Some(row.version));
                }
            } else if row.state == AppliedState::Reverted {
                past.reverted.insert(row.key(), row);
            }
        }
        for (chain, past) in chains.all().iter().zip(&mut pasts) {
            if past.live.is_empty() {
                let fits = |version: &Version| limit.is_none_or(|limit| *version <= limit);
                past.start = chain.baselines().iter().map(|baseline| baseline.version).rfind(fits);
            }
        }
        let mut found = Self { nodes: Vec::new(), repeatables: Vec::new(), strangers: Vec::new() };
        let find = |node: &Node| pasts[node.chain].node(&chains.all()[node.chain], &node.migration);
        found.nodes = chains.nodes().iter().map(find).collect();
        let mut known = vec![false; applied.len()];
        for row in found.nodes.iter().filter_map(|(_, row)| *row) {
            applied.element_offset(row).into_iter().for_each(|place| known[place] = true);
        }
        for (row, _) in applied.iter().zip(&known).filter(|(row, known)| !**known && row.is_live()) {
            if let Some(chain) = chains.index(&row.chain)
                && let Some(state) = stranger(chains, chain, row)
            {
                found.strangers.push((chain, state, row));
            }
        }
        found.put_out_of_order(chains);
        for (index, chain) in chains.all().iter().enumerate() {
            for migration in chain.repeatables() {
                let (state, row) = pasts[index].repeatable(chain, migration);
                found.repeatables.push((index, migration, state, row));
            }
        }
        found
    }

    /// Marks what is pending although one that comes after it in its chain is applied.
    fn put_out_of_order(&mut self, chains: &Chains) {
        let mut last: Vec<Option<usize>> = vec![None; chains.all().len()];
        for (place, (node, (_, row))) in chains.nodes().iter().zip(&self.nodes).enumerate() {
            if row.is_some() {
                last[node.chain] = Some(place);
            }
        }
        let mut newest_stranger: Vec<Option<Version>> = vec![None; chains.all().len()];
        for (chain, _, row) in self.strangers.iter().filter(|(_, _, row)| !row.repeatable) {
            newest_stranger[*chain] = newest_stranger[*chain].max(Some(row.version));
        }
        for (place, (node, (state, _))) in chains.nodes().iter().zip(&mut self.nodes).enumerate() {
            let overtaken = last[node.chain].is_some_and(|last| place < last)
                || newest_stranger[node.chain].is_some_and(|newest| node.migration.version < newest);
            if overtaken && matches!(state, State::Pending | State::Reverted) {
                *state = State::OutOfOrder;
            }
        }
    }
}

impl<'a> Past<'a> {
    /// Starts with nothing, and with room for all that can be known.
    fn with_room(chain: &Chain, applied: &[Applied]) -> Self {
        let live =
            HashMap::with_capacity_and_hasher(applied.len().min(chain.migrations().len()), RandomState::default());
        Self { live, ..Self::default() }
    }

    fn node(&self, chain: &Chain, migration: &Migration) -> (State, Option<&'a Applied>) {
        let key = migration.key();
        let row = self.live.get(&key).copied();
        let is_baseline = migration.role() == Role::Baseline;
        // A version may be that of a baseline as well as of one of those it has in it; the row says which was run.
        let row = row.filter(|row| is_baseline == (row.state == AppliedState::Baseline && *row.kind != *DECLARED));
        if is_baseline {
            return match row {
                Some(row) => (compare(chain, migration, row), Some(row)),
                None if self.start == Some(migration.version) => (State::Pending, None),
                None => (State::Ignored, None),
            };
        }
        match row {
            Some(row) => (compare(chain, migration, row), Some(row)),
            None if self.floor.is_some_and(|floor| migration.version <= floor) => (State::Baseline, None),
            None if self.start.is_some_and(|start| migration.version <= start) => (State::Ignored, None),
            None if self.reverted.contains_key(&key) => (State::Reverted, None),
            None => (State::Pending, None),
        }
    }

    fn repeatable(&self, chain: &Chain, migration: &Migration) -> (State, Option<&'a Applied>) {
        let key = migration.key();
        match self.live.get(&key).copied() {
            None if self.reverted.contains_key(&key) => (State::Reverted, None),
            None => (State::Pending, None),
            Some(row) if is_outdated(chain, migration, row) => (State::Outdated, Some(row)),
            Some(row) => (compare(chain, migration, row), Some(row)),
        }
    }
}

/// The kind of a row that only declares: it is there without anything having been run.
pub(crate) const DECLARED: &str = "baseline";

/// Returns the state of a row that the chain has nothing for.
fn stranger(chains: &Chains, chain: usize, row: &Applied) -> Option<State> {
    let all = &chains.all()[chain];
    let known = match row.key() {
        Key::Name(name) => all.repeatable(&name).is_some(),
        Key::Version(version) => {
            let role = if row.state == AppliedState::Baseline && *row.kind != *DECLARED {
                Role::Baseline
            } else {
                Role::Versioned
            };
            chains.place(chain, role, version).is_some()
        }
    };
    let newest = || all.migrations().iter().chain(all.baselines()).map(|migration| migration.version).max();
    match row.state {
        _ if known => None,
        AppliedState::Started => Some(State::Dirty),
        AppliedState::Baseline => Some(State::Baseline),
        // Its file is there, and is for another program.
        _ if !row.repeatable && all.elsewhere().iter().any(|other| other.version == row.version) => {
            Some(State::Applied)
        }
        // It was run, and its file may be gone: a baseline has it in it.
        _ if !row.repeatable && all.baselines().iter().any(|baseline| baseline.version >= row.version) => {
            Some(State::Applied)
        }
        _ if !row.repeatable && newest().is_none_or(|newest| row.version > newest) => Some(State::Future),
        _ => Some(State::Missing),
    }
}

/// Tells how a script outside a transaction goes on that did not come to its end.
fn stopped(migration: &Migration, row: &Applied) -> State {
    let (Body::Sql { up, .. }, Some(progress)) = (&migration.body, &row.script) else { return State::Dirty };
    match progress.resume(up) {
        Resumption::Next => State::InProgress,
        Resumption::Unknown => State::Dirty,
        Resumption::Changed(_) => State::ChangedInProgress,
    }
}

/// Tells whether a repeatable migration has changed since it ran.
///
/// The manifest counts here: its parameters are part of what code does, and running again is no harm.
pub(crate) fn is_outdated(chain: &Chain, migration: &Migration, row: &Applied) -> bool {
    let State::ChecksumMismatch(difference) = compare(chain, migration, row) else { return false };
    let changed = match difference {
        Difference::Body | Difference::Manifest => true,
        // There may be more than what was looked at first.
        Difference::Cosmetic => !migration.has_manifest(row.manifest_checksum),
        Difference::Functions => false,
    };
    changed && !row.is_in_progress()
}

/// Compares a migration with its row in force.
pub(crate) fn compare(chain: &Chain, migration: &Migration, row: &Applied) -> State {
    match row.state {
        AppliedState::Started => return stopped(migration, row),
        AppliedState::Baseline if *row.kind == *DECLARED => return State::Baseline,
        AppliedState::InProgress => {
            // Here the manifest is part of it: the rest would be done in another way than what is done.
            let same = migration.checksum() == row.checksum
                && migration.has_manifest(row.manifest_checksum)
                && chain.library_checksums(migration) == row.functions;
            return if same { State::InProgress } else { State::ChangedInProgress };
        }
        AppliedState::Applied | AppliedState::Baseline | AppliedState::Reverted | AppliedState::Replaced => {}
    }
    if migration.checksum() != row.checksum {
        // The normalised checksum costs a pass over the text, so it is only asked for when the plain one differs.
        let cosmetic = row.normalised_checksum.is_some() && migration.normalised_checksum() == row.normalised_checksum;
        return State::ChecksumMismatch(if cosmetic { Difference::Cosmetic } else { Difference::Body });
    }
    if !migration.has_manifest(row.manifest_checksum) {
        return State::ChecksumMismatch(Difference::Manifest);
    }
    // Computed only where functions are called: it takes reading the whole of their component.
    let uses_functions = !row.functions.is_empty() || !migration.libraries().is_empty();
    if uses_functions && chain.library_checksums(migration) != row.functions {
        return State::ChecksumMismatch(Difference::Functions);
    }
    if row.state == AppliedState::Baseline { State::Baseline } else { State::Applied }
}
