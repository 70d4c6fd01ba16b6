//! What a rebuild may break besides foreign keys: views and triggers that name what is gone, references to tables that are
//! not there, and indexes and triggers that went with the table. Looks before and after; changes nothing.

use super::prepare::PreparedStep;
use super::renames::Renames;
use super::report::StepError;
use crate::db::{DbError, Session, Value, for_each_row};
use crate::plan::Warning;
use crate::sql::{self, Token};

/// Begins the name of a table that is there for a moment only.
const PROBE: &str = "_whimbrel_probe";
const PROBES: &str = "SELECT name FROM main.sqlite_schema WHERE name LIKE '^_whimbrel^_probe%' ESCAPE '^'";
/// Indexes that SQLite makes by itself have no text.
const ATTACHMENTS: &str =
    "SELECT type, name, tbl_name FROM main.sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL";
/// Those of a connection that somebody has lent.
const TEMPORARY: &str = "SELECT 'temporary trigger', name, tbl_name FROM temp.sqlite_schema WHERE type = 'trigger'";
/// Whoever looks into the temporary database where there is none makes one.
const HAS_TEMPORARY: &str = "SELECT name FROM pragma_database_list WHERE name = 'temp'";
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
            attachments: attachments(session)?,
            dangling: rows(session, DANGLING)?,
        })
    }

    /// Refuses a schema that the rebuild has broken.
    pub(super) fn check(&self, session: &mut dyn Session, renames: &Renames) -> Result<(), StepError> {
        if let Some(error) = unsound(session)?.filter(|_| self.is_sound) {
            return Err(StepError::Schema { reason: error.message });
        }
        let is_old = |row: &Vec<String>| {
            let is_same = |(before, now): (&String, &String)| renames.is_same(before, now);
            self.dangling.iter().any(|old| old.iter().zip(row).all(is_same))
        };
        match rows(session, DANGLING)?.into_iter().find(|row| !is_old(row)).as_deref() {
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
        let (now, tables) = (attachments(session)?, rows(session, TABLES)?);
        // What code drops by name nobody can read in it.
        let dropped = step.step.script().map(|script| dropped(script.runs())).unwrap_or_default();
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

/// Lists indexes and triggers with their tables.
fn attachments(session: &mut dyn Session) -> Result<Vec<Vec<String>>, StepError> {
    let mut all = rows(session, ATTACHMENTS)?;
    if !rows(session, HAS_TEMPORARY)?.is_empty() {
        all.extend(rows(session, TEMPORARY)?);
    }
    Ok(all)
}

/// Returns what SQLite says of the first view or trigger that makes no sense to it. It looks through all of them when any
/// table is renamed, unless it was told not to.
fn unsound(session: &mut dyn Session) -> Result<Option<DbError>, StepError> {
    let looking = || StepError::doing("look at views and triggers");
    // Longer than every name that begins so.
    let taken = rows(session, PROBES)?;
    let longest = taken.iter().flatten().map(String::len).max().unwrap_or_default();
    let probe = format!("{PROBE}{}", "_".repeat((longest + 1).saturating_sub(PROBE.len())));
    let mut is_told = false;
    for_each_row(session, "PRAGMA legacy_alter_table", &[], &mut |row| {
        is_told = matches!(row, [Value::Integer(1)]);
        Ok(())
    })
    .map_err(looking())?;
    let savepoint = session.savepoint().map_err(looking())?;
    let asked = if is_told { session.execute("PRAGMA legacy_alter_table = OFF", &[]).map(drop) } else { Ok(()) };
    let probed = asked.and_then(|()| {
        let probe = format!("CREATE TABLE main.{probe} (x); ALTER TABLE main.{probe} RENAME TO {probe}d");
        session.execute_script(&probe).map_err(|failed| failed.error)
    });
    session.hold_interrupt(true);
    let told = if is_told { session.execute("PRAGMA legacy_alter_table = ON", &[]).map(drop) } else { Ok(()) };
    session.hold_interrupt(false);
    session.rollback_to(savepoint).and(told).map_err(looking())?;
    match probed {
        Ok(()) => Ok(None),
        Err(error) if says_unsound(&error) => Ok(Some(error)),
        Err(error) => Err(looking()(error)),
    }
}

/// Tells whether SQLite refuses to rename since a view or a trigger makes no sense to it.
pub(super) fn says_unsound(error: &DbError) -> bool {
    error.message.starts_with("error in view ") || error.message.starts_with("error in trigger ")
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
    fn reads_what_is_dropped() {
        let script = "DROP INDEX IF EXISTS main.\"a b\"; DROP TABLE t; drop trigger g;";
        assert_eq!(dropped(script), ["a b", "g"]);
    }
}
