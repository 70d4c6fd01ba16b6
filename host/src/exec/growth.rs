//! Adds made rows to the copies that migrations are tried on, each table's as soon as the table is there.

use super::determinism::{TrialError, connection};
use crate::db::Session;
use crate::db::sqlite::{Fill, fill};

/// What is still to be added.
pub(super) struct Growth<'a> {
    waiting: Vec<&'a Fill>,
}

impl<'a> Growth<'a> {
    pub(super) fn new(fills: &'a [Fill]) -> Self {
        Self { waiting: fills.iter().collect() }
    }

    /// Fills the tables that are there by now, in the order in which they were named, and names them.
    pub(super) fn grow(&mut self, session: &mut dyn Session) -> Result<Vec<String>, TrialError> {
        let (mut waiting, mut filled) = (Vec::new(), Vec::new());
        for wanted in std::mem::take(&mut self.waiting) {
            match session.table_exists(&wanted.table)? {
                true => {
                    fill(connection(session)?, &wanted.table, wanted.rows, wanted.seed)?;
                    filled.push(wanted.table.clone());
                }
                false => waiting.push(wanted),
            }
        }
        self.waiting = waiting;
        Ok(filled)
    }

    /// Refuses tables that were never there.
    pub(super) fn finish(self, session: &mut dyn Session) -> Result<(), TrialError> {
        for wanted in self.waiting {
            fill(connection(session)?, &wanted.table, wanted.rows, wanted.seed)?;
        }
        Ok(())
    }
}
