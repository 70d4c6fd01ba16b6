//! Rows without parents: a step that runs while foreign keys are off, or are looked at only when it ends, may leave none.

use super::prepare::PreparedStep;
use super::renames::Renames;
use super::report::StepError;
use crate::db::{ErrorCode, Orphans, Session, Value, for_each_row};
use crate::model::Body;
use crate::sql;

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
    pub(super) fn since(&self, session: &mut dyn Session, renames: &Renames) -> Result<Vec<String>, StepError> {
        Ok(self.lines(&Self::look(session)?, renames))
    }

    /// Refuses at the end of a transaction what a commit would.
    pub(super) fn check_end(&self, session: &mut dyn Session, renames: &Renames) -> Result<(), StepError> {
        match self.since(session, renames)? {
            violations if violations.is_empty() => Ok(()),
            violations => Err(StepError::Deferred { violations }),
        }
    }

    fn lines(&self, now: &Self, renames: &Renames) -> Vec<String> {
        now.0.iter().filter_map(|orphans| self.line(orphans, renames)).take(MOST).collect()
    }

    fn line(&self, now: &Orphans, renames: &Renames) -> Option<String> {
        let same =
            |known: &&Orphans| renames.is_same(&known.table, &now.table) && renames.is_same(&known.parent, &now.parent);
        let (rows, rowid) = match self.0.iter().find(same) {
            None => (now.rows, now.rowid),
            Some(known) => come_since(known, now),
        };
        let Orphans { table, parent, .. } = now;
        match (rows, rowid) {
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

/// Returns how many of the rows have come since, and the rowid of one of them where that is known. They are told apart by
/// what they refer to, since a table that is rebuilt may number its rows anew.
fn come_since(known: &Orphans, now: &Orphans) -> (u64, Option<i64>) {
    let width = |orphans: &Orphans| Some(orphans.keys.as_ref()?.keys().next()?.len());
    let (Some(before), Some(keys), true) = (&known.keys, &now.keys, width(known) == width(now)) else {
        // Any of them may be an old one.
        return (now.rows.saturating_sub(known.rows), None);
    };
    let (mut rows, mut rowid) = (0, None);
    for (key, rowids) in keys {
        let there = before.get(key).map_or(0, Vec::len);
        rows += rowids.len().saturating_sub(there) as u64;
        if there == 0 {
            rowid = rowid.or(rowids.iter().min().copied());
        }
    }
    (rows, rowid)
}

/// Commits. What is refused for rows without parents is undone, and they are named.
pub(super) fn commit(session: &mut dyn Session) -> Result<(), StepError> {
    let Err(error) = session.commit() else { return Ok(()) };
    if error.code != ErrorCode::ConstraintForeignKey {
        return Err(StepError::doing("commit")(error));
    }
    let now = Known::look(session);
    let undone = session.rollback();
    let violations = match (now, undone, Known::look(session)) {
        (Ok(now), Ok(()), Ok(before)) => before.lines(&now, &Renames::default()),
        // The first error is the one to tell.
        _ => Vec::new(),
    };
    match violations.is_empty() {
        true => Err(StepError::doing("commit")(error)),
        false => Err(StepError::Deferred { violations }),
    }
}

/// Finds the rows without parents that are there before a step at whose end a commit may be refused for such rows; none
/// where no commit can be.
pub(super) fn before_a_commit(session: &mut dyn Session, step: &PreparedStep) -> Result<Option<Known>, StepError> {
    let may_defer = match step.step.script() {
        Some(script) => defers(script.runs()),
        None => matches!(step.step.migration.body, Body::Rust(_)),
    };
    let wanted = is_true(session, "SELECT foreign_keys FROM pragma_foreign_keys")?
        && (may_defer || is_true(session, "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE sql LIKE '%DEFER%')")?);
    wanted.then(|| Known::look(session)).transpose()
}

/// Tells whether a script may leave rows without parents while foreign keys are off: the others need not be looked for.
pub(super) fn may_orphan(script: &str) -> bool {
    const WORDS: [&str; 7] = ["INSERT", "REPLACE", "UPDATE", "DELETE", "DROP", "RENAME", "SELECT"];
    sql::tokens(script).any(|token| WORDS.iter().any(|word| token.is_word(word)))
}

/// Tells whether a text may have foreign keys looked at only when the transaction ends.
fn defers(text: &str) -> bool {
    text.as_bytes().windows(5).any(|part| part.eq_ignore_ascii_case(b"defer"))
}

fn is_true(session: &mut dyn Session, sql: &str) -> Result<bool, StepError> {
    let mut found = false;
    for_each_row(session, sql, &[], &mut |row| {
        found = matches!(row, [Value::Integer(1)]);
        Ok(())
    })
    .map_err(StepError::doing("look at foreign keys"))?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orphans(table: &str, rows: u64, rowid: Option<i64>) -> Orphans {
        Orphans { table: table.into(), parent: "p".into(), rows, rowid, keys: None }
    }

    #[test]
    fn looks_for_rows_without_parents_only_where_a_script_may_leave_some() {
        let quiet = "-- DROP it\nCREATE TABLE a (\"update\" TEXT); ALTER TABLE a ADD COLUMN b REFERENCES c; CREATE INDEX i ON a (b);";
        assert!(!may_orphan(quiet));
        for script in ["drop table a", "WITH x AS (VALUES (1)) DELETE FROM a", "ALTER TABLE a RENAME TO b"] {
            assert!(may_orphan(script), "{script}");
        }
    }

    #[test]
    fn names_only_what_is_new() {
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
            assert_eq!(known.line(&now, &Renames::default()).as_deref(), expected, "{now:?}");
        }
    }

    #[test]
    fn a_new_one_in_the_place_of_an_old_one_is_new() {
        let with = |keys: &[(&[&str], &[i64])]| {
            let owned = |key: &[&str]| key.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
            let rows = keys.iter().map(|(_, rowids)| rowids.len() as u64).sum();
            let keys = keys.iter().map(|(key, rowids)| (owned(key), rowids.to_vec())).collect();
            Orphans { keys: Some(keys), ..orphans("c", rows, Some(1)) }
        };
        let known = Known(vec![with(&[(&["7"], &[1]), (&["8"], &[2, 3])])]);
        for (now, expected) in [
            // Numbered anew.
            (with(&[(&["7"], &[5]), (&["8"], &[1, 6])]), None),
            (with(&[(&["8"], &[2])]), None),
            (with(&[(&["9"], &[4])]), Some("a row of c with rowid 4 has no parent in p")),
            (with(&[(&["7"], &[1, 2, 3])]), Some("2 rows of c have no parent in p")),
            (
                with(&[(&["7"], &[1, 2]), (&["9"], &[4])]),
                Some("2 rows of c, such as that with rowid 4, have no parent in p"),
            ),
            // The foreign key is another.
            (with(&[(&["1", "7"], &[1])]), None),
        ] {
            assert_eq!(known.line(&now, &Renames::default()).as_deref(), expected, "{now:?}");
        }
    }
}
