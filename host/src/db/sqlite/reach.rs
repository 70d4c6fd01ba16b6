//! Keeps what views and triggers reached before a guest changed the schema. Only data.
//!
//! What a name in them means is settled each time they are used. A column that is gone may be found in another table then, and
//! a view or trigger that was looked into when it was made would reach what it may not, or fail whatever uses it. What one
//! reaches rests on others, too: on views, and on the triggers that its own statements set off. So all are noted before the first
//! change, and none of them later, when others may have changed already.

use std::collections::BTreeMap;

use crate::grants::{Denied, Schema, Statement, StatementKind};

/// What views and triggers reached beyond the rules, each by the words for it.
#[derive(Debug, Default)]
pub(super) struct Reach {
    before: BTreeMap<String, Before>,
    is_complete: bool,
}

/// What one reached.
#[derive(Debug)]
pub(super) enum Before {
    /// All this beyond the rules, which is nobody's fault.
    Beyond(Vec<Denied>),
    /// It could not be compiled.
    NoSense,
}

impl Reach {
    /// Notes that one was made, and is held to all of the rules whatever another of its name has reached.
    pub(super) fn made(&mut self, text: &Statement) {
        self.before.extend(name(&text.kind).map(|name| (name, Before::Beyond(Vec::new()))));
    }

    /// Returns those of which nothing was noted; none after the first change.
    pub(super) fn unknown<'a>(&self, schema: &'a Schema) -> Vec<(String, &'a Statement)> {
        let named = schema.texts().filter(|_| !self.is_complete).filter_map(|text| Some((name(&text.kind)?, text)));
        named.filter(|(name, _)| !self.before.contains_key(name)).collect()
    }

    /// Notes what all others reach, before the first change.
    pub(super) fn complete(&mut self, others: Vec<(String, Before)>) {
        self.before.extend(others);
        self.is_complete = true;
    }

    /// Returns what each of those reached that are still there, with its text as it is now.
    pub(super) fn into_those_in(mut self, schema: &Schema) -> Vec<(String, Before, Statement)> {
        let named = schema.texts().filter_map(|text| Some((name(&text.kind)?, text.clone())));
        // The first that is wrong is told, and is the same one each time.
        let named: BTreeMap<String, Statement> = named.collect();
        let there = named.into_iter().filter_map(|(name, text)| Some((self.before.remove(&name)?, name, text)));
        there.map(|(before, name, text)| (name, before, text)).collect()
    }

    /// Tells whether something has changed that views and triggers may rest on.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }
}

/// Returns the words for a view or trigger.
pub(super) fn name(kind: &StatementKind) -> Option<String> {
    match kind {
        StatementKind::CreateTrigger { trigger, .. } => Some(format!("the trigger {trigger}")),
        StatementKind::CreateView { view } => Some(format!("the view {view}")),
        _ => None,
    }
}
