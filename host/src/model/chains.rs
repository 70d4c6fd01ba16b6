//! Several chains of one database, and the order in which their migrations can run.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::{Arc, OnceLock};

use super::{Chain, ChainError, Dependency, Hook, Kept, Key, Migration, Role, Unmet, UnmetDependency, Version};

/// The chains of one database, ordered so that every migration comes after those it depends on.
#[derive(Clone, Debug)]
pub struct Chains {
    chains: Vec<Chain>,
    nodes: Vec<Node>,
    /// Where in `nodes` what has a version is; found when somebody asks.
    places: OnceLock<HashMap<(usize, Role, Version), usize>>,
    /// The chains that runs are about; the others only have to have what these depend on.
    active: Vec<bool>,
    /// Whether each chain is somebody else's.
    strangers: Vec<bool>,
    /// Chains that others run on the same database.
    others: Vec<String>,
    /// Chains that are there and cannot be made, by name, and why; nothing here depends on one.
    left_out: Vec<(String, String)>,
    /// What the owner has run at the moments of a run.
    hooks: Vec<Arc<Hook>>,
    /// What the history has kept of migrations that the chains have no longer, or have otherwise now.
    kept: HashMap<(usize, Key), Kept>,
}

/// A migration that runs once, in its place among all of all chains.
#[derive(Clone, Debug)]
pub struct Node {
    /// Which chain it is of.
    pub chain: usize,
    /// The migration.
    pub migration: Arc<Migration>,
    /// The places of those it depends on; all come before it.
    pub needs: Vec<usize>,
    /// It may be applied although a later one is: it says so, or what it depends on, directly or by way of others, can be
    /// skipped, and it with that.
    pub may_be_late: bool,
}

impl Chains {
    /// Orders the migrations of all chains: after what they depend on, and where that leaves a choice, chain by chain and
    /// version by version.
    pub fn new(chains: Vec<Chain>) -> Result<Self, ChainError> {
        if let Some(twice) =
            chains.iter().enumerate().find(|(i, chain)| chains[..*i].iter().any(|c| c.name() == chain.name()))
        {
            return Err(ChainError::SameName { name: twice.1.name().to_owned() });
        }
        let (active, strangers) = (vec![true; chains.len()], vec![false; chains.len()]);
        let mut nodes = Vec::new();
        for (index, chain) in chains.iter().enumerate() {
            let mut own: Vec<&Arc<Migration>> = chain.migrations().iter().chain(chain.baselines()).collect();
            own.sort_by_key(|migration| (migration.version, migration.role()));
            nodes.extend(own.into_iter().map(|migration| Node {
                chain: index,
                migration: Arc::clone(migration),
                needs: Vec::new(),
                may_be_late: false,
            }));
        }
        let mut chains = Self {
            chains,
            nodes,
            places: OnceLock::new(),
            active,
            strangers,
            others: Vec::new(),
            left_out: Vec::new(),
            hooks: Vec::new(),
            kept: HashMap::new(),
        };
        let unmet = chains.resolve();
        let wrong: Vec<ChainError> = unmet.into_iter().chain(chains.arrange().err()).collect();
        if !wrong.is_empty() {
            return Err(ChainError::all_of(wrong));
        }
        chains.find_late();
        Ok(chains)
    }

    /// Restricts runs to these chains.
    pub fn only<S: AsRef<str>>(mut self, names: &[S]) -> Result<Self, ChainError> {
        for name in names {
            if self.get(name.as_ref()).is_none() {
                let known = self.chains.iter().map(|chain| chain.name().to_owned()).collect();
                return Err(ChainError::Unknown { name: name.as_ref().to_owned(), known });
            }
        }
        for (chain, active) in self.chains.iter().zip(&mut self.active) {
            *active = names.iter().any(|name| name.as_ref() == chain.name());
        }
        Ok(self)
    }

    /// Says which chains, by their names, are somebody else's. All are the owner's unless said.
    #[must_use]
    pub fn with_strangers(mut self, is_strangers: impl Fn(&str) -> bool) -> Self {
        self.strangers = self.chains.iter().map(|chain| is_strangers(chain.name())).collect();
        self
    }

    /// Names chains that others run on the same database.
    #[must_use]
    pub fn with_others(mut self, names: Vec<String>) -> Self {
        self.others = names;
        self
    }

    /// Names chains that are there and cannot be made, each with why; nothing here depends on one.
    #[must_use]
    pub(crate) fn with_left_out(mut self, left_out: Vec<(String, String)>) -> Self {
        self.left_out = left_out;
        self
    }

