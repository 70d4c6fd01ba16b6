//! Finds what would move rows while a transform in chunks reads on: triggers and foreign keys that write the key by which
//! it goes on, or add rows to what it reads. Changes nothing.
//!
//! Such a row comes again, ahead of the last chunk, and nothing tells it from one that is still to be done.

use std::collections::BTreeSet;

use super::computed::computed_from;
use super::error::LayoutProblem;
use super::layout::{Layout, problem};
use super::{statements, table};
use crate::db::{DbError, Session};
use crate::grants::{Touched, Verb};
use crate::model::{RowSource, TransformSpec};

/// What must stay where it is: tables, and the columns of each by which rows are found.
struct Fixed {
    /// What it is called where it is told.
    what: String,
    columns: BTreeSet<(String, String)>,
    tables: BTreeSet<String>,
}

impl Layout {
    /// Returns what of the schema would bring rows in front of a transform in chunks that it has done, or made itself.
    pub fn moves(&self, session: &mut dyn Session, spec: &TransformSpec) -> Result<Vec<LayoutProblem>, DbError> {
        // In place, the statement itself writes neither keys nor new rows.
        let written = session.touched_by(&self.write)?;
        let fixed = match &spec.source {
            RowSource::Table(name) => self.fixed_in_table(session, name, &written)?,
            RowSource::Query(_) => self.fixed_in_query(session)?,
        };
        let mut problems = Vec::new();
        for touched in &written {
            let Some((verb, table, column)) = &touched.what else { continue };
            let does = match verb {
                Verb::Insert if fixed.tables.contains(table) => format!("adds rows to {table}"),
                Verb::Update if fixed.columns.contains(&(table.clone(), column.clone())) => {
                    format!("writes {column} of {table}")
                }
                _ => continue,
            };
            let by = match &touched.accessor {
                Some(trigger) => format!("the trigger {trigger}"),
                None if !self.in_place && table.eq_ignore_ascii_case(&self.into) => "the transform".to_owned(),
                None => "a foreign key".to_owned(),
            };
            let hint =
                "write `chunk = \"whole\"`, which finds out whether a row moves, or drop what does it for the time";
            let what = &fixed.what;
            let message = format!("{by} {does}, {what}: in chunks, a row could be transformed twice");
            let found = problem(message, hint.to_owned());
            if !problems.contains(&found) {
                problems.push(found);
            }
        }
        Ok(problems)
    }

    /// Tells whether rows are found again in the same order as by another one.
    pub fn goes_on_as(&self, other: &Self) -> bool {
        let names = |layout: &Self| layout.scan.iter().map(|(sql, _)| sql.clone()).collect::<Vec<_>>();
        names(self) == names(other)
    }

    fn fixed_in_table(&self, session: &mut dyn Session, name: &str, written: &[Touched]) -> Result<Fixed, DbError> {
        let source = name.to_ascii_lowercase();
        let key = self.key();
        let mut columns: BTreeSet<(String, String)> =
            key.iter().map(|column| (source.clone(), column.to_ascii_lowercase())).collect();
        if self.by_rowid {
            columns.insert((source.clone(), "rowid".to_owned()));
        }
        let updated = written.iter().filter_map(|touched| touched.what.as_ref());
        let updated: Vec<String> = updated
            .filter(|(verb, table, _)| *verb == Verb::Update && *table == source)
            .map(|(.., column)| column.clone())
            .collect();
        if !updated.is_empty()
            && let Some(table) = table::read(session, name)?
        {
            let definition = table::definition(session, &table)?;
            let from = key.iter().flat_map(|key| updated.iter().map(move |column| (key, column)));
            for (key, column) in from {
                if computed_from(&definition, key, std::slice::from_ref(column)).is_some() {
                    columns.insert((source.clone(), column.clone()));
                }
            }
        }
        Ok(Fixed { what: format!("whose rows are read by {}", key.join(", ")), columns, tables: [source].into() })
    }

    /// From which columns of a query its key comes is not known, so none that it reads may change.
    fn fixed_in_query(&self, session: &mut dyn Session) -> Result<Fixed, DbError> {
        let mut fixed =
            Fixed { what: "which the query reads".to_owned(), columns: BTreeSet::new(), tables: BTreeSet::new() };
        for touched in session.touched_by(&statements::scan(self, false))? {
            if let Some((Verb::Read, table, column)) = touched.what {
                fixed.tables.insert(table.clone());
                fixed.columns.insert((table, column));
            }
        }
        Ok(fixed)
    }
}

/// Returns a number that changes with every change of the schema.
pub fn schema_version(session: &mut dyn Session) -> Result<i64, DbError> {
    match table::rows(session, "SELECT schema_version FROM pragma_schema_version", &[])?.concat().as_slice() {
        [crate::db::Value::Integer(version)] => Ok(*version),
        _ => Ok(0),
    }
}
