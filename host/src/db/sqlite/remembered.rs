//! What was found to be allowed. The statements of a script differ in their values, and hardly in what they touch.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;
use rusqlite::hooks::{AuthAction, AuthContext};

use crate::grants::{FunctionGrant, Schema, Touched};

/// Accesses and sets of them that are remembered.
const MOST: usize = 4096;

/// Accesses that every plain statement may make under the rules and the schema of the moment, and which of them were
/// found to be allowed together.
///
/// The text of a plain statement says nothing that the database does not report (`statement_kind::is_plain`), so the
/// decision rests on the accesses alone.
#[derive(Default)]
pub(super) struct Remembered {
    accesses: HashMap<Box<[u8]>, u32, RandomState>,
    touched: Vec<Option<Touched>>,
    together: HashSet<Box<[u32]>, RandomState>,
    /// A view or trigger joins tables without naming the columns, and a statement may reach it by a mere name.
    joins_silently: Option<bool>,
    /// Those of the statement being prepared; `None` if it made another one.
    now: Option<Vec<u32>>,
    key: Vec<u8>,
}

impl Remembered {
    /// Begins with the accesses of a statement, which is plain or not.
    pub(super) fn begin(&mut self, plain: bool) {
        let mut now = self.now.take().unwrap_or_default();
        now.clear();
        self.now = plain.then_some(now);
    }

    /// Forgets everything, because the rules or the schema have changed.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Tells whether a plain statement may make this access, as far as is known.
    pub(super) fn knows(&mut self, context: &AuthContext<'_>) -> bool {
        let Some(now) = &mut self.now else { return false };
        write_key(&mut self.key, context);
        let Some(access) = self.accesses.get(self.key.as_slice()) else { return false };
        if !now.contains(access) {
            now.push(*access);
        }
        true
    }

    /// Remembers an access that is allowed, unless the decision rests on more than the access.
    pub(super) fn add(&mut self, context: &AuthContext<'_>, schema: &Schema, touched: Option<&Touched>) {
        let Some(now) = &mut self.now else { return };
        if !rests_on_access(context, schema) || self.touched.len() >= MOST {
            self.now = None;
            return;
        }
        write_key(&mut self.key, context);
        let access = u32::try_from(self.touched.len()).unwrap_or(u32::MAX);
        self.accesses.insert(self.key.as_slice().into(), access);
        self.touched.push(touched.cloned());
        now.push(access);
    }

    /// Returns what the remembered accesses of this statement touch.
    pub(super) fn touched(&self) -> impl Iterator<Item = &Touched> {
        let now = self.now.iter().flatten();
        now.filter_map(|access| self.touched.get(*access as usize)?.as_ref())
    }

    /// Tells whether the accesses of this statement were found to be allowed together.
    pub(super) fn knows_together(&self) -> bool {
        self.now.as_ref().is_some_and(|now| self.together.contains(now.as_slice()))
    }

    /// Remembers that the accesses of this statement are allowed together.
    pub(super) fn add_together(&mut self, schema: &Schema) {
        let Some(now) = &self.now else { return };
        let silent = *self.joins_silently.get_or_insert_with(|| schema.joins_silently());
        if !silent && self.together.len() < MOST {
            self.together.insert(now.as_slice().into());
        }
    }
}

/// Writes what tells an access from others. No name holds a NUL.
fn write_key(key: &mut Vec<u8>, context: &AuthContext<'_>) {
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
    key.clear();
    key.push(letter);
    for part in [Some(first), Some(second), context.database_name, context.accessor] {
        key.push(0);
        if let Some(part) = part {
            key.push(1);
            key.extend_from_slice(part.as_bytes());
        }
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