    /// Returns the chains that are there and could not be made, each with why.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = (&str, &str)> {
        self.left_out.iter().map(|(chain, why)| (chain.as_str(), why.as_str()))
    }

    /// Tells whether a chain is one of these, or one that others run on the same database.
    pub fn is_named(&self, name: &str) -> bool {
        self.index(name).is_some()
            || self.others.iter().any(|other| other == name)
            || self.left_out.iter().any(|(other, _)| other == name)
    }

    /// Tells whether the chain of this name is somebody else's.
    pub fn is_strangers(&self, name: &str) -> bool {
        self.index(name).is_some_and(|chain| self.strangers[chain])
    }

    /// Sets what the owner has run at the moments of a run, in the order in which it is run.
    #[must_use]
    pub fn with_hooks(mut self, hooks: Vec<Hook>) -> Self {
        self.hooks = hooks.into_iter().map(Arc::new).collect();
        self
    }

    /// Returns what the owner has run at the moments of a run.
    pub fn hooks(&self) -> &[Arc<Hook>] {
        &self.hooks
    }

    /// Sets what the history has kept of migrations that the chains have no longer, or have otherwise now.
    #[must_use]
    pub fn with_kept(mut self, kept: HashMap<(usize, Key), Kept>) -> Self {
        self.kept = kept;
        self
    }

    /// Finds what is kept of a migration that its chain has no longer, or has otherwise now.
    pub fn kept(&self, chain: usize, key: Key) -> Option<&Kept> {
        self.kept.get(&(chain, key))
    }

    /// Returns all chains.
    pub fn all(&self) -> &[Chain] {
        &self.chains
    }

    /// Returns the chains that runs are about.
    pub fn active(&self) -> impl Iterator<Item = &Chain> {
        self.chains.iter().zip(&self.active).filter(|(_, active)| **active).map(|(chain, _)| chain)
    }

    /// Tells whether runs are about the chain of this index.
    pub fn is_active(&self, chain: usize) -> bool {
        self.active[chain]
    }

    /// Finds a chain by its name.
    pub fn get(&self, name: &str) -> Option<&Chain> {
        self.index(name).map(|index| &self.chains[index])
    }

    /// Finds the index of a chain.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.chains.iter().position(|chain| chain.name() == name)
    }

    /// Returns every migration that runs once, of all chains, in an order in which they can run.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Finds the place of a migration that runs once.
    pub fn place(&self, chain: usize, role: Role, version: Version) -> Option<usize> {
        self.places.get_or_init(|| self.find_places()).get(&(chain, role, version)).copied()
    }

    /// Finds the places of those that a migration depends on, also of one that is repeatable.
    pub(crate) fn needs(&self, chain: usize, migration: &Migration) -> Vec<usize> {
        migration.placement.depends_on.iter().filter_map(|needed| self.find(chain, needed).ok()).collect()
    }

    /// Names a migration so that it can be told from those of other chains: `3 split_names`, or `billing:3 split_names`
    /// where there are several.
    pub fn title(&self, chain: usize, migration: &Migration) -> String {
        match self.chains.len() {
            1 => migration.title(),
            _ => format!("{}:{}", self.chains[chain].name(), migration.title()),
        }
    }

    fn find_places(&self) -> HashMap<(usize, Role, Version), usize> {
        let key = |node: &Node| (node.chain, node.migration.role(), node.migration.version);
        self.nodes.iter().enumerate().map(|(place, node)| (key(node), place)).collect()
    }

    /// Finds what each migration depends on; all that is not there is in the error.
    fn resolve(&mut self) -> Option<ChainError> {
        let mut unmet = Vec::new();
        let repeatables = self
            .chains
            .iter()
            .enumerate()
            .flat_map(|(index, chain)| chain.repeatables().iter().map(move |migration| (index, migration)));
        for (chain, migration) in repeatables {
            for dependency in &migration.placement.depends_on {
                if let Err(because) = self.find(chain, dependency) {
                    unmet.push(self.unmet(chain, migration, dependency, because));
                }
            }
        }
        for place in 0..self.nodes.len() {
            let node = &self.nodes[place];
            let mut needs = Vec::new();
            for dependency in &node.migration.placement.depends_on {
                match self.find(node.chain, dependency) {
                    Ok(found) => needs.push(found),
                    Err(because) => unmet.push(self.unmet(node.chain, &node.migration, dependency, because)),
                }
            }
            self.nodes[place].needs = needs;
        }
        (!unmet.is_empty()).then_some(ChainError::Unmet { unmet })
    }

    fn unmet(&self, chain: usize, migration: &Migration, dependency: &Dependency, because: String) -> UnmetDependency {
        UnmetDependency {
            migration: self.title(chain, migration),
            file: migration.file.clone(),
            dependency: dependency.clone(),
            because,
        }
    }

    /// Finds a migration of this version, or else the first baseline that has it in it.
    fn find(&self, from: usize, dependency: &Dependency) -> Result<usize, String> {
        let chain = match &dependency.chain {
            None => from,
            Some(name) => self.index(name).ok_or_else(|| format!("there is no chain {}", name.escape_debug()))?,
        };
        if let Some(place) = self.place(chain, Role::Versioned, dependency.version) {
            return Ok(place);
        }
        let baselines = self.chains[chain].baselines();
        let baseline = baselines.iter().find(|baseline| baseline.version >= dependency.version);
        baseline.and_then(|baseline| self.place(chain, Role::Baseline, baseline.version)).ok_or_else(|| {
            format!("the chain {} has no version {}", self.chains[chain].name().escape_debug(), dependency.version)
        })
    }

    /// Orders the nodes. They are ordered already if none depends on a later one.
    fn arrange(&mut self) -> Result<(), ChainError> {
        let backwards = self.nodes.iter().enumerate().any(|(place, node)| node.needs.iter().any(|need| *need >= place));
        if !backwards {
            return Ok(());
        }
        let needs: Vec<Vec<usize>> = self.nodes.iter().map(|node| node.needs.clone()).collect();
        if let Some(cycle) = cycle(&needs) {
            let path = cycle.into_iter().map(|place| {
                let node = &self.nodes[place];
                self.title(node.chain, &node.migration)
            });
            return Err(ChainError::Cycle { path: path.collect() });
        }
        let order = order(&self.with_versions(needs));
        let mut moved = vec![0; order.len()];
        for (place, old) in order.iter().enumerate() {
            moved[*old] = place;
        }
        let place = |old: &usize| {
            let node = &self.nodes[*old];
            let needs = node.needs.iter().map(|need| moved[*need]).collect();
            Node { migration: Arc::clone(&node.migration), needs, ..*node }
        };
        self.nodes = order.iter().map(place).collect();
        self.places = OnceLock::new();
        Ok(())
    }

    /// Finds what may be applied although a later one is. What others depend on comes before them.
    fn find_late(&mut self) {
        let mut can_be_skipped = vec![false; self.nodes.len()];
        for (place, node) in self.nodes.iter_mut().enumerate() {
            let skips = node.migration.preconditions().any(|precondition| precondition.otherwise == Unmet::Skip);
            can_be_skipped[place] = skips || node.needs.iter().any(|need| can_be_skipped[*need]);
            node.may_be_late = node.migration.placement.out_of_order || can_be_skipped[place];
        }
    }

    /// Lets each migration also wait for the one before it in its chain, unless that one waits for it.
    fn with_versions(&self, mut needs: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
        let mut marks = Marks { of: vec![0; needs.len()], search: 0 };
        for place in 1..needs.len() {
            let mut own = (0..place).rev().take_while(|before| self.nodes[*before].chain == self.nodes[place].chain);
            let free = own.find(|before| !waits(&needs, *before, place, &mut marks));
            needs[place].extend(free);
        }
        needs
    }
}

