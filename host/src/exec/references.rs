//! Foreign keys to columns that are no key. SQLite takes them, and finds out when they are used: then every statement fails that
//! looks at them, and so does whoever checks all foreign keys. <https://sqlite.org/foreignkeys.html#fk_indexes>

use std::collections::BTreeSet;

use super::hold::{Hold, quietly};
use super::prepare::PreparedStep;
use super::report::StepError;
use crate::db::{DbError, Session, Value, for_each_row, quote_identifier};

const REFERRING: &str = "SELECT DISTINCT t.name FROM main.sqlite_schema t JOIN pragma_foreign_key_list(t.name, 'main') \
                         WHERE t.type = 'table'";

/// What does not fit before something that may change the schema; old ones are nobody's fault.
pub(super) struct References(BTreeSet<String>);

impl References {
    /// Looks for them.
    pub(super) fn look(session: &mut dyn Session) -> Result<Self, StepError> {
        mismatches(session).map(Self).map_err(StepError::doing("look at the foreign keys of tables"))
    }

    /// Looks for them before code that is held to grants: it would leave them for others to stumble over. Nothing where code
    /// is not.
    pub(super) fn before(session: &mut dyn Session, step: &PreparedStep) -> Result<Option<Self>, StepError> {
        let is_held = matches!(&step.hold, Hold::To { grants: Some(_), .. }) && session.dialect() == "sqlite";
        is_held.then(|| quietly(session, Self::look)).transpose()
    }

    /// Refuses what has come since.
    pub(super) fn check(&self, session: &mut dyn Session) -> Result<(), StepError> {
        if !session.in_transaction() {
            // That is told by itself.
            return Ok(());
        }
        let now = quietly(session, Self::look)?;
        match now.0.into_iter().find(|found| !self.0.contains(found)) {
            None => Ok(()),
            Some(reason) => Err(StepError::Mismatch { reason }),
        }
    }
}

/// Returns what SQLite says of each: it compares when a statement is prepared, and looks at rows only when it is run.
fn mismatches(session: &mut dyn Session) -> Result<BTreeSet<String>, DbError> {
    let mut tables: Vec<String> = Vec::new();
    for_each_row(session, REFERRING, &[], &mut |row| {
        if let Value::Text(table) = &row[0] {
            tables.push(table.clone());
        }
        Ok(())
    })?;
    let mut found = BTreeSet::new();
    for table in tables {
        match session.prepare(&format!("PRAGMA main.foreign_key_check({})", quote_identifier(&table))) {
            Ok(statement) => session.close_statement(statement),
            Err(error) if error.is_mismatch() => {
                found.insert(error.message);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}
