//! Foreign keys to columns that are no key. SQLite takes them, and finds out when they are used: then every statement fails that
//! looks at them, and so does whoever checks all foreign keys. <https://sqlite.org/foreignkeys.html#fk_indexes>

use super::hold::{Hold, quietly};
use super::prepare::PreparedStep;
use super::renames::Renames;
use super::report::StepError;
use crate::db::{Keyless, Session};

/// What does not fit before something that may change the schema; old ones are nobody's fault.
pub(super) struct References(Vec<Keyless>);

impl References {
    /// Looks for them.
    pub(super) fn look(session: &mut dyn Session) -> Result<Self, StepError> {
        session.keyless().map(Self).map_err(StepError::doing("look at the foreign keys of tables"))
    }

    /// Looks for them before code that is held to grants: it would leave them for others to stumble over. Nothing where code
    /// is not.
    pub(super) fn before(session: &mut dyn Session, step: &PreparedStep) -> Result<Option<Self>, StepError> {
        let is_held = matches!(&step.hold, Hold::To { grants: Some(_), .. });
        is_held.then(|| quietly(session, Self::look)).transpose()
    }

    /// Refuses what has come with a step.
    pub(super) fn check(&self, session: &mut dyn Session, step: &PreparedStep) -> Result<(), StepError> {
        if !session.in_transaction() {
            // That is told by itself.
            return Ok(());
        }
        let now = quietly(session, Self::look)?.0;
        if now.iter().all(|found| self.0.contains(found)) {
            return Ok(());
        }
        match self.first_since(&now, &Renames::of([step])) {
            None => Ok(()),
            Some(found) => Err(StepError::Mismatch { reason: found.to_string() }),
        }
    }

    /// Returns one between tables of which there are more than before. Columns may have other names than then.
    fn first_since<'n>(&self, now: &'n [Keyless], renames: &Renames) -> Option<&'n Keyless> {
        now.iter().find(|found| {
            let is_between = |key: &Keyless| key.table == found.table && key.parent.eq_ignore_ascii_case(&found.parent);
            let was_between = |key: &Keyless| {
                renames.is_same(&key.table, &found.table) && renames.is_same(&key.parent, &found.parent)
            };
            let count = |keys: &[Keyless], is: &dyn Fn(&Keyless) -> bool| keys.iter().filter(|key| is(key)).count();
            count(now, &is_between) > count(&self.0, &was_between)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_old_ones_by_other_names() {
        let key = |table: &str, column: &str, parent: &str| Keyless {
            table: table.to_owned(),
            columns: vec![column.to_owned()],
            parent: parent.to_owned(),
            to: Some(vec!["b".to_owned()]),
        };
        let known = References(vec![key("k", "x", "p")]);
        let none = Renames::default();
        let renamed = Renames::read(["ALTER TABLE k RENAME TO kk; ALTER TABLE p RENAME TO pp"].into_iter());
        for (now, renames, is_old) in [
            (vec![key("k", "x", "p")], &none, true),
            (vec![key("k", "other", "P")], &none, true),
            (vec![key("k", "x", "p"), key("k", "y", "p")], &none, false),
            (vec![key("k", "x", "q")], &none, false),
            (vec![key("kk", "x", "pp")], &none, false),
            (vec![key("kk", "x", "pp")], &renamed, true),
        ] {
            assert_eq!(known.first_since(&now, renames).is_none(), is_old, "{now:?}");
        }
    }
}