/// What searches have seen; each has a number of its own, so that nothing has to be wiped between two.
struct Marks {
    of: Vec<usize>,
    search: usize,
}

/// Tells whether `from` waits for `to`, directly or by way of others.
fn waits(needs: &[Vec<usize>], from: usize, to: usize, marks: &mut Marks) -> bool {
    marks.search += 1;
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if at == to {
            return true;
        }
        for need in &needs[at] {
            if marks.of[*need] != marks.search {
                marks.of[*need] = marks.search;
                open.push(*need);
            }
        }
    }
    false
}

/// Orders by a topological order that takes the smallest number wherever it can; there must be no cycle.
fn order(needs: &[Vec<usize>]) -> Vec<usize> {
    let mut waiting: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut needed_by = vec![Vec::new(); needs.len()];
    for (place, needs) in needs.iter().enumerate() {
        for need in needs {
            needed_by[*need].push(place);
        }
    }
    let free = waiting.iter().enumerate().filter(|(_, waiting)| **waiting == 0).map(|(place, _)| Reverse(place));
    let mut free: BinaryHeap<Reverse<usize>> = free.collect();
    let mut order = Vec::with_capacity(needs.len());
    while let Some(Reverse(place)) = free.pop() {
        order.push(place);
        for next in &needed_by[place] {
            waiting[*next] -= 1;
            if waiting[*next] == 0 {
                free.push(Reverse(*next));
            }
        }
    }
    order
}

/// Finds a circle of dependencies; its first place is also its last.
fn cycle(needs: &[Vec<usize>]) -> Option<Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; needs.len()];
    for start in 0..needs.len() {
        if marks[start] != Mark::New {
            continue;
        }
        // A stack of its own: a chain may be deeper than the thread's.
        let mut path = vec![(start, 0)];
        marks[start] = Mark::Open;
        while let Some((at, next)) = path.last_mut() {
            let Some(need) = needs[*at].get(*next).copied() else {
                marks[*at] = Mark::Done;
                path.pop();
                continue;
            };
            *next += 1;
            match marks[need] {
                Mark::New => {
                    marks[need] = Mark::Open;
                    path.push((need, 0));
                }
                Mark::Open => {
                    let from = path.iter().position(|(place, _)| *place == need)?;
                    let round = path[from..].iter().map(|(place, _)| *place).chain([need]);
                    return Some(round.collect());
                }
                Mark::Done => {}
            }
        }
    }
    None
}
