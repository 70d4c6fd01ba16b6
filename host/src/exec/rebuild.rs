//! What a rebuild may break besides foreign keys: views and triggers that name what is gone, references to tables that are
//! not there, and indexes and triggers that went with the table. Looks before and after; changes nothing.

use super::prepare::PreparedStep;
use super::report::StepError;
use crate::db::{DbError, Session, Value, for_each_row};
use crate::plan::Warning;
use crate::sql::{self, Token};

/// SQLite looks through all views and triggers when any table is renamed, and says which of them it cannot make sense of.
const PROBE: &str =
    "CREATE TABLE main._whimbrel_probe (x); ALTER TABLE main._whimbrel_probe RENAME TO _whimbrel_probed";
/// Indexes that SQLite makes by itself have no text.
const ATTACHMENTS: &str =
    "SELECT type, name, tbl_name FROM main.sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL";
const TABLES: &str = "SELECT name FROM main.sqlite_schema WHERE type IN ('table', 'view')";
const DANGLING: &str = "SELECT t.name, k.\"table\" FROM main.sqlite_schema t JOIN pragma_foreign_key_list(t.name, 'main') k \
                        WHERE t.type = 'table' AND NOT EXISTS (SELECT 1 FROM main.sqlite_schema p \
                        WHERE p.type = 'table' AND p.name = k.\"table\" COLLATE NOCASE)";

/// What the schema was before a rebuild.
pub(super) struct Shape {
    /// Views and triggers that make no sense to SQLite before are nobody's fault.
    is_sound: bool,
    /// Kind, name and table of each index and trigger.
    attachments: Vec<Vec<String>>,
    /// Tables that refer to tables which are not there.
    dangling: Vec<Vec<String>>,
}

impl Shape {
    /// Looks at the schema before a rebuild.
    pub(super) fn look(session: &mut dyn Session) -> Result<Self, StepError> {
        Ok(Self {
            is_sound: unsound(session)?.is_none(),
            attachments: rows(session, ATTACHMENTS)?,
            dangling: rows(session, DANGLING)?,
        })
    }

    /// Refuses a schema that the rebuild has broken.
    pub(super) fn check(&self, session: &mut dyn Session) -> Result<(), StepError> {
        if let Some(error) = unsound(session)?.filter(|_| self.is_sound) {
            return Err(StepError::Schema { reason: error.message });
        }
        match rows(session, DANGLING)?.into_iter().find(|row| !self.dangling.contains(row)).as_deref() {
            Some([table, parent]) => {
                Err(StepError::Schema { reason: format!("{table} refers to a table {parent} that is not there") })
            }
            _ => Ok(()),
        }
    }

    /// Tells which indexes and triggers went with a table that is there again, and were not dropped by name.
    pub(super) fn vanished(
        &self,
        session: &mut dyn Session,
        step: &PreparedStep,
    ) -> Result<Option<Warning>, StepError> {
        let (now, tables) = (rows(session, ATTACHMENTS)?, rows(session, TABLES)?);
        let Some(script) = step.step.script() else { return Ok(None) };
        let dropped = dropped(script.runs());
        let is_there = |row: &[String]| now.iter().any(|other| other[1].eq_ignore_ascii_case(&row[1]));
        let gone: Vec<String> = self
            .attachments
            .iter()
            .filter(|row| !is_there(row) && tables.iter().any(|table| table[0].eq_ignore_ascii_case(&row[2])))
            .filter(|row| !dropped.iter().any(|name| name.eq_ignore_ascii_case(&row[1])))
            .map(|row| format!("the {} {} of {}", row[0], row[1], row[2]))
            .collect();
        Ok((!gone.is_empty()).then(|| Warning {
            migration: step.step.title(),
            message: format!("went with the table that was dropped: {}", gone.join(", ")),
            hint: "create it again at the end of the script, or drop it by name before the table".to_owned(),
            place: None,
        }))
    }
}

/// Returns what SQLite says of the first view or trigger that makes no sense to it.
fn unsound(session: &mut dyn Session) -> Result<Option<DbError>, StepError> {
    let looking = || StepError::doing("look at views and triggers");
    let savepoint = session.savepoint().map_err(looking())?;
    let probed = session.execute_script(PROBE);
    session.rollback_to(savepoint).map_err(looking())?;
    match probed {
        Ok(()) => Ok(None),
        Err(failed) if says_unsound(&failed.error) => Ok(Some(failed.error)),
        Err(failed) => Err(looking()(failed.error)),
    }
}

/// Tells whether SQLite refuses to rename since a view or a trigger makes no sense to it.
pub(super) fn says_unsound(error: &DbError) -> bool {
    error.message.starts_with("error in view ") || error.message.starts_with("error in trigger ")
}

/// Tells whether a statement renames a table.
pub(super) fn renames_table(statement: &str) -> bool {
    let tokens: Vec<Token<'_>> = sql::tokens(statement).filter(Token::is_significant).collect();
    tokens.first().is_some_and(|token| token.is_word("ALTER"))
        && tokens.windows(2).any(|pair| pair[0].is_word("RENAME") && pair[1].is_word("TO"))
}

/// Finds the names after DROP INDEX and DROP TRIGGER.
fn dropped(script: &str) -> Vec<String> {
    let mut names = Vec::new();
    for range in sql::statements(script) {
        let tokens: Vec<Token<'_>> = sql::tokens(&script[range]).filter(Token::is_significant).collect();
        let is_drop = tokens.first().is_some_and(|token| token.is_word("DROP"))
            && tokens.get(1).is_some_and(|token| token.is_word("INDEX") || token.is_word("TRIGGER"));
        if is_drop {
            names.extend(tokens.iter().filter_map(Token::name).next_back());
        }
    }
    names
}

fn rows(session: &mut dyn Session, sql: &str) -> Result<Vec<Vec<String>>, StepError> {
    let mut rows = Vec::new();
    let read = for_each_row(session, sql, &[], &mut |row| {
        let text = |value: &Value| match value {
            Value::Text(text) => text.clone(),
            _ => String::new(),
        };
        rows.push(row.iter().map(text).collect());
        Ok(())
    });
    read.map_err(StepError::doing("look at the schema"))?;
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_dropped_and_what_is_renamed() {
        let script = "DROP INDEX IF EXISTS main.\"a b\"; DROP TABLE t; drop trigger g;";
        assert_eq!(dropped(script), ["a b", "g"]);
        assert!(renames_table("-- x\nALTER TABLE a RENAME TO b"));
        assert!(!renames_table("ALTER TABLE a RENAME COLUMN b TO c") && !renames_table("SELECT 1"));
    }
}
