//! What was found to be allowed. The statements of a script differ in their values, and hardly in what they touch.

use std::collections::HashMap;
use std::num::NonZero;

use foldhash::fast::RandomState;
use rusqlite::ffi;

use super::access::{Accesses, Number, Shape};
use super::question::{Question, Words};
use crate::grants::{self, FunctionGrant, Schema, Touched};

/// Accesses that are remembered, and as many ways through them.
const MOST: usize = 4096;
/// Ways on from a step that are tried before all are looked through.
const LIKELY: usize = 4;

/// Accesses that every plain statement may make under the rules and the schema of the moment, and which of them were
/// found to be allowed together.
///
/// The text of a plain statement says nothing that the database does not report (`plain::is_plain`), so the
/// decision rests on the accesses alone. Statements of one kind make the same accesses in the same order: each is one
/// more step on a way that was gone before.
pub(super) struct Remembered {
    accesses: Accesses,
    /// What an access touches.
    touched: Vec<Option<Touched>>,
    steps: Vec<Step>,
    /// Where an access leads from a step.
    ways: HashMap<Way, Number, RandomState>,
    /// A statement may touch more than the database reports.
    is_silent: Option<bool>,
    /// The last step of the statement being prepared.
    at: Number,
    /// Whether the steps are all that the statement has touched; `None` if it is not plain.
    whole: Option<bool>,
}

/// A set of accesses, in the order in which they were made first: an access and the step before it. Steps have numbers,
/// too.
struct Step {
    access: Number,
    before: Number,
    /// They were found to be allowed together.
    together: bool,
    /// Accesses that came next, and where each leads.
    likely: [Option<(Number, NonZero<Number>)>; LIKELY],
}

impl Step {
    fn new(access: Number, before: Number) -> Self {
        Self { access, before, together: false, likely: [None; LIKELY] }
    }
}

/// From a step, by an access.
type Way = (Number, Number);
/// The step before the first access, to which none leads.
const BEGINNING: Number = 0;

impl Default for Remembered {
    fn default() -> Self {
        Self {
            accesses: Accesses::default(),
            touched: Vec::new(),
            steps: vec![Step::new(0, BEGINNING)],
            ways: HashMap::default(),
            is_silent: None,
            at: BEGINNING,
            whole: None,
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
    #[inline(always)]
    pub(super) fn knows(&mut self, question: &Question<'_>) -> bool {
        if self.whole.is_none() {
            return false;
        }
        let shape = Shape::of(question);
        for likely in self.steps[usize::from(self.at)].likely {
            let Some((access, to)) = likely else { break };
            if self.accesses.is(access, shape, question) {
                self.at = to.get();
                return true;
            }
        }
        self.knows_elsewhere(question)
    }

    fn knows_elsewhere(&mut self, question: &Question<'_>) -> bool {
        self.accesses.find(question).is_some_and(|access| self.go(access))
    }

    /// Remembers an access that is allowed, unless the decision rests on more than the access.
    pub(super) fn add(
        &mut self,
        question: &Question<'_>,
        words: &Words<'_>,
        schema: &Schema,
        touched: Option<&Touched>,
    ) {
        if self.whole.is_none() {
            return;
        }
        let known = self.accesses.find(question).is_some();
        if known || !rests_on_access(words, schema) || !self.keep(question, touched) {
            self.whole = Some(false);
        }
    }

    /// Remembers an access, and goes on by it; `false` where there is no room.
    fn keep(&mut self, question: &Question<'_>, touched: Option<&Touched>) -> bool {
        let Some(access) = number(self.accesses.len()) else { return false };
        self.accesses.add(access, question);
        self.touched.push(touched.cloned());
        self.go(access)
    }

    /// Makes one more step; `false` where there are too many steps already.
    fn go(&mut self, access: Number) -> bool {
        let from = self.at;
        let to = if self.made().any(|made| made == access) {
            from
        } else if let Some(to) = self.ways.get(&(from, access)) {
            *to
        } else if let Some(to) = number(self.steps.len()) {
            self.steps.push(Step::new(access, from));
            self.ways.insert((from, access), to);
            to
        } else {
            return false;
        };
        if let Some(to) = NonZero::new(to) {
            let likely = &mut self.steps[usize::from(from)].likely;
            likely.rotate_right(1);
            likely[0] = Some((access, to));
        }
        self.at = to;
        true
    }

    /// Returns the accesses of this statement that are remembered, the last one first.
    fn made(&self) -> impl Iterator<Item = Number> {
        let step = |at: Number| (at != BEGINNING).then(|| &self.steps[usize::from(at)]);
        std::iter::successors(step(self.at), move |last| step(last.before)).map(|step| step.access)
    }

    /// Returns what the remembered accesses of this statement touch.
    pub(super) fn touched(&self) -> impl Iterator<Item = &Touched> {
        self.made().filter_map(|access| self.touched[usize::from(access)].as_ref())
    }

    /// Tells whether the accesses of this statement were found to be allowed together.
    pub(super) fn knows_together(&self) -> bool {
        self.whole == Some(true) && self.steps[usize::from(self.at)].together
    }

    /// Remembers that the accesses of this statement are allowed together.
    pub(super) fn add_together(&mut self, schema: &Schema) {
        if self.whole != Some(true) {
            return;
        }
        let silent = *self.is_silent.get_or_insert_with(|| schema.is_silent());
        self.steps[usize::from(self.at)].together |= !silent;
    }
}

/// Returns the next number where there are so many, unless there are too many.
fn number(there: usize) -> Option<Number> {
    Number::try_from(there).ok().filter(|number| usize::from(*number) < MOST)
}

/// Tells whether the text of a plain statement has no say in the decision on an access.
fn rests_on_access(words: &Words<'_>, schema: &Schema) -> bool {
    match (words.code, words.first, words.second) {
        (ffi::SQLITE_SELECT, ..) => true,
        (ffi::SQLITE_READ | ffi::SQLITE_INSERT | ffi::SQLITE_UPDATE | ffi::SQLITE_DELETE, Some(table), _) => {
            schema.owner_of_shadow(table).is_none()
        }
        (ffi::SQLITE_FUNCTION, _, Some(function)) => {
            FunctionGrant::of_function(function).is_none() && !grants::is_auxiliary(function)
        }
        _ => false,
    }
}
