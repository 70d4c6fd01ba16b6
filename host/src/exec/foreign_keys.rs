//! Rows without parents: a step that runs while foreign keys are off may leave none.

use super::report::StepError;
use crate::db::{Orphans, Session};

/// Most lines in an error.
const MOST: usize = 5;

/// What a database had of rows without parents before a step: old ones are nobody's fault.
pub(super) struct Known(Vec<Orphans>);

impl Known {
    /// Looks for them.
    pub(super) fn look(session: &mut dyn Session) -> Result<Self, StepError> {
        session.orphans().map(Self).map_err(StepError::doing("check foreign keys"))
    }

    /// Returns a line for the first of those that have come since.
    pub(super) fn since(&self, session: &mut dyn Session) -> Result<Vec<String>, StepError> {
        let now = Self::look(session)?;
        Ok(now.0.iter().filter_map(|orphans| self.line(orphans)).take(MOST).collect())
    }

    fn line(&self, now: &Orphans) -> Option<String> {
        let Orphans { table, parent, rows, rowid } = now;
        let same = |known: &&Orphans| known.table == *table && known.parent == *parent;
        let before = self.0.iter().find(same).map_or(0, |known| known.rows);
        // It may be one of the old ones.
        let rowid = rowid.filter(|_| before == 0);
        match (rows.checked_sub(before)?, rowid) {
            (0, _) => None,
            (1, Some(rowid)) => Some(format!("a row of {table} with rowid {rowid} has no parent in {parent}")),
            (1, None) => Some(format!("a row of {table} has no parent in {parent}")),
            (new, Some(rowid)) => {
                Some(format!("{new} rows of {table}, such as that with rowid {rowid}, have no parent in {parent}"))
            }
            (new, None) => Some(format!("{new} rows of {table} have no parent in {parent}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_only_what_is_new() {
        let orphans = |table: &str, rows, rowid| Orphans { table: table.into(), parent: "p".into(), rows, rowid };
        let known = Known(vec![orphans("old", 2, Some(1)), orphans("mended", 2, Some(1))]);
        let cases = [
            (orphans("old", 2, Some(1)), None),
            (orphans("mended", 1, Some(1)), None),
            (orphans("old", 3, Some(1)), Some("a row of old has no parent in p")),
            (orphans("old", 9, None), Some("7 rows of old have no parent in p")),
            (orphans("new", 1, Some(4)), Some("a row of new with rowid 4 has no parent in p")),
            (orphans("new", 2, Some(4)), Some("2 rows of new, such as that with rowid 4, have no parent in p")),
        ];
        for (now, expected) in cases {
            assert_eq!(known.line(&now).as_deref(), expected, "{now:?}");
        }
    }
}
