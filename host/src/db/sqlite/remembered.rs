//! What was found to be allowed. The statements of a script differ in their values, and hardly in what they touch.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use rusqlite::hooks::{AuthAction, AuthContext};

use crate::grants::{FunctionGrant, Schema, Touched};

/// Accesses that are remembered, and as many ways through them.
const MOST: usize = 4096;
/// Ways on from a step that are tried before all are looked through.
const LIKELY: usize = 4;

/// Accesses that every plain statement may make under the rules and the schema of the moment, and which of them were
/// found to be allowed together.
///
/// The text of a plain statement says nothing that the database does not report (`statement_kind::is_plain`), so the
/// decision rests on the accesses alone. Statements of one kind make the same accesses in the same order: each is one
/// more step on a way that was gone before.
pub(super) struct Remembered {
    accesses: Vec<Access>,
    /// Where in `accesses` an access is.
    places: HashMap<Box<[u8]>, u32, RandomState>,
    steps: Vec<Step>,
    /// Where an access leads from a step.
    ways: HashMap<Way, u32, RandomState>,
    /// A view or trigger joins tables without naming the columns, and a statement may reach it by a mere name.
    joins_silently: Option<bool>,
    /// The last step of the statement being prepared.
    at: u32,
    /// Whether the steps are all that the statement has touched; `None` if it is not plain.
    whole: Option<bool>,
    key: Vec<u8>,
}

/// One access, with what it touches.
struct Access {
    letter: u8,
    first: Box<str>,
    second: Box<str>,
    database: Option<Box<str>>,
    accessor: Option<Box<str>>,
    touched: Option<Touched>,
}

/// A set of accesses, in the order in which they were made first: an access and the step before it.
struct Step {
    access: u32,
    before: u32,
    /// They were found to be allowed together.
    together: bool,
    /// Accesses that came next, and where each leads.
    likely: [Option<(u32, u32)>; LIKELY],
}

impl Step {
    fn new(access: u32, before: u32) -> Self {
        Self { access, before, together: false, likely: [None; LIKELY] }
    }
}

/// From a step, by an access.
type Way = (u32, u32);
/// The step before the first access.
const BEGINNING: u32 = 0;

impl Default for Remembered {
    fn default() -> Self {
        Self {
            accesses: Vec::new(),
            places: HashMap::default(),
            steps: vec![Step::new(0, BEGINNING)],
            ways: HashMap::default(),
            joins_silently: None,
            at: BEGINNING,
            whole: None,
            key: Vec::new(),
        }
    }
}

impl Remembered {
    /// Begins with the accesses of a statement, which is plain or not.
    pub(super) fn begin(&mut self, plain: bool) {
        self.at = BEGINNING;
        self.whole = plain.then_some(true);
    }

    /// Forgets everything, because the rules or the schema have changed.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Tells whether a plain statement may make this access, as far as is known.
    pub(super) fn knows(&mut self, context: &AuthContext<'_>) -> bool {
        if self.whole.is_none() {
            return false;
        }
        let asked = Asked::from(context);
        let likely = self.steps[self.at as usize].likely.iter().flatten();
        if let Some((_, to)) = likely.copied().find(|(access, _)| self.accesses[*access as usize].is(&asked)) {
            self.at = to;
            return true;
        }
        asked.write(&mut self.key);
        let Some(access) = self.places.get(self.key.as_slice()).copied() else { return false };
        self.go(access)
    }

    /// Remembers an access that is allowed, unless the decision rests on more than the access.
    pub(super) fn add(&mut self, context: &AuthContext<'_>, schema: &Schema, touched: Option<&Touched>) {
        if self.whole.is_none() {
            return;
        }
        let asked = Asked::from(context);
        asked.write(&mut self.key);
        let known = self.places.contains_key(self.key.as_slice());
        if known || !rests_on_access(context, schema) || self.accesses.len() >= MOST {
            self.whole = Some(false);
            return;
        }
        let access = u32::try_from(self.accesses.len()).unwrap_or(u32::MAX);
        self.places.insert(self.key.as_slice().into(), access);
        self.accesses.push(asked.keep(touched));
        if !self.go(access) {
            self.whole = Some(false);
        }
    }

    /// Makes one more step; `false` where there are too many steps already.
    fn go(&mut self, access: u32) -> bool {
        let from = self.at;
        let to = if self.made().any(|made| made == access) {
            from
        } else if let Some(to) = self.ways.get(&(from, access)) {
            *to
        } else if self.steps.len() < MOST {
            let to = u32::try_from(self.steps.len()).unwrap_or(u32::MAX);
            self.steps.push(Step::new(access, from));
            self.ways.insert((from, access), to);
            to
        } else {
            return false;
        };
        let likely = &mut self.steps[from as usize].likely;
        likely.rotate_right(1);
        likely[0] = Some((access, to));
        self.at = to;
        true
    }

    /// Returns the accesses of this statement that are remembered, the last one first.
    fn made(&self) -> impl Iterator<Item = u32> {
        let step = |at: u32| (at != BEGINNING).then(|| &self.steps[at as usize]);
        std::iter::successors(step(self.at), move |last| step(last.before)).map(|step| step.access)
    }

    /// Returns what the remembered accesses of this statement touch.
    pub(super) fn touched(&self) -> impl Iterator<Item = &Touched> {
        self.made().filter_map(|access| self.accesses[access as usize].touched.as_ref())
    }

    /// Tells whether the accesses of this statement were found to be allowed together.
    pub(super) fn knows_together(&self) -> bool {
        self.whole == Some(true) && self.steps[self.at as usize].together
    }

    /// Remembers that the accesses of this statement are allowed together.
    pub(super) fn add_together(&mut self, schema: &Schema) {
        if self.whole != Some(true) {
            return;
        }
        let silent = *self.joins_silently.get_or_insert_with(|| schema.joins_silently());
        self.steps[self.at as usize].together |= !silent;
    }
}

/// What tells an access from others.
#[derive(Clone, Copy)]
struct Asked<'a> {
    letter: u8,
    first: &'a str,
    second: &'a str,
    database: Option<&'a str>,
    accessor: Option<&'a str>,
}

impl<'a> Asked<'a> {
    #[inline]
    fn from(context: &AuthContext<'a>) -> Self {
        let (letter, first, second) = match context.action {
            AuthAction::Select => (b'S', "", ""),
            AuthAction::Read { table_name, column_name } => (b'R', table_name, column_name),
            AuthAction::Insert { table_name } => (b'I', table_name, ""),
            AuthAction::Update { table_name, column_name } => (b'U', table_name, column_name),
            AuthAction::Delete { table_name } => (b'D', table_name, ""),
            AuthAction::Function { function_name } => (b'F', function_name, ""),
            // Nothing of this letter is ever added.
            _ => (b'?', "", ""),
        };
        Self { letter, first, second, database: context.database_name, accessor: context.accessor }
    }

    /// Writes it as one text. No name holds a NUL.
    fn write(&self, key: &mut Vec<u8>) {
        key.clear();
        key.push(self.letter);
        for part in [Some(self.first), Some(self.second), self.database, self.accessor] {
            key.push(0);
            if let Some(part) = part {
                key.push(1);
                key.extend_from_slice(part.as_bytes());
            }
        }
    }

    fn keep(&self, touched: Option<&Touched>) -> Access {
        Access {
            letter: self.letter,
            first: self.first.into(),
            second: self.second.into(),
            database: self.database.map(Into::into),
            accessor: self.accessor.map(Into::into),
            touched: touched.cloned(),
        }
    }
}

impl Access {
    #[inline]
    fn is(&self, asked: &Asked<'_>) -> bool {
        self.letter == asked.letter
            && *self.second == *asked.second
            && *self.first == *asked.first
            && self.accessor.as_deref() == asked.accessor
            && self.database.as_deref() == asked.database
    }
}

/// Tells whether the text of a plain statement has no say in the decision on an access.
fn rests_on_access(context: &AuthContext<'_>, schema: &Schema) -> bool {
    match context.action {
        AuthAction::Select => true,
        AuthAction::Read { table_name, .. }
        | AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name } => schema.owner_of_shadow(table_name).is_none(),
        AuthAction::Function { function_name } => FunctionGrant::of_function(function_name).is_none(),
        _ => false,
    }
}
