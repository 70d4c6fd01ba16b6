//! The numbers that AUTOINCREMENT gives to new rows, which code that is held to grants may not use up.
//!
//! SQLite never gives a number twice and keeps the largest in `sqlite_sequence`. A row with a large key takes all numbers below
//! it along, also when it is deleted at once, and after the largest number there is nobody can insert any more.

use std::collections::BTreeMap;

use super::hold::{Hold, quietly};
use super::prepare::PreparedStep;
use super::report::StepError;
use crate::db::{DbError, Session, Value, for_each_row, quote_identifier};
use crate::grants::{Need, Verb};

/// Half of all numbers: no step leaves less of them, unless there was less before.
const HALF: i64 = 1 << 62;

const BEFORE: &str = "SELECT s.name, coalesce(q.seq, 0) FROM main.sqlite_schema s \
                      LEFT JOIN main.sqlite_sequence q ON q.name = s.name \
                      WHERE s.type = 'table' AND s.sql LIKE '%AUTOINCREMENT%'";
const AFTER: &str = "SELECT name, seq FROM main.sqlite_sequence WHERE typeof(seq) = 'integer'";
const KEY: &str = "SELECT name FROM pragma_table_info(?1, 'main') WHERE pk = 1";

/// The last number of each table before code ran.
pub(super) struct Sequences {
    before: BTreeMap<String, i64>,
    operations: u64,
}

impl Sequences {
    /// Notes them; nothing where the code is held to no grants, or is granted to set them.
    pub(super) fn look(session: &mut dyn Session, step: &PreparedStep) -> Result<Option<Self>, StepError> {
        let Hold::To { grants: Some(grants), .. } = &step.hold else { return Ok(None) };
        let sets = Need::On { verb: Verb::Update, object: "sqlite_sequence".to_owned(), column: "seq".to_owned() };
        if session.dialect() != "sqlite" || sets.is_met_by(grants) {
            return Ok(None);
        }
        let before = quietly(session, |session| numbers(session, BEFORE)).map_err(looking())?;
        Ok(Some(Self { before, operations: session.counters().operations }))
    }

    /// Refuses what went on further than to the largest key there is and as many numbers as the work can have given out; and
    /// what leaves few.
    pub(super) fn check(&self, session: &mut dyn Session) -> Result<(), StepError> {
        if !session.in_transaction() {
            // That is told by itself.
            return Ok(());
        }
        let given = session.counters().operations.saturating_sub(self.operations);
        let given = i64::try_from(given).unwrap_or(i64::MAX);
        quietly(session, |session| self.first_spent(session, given)).map_err(looking())?.map_or(Ok(()), Err)
    }

    fn first_spent(&self, session: &mut dyn Session, given: i64) -> Result<Option<StepError>, DbError> {
        for (table, last) in numbers(session, AFTER)? {
            let before = self.before.get(&table).copied();
            let had = before.unwrap_or(0);
            // Beyond the half, a key that is there allows nothing: it would be the next step to the end.
            let is_usual = last <= had.saturating_add(given) && (last <= HALF || had >= HALF);
            if is_usual || before.is_some_and(|before| last <= before) {
                continue;
            }
            let largest = largest_key(session, &table)?;
            // One that has come in the work, or has another name since, may have had any before.
            if last > HALF || before.is_some() && last > had.max(largest).saturating_add(given) {
                return Ok(Some(StepError::NumbersSpent { table, last, largest }));
            }
        }
        Ok(None)
    }
}

fn looking() -> impl FnOnce(DbError) -> StepError {
    StepError::doing("look at the numbers of tables with AUTOINCREMENT")
}

/// Returns numbers by the names of their tables; nothing where no table has ever had AUTOINCREMENT.
fn numbers(session: &mut dyn Session, sql: &str) -> Result<BTreeMap<String, i64>, DbError> {
    let mut found = BTreeMap::new();
    if session.table_exists("sqlite_sequence")? {
        for_each_row(session, sql, &[], &mut |row| {
            if let [Value::Text(table), Value::Integer(number)] = row {
                found.insert(table.clone(), *number);
            }
            Ok(())
        })?;
    }
    Ok(found)
}

/// Returns the largest key of a table; 0 where it has none.
fn largest_key(session: &mut dyn Session, table: &str) -> Result<i64, DbError> {
    let (mut key, mut largest) = (None, 0);
    for_each_row(session, KEY, &[table.into()], &mut |row| {
        if let [Value::Text(name)] = row {
            key = Some(name.clone());
        }
        Ok(())
    })?;
    // Its row may be that of a table that is gone.
    let Some(key) = key else { return Ok(0) };
    let sql = format!("SELECT max({}) FROM main.{}", quote_identifier(&key), quote_identifier(table));
    for_each_row(session, &sql, &[], &mut |row| {
        if let [Value::Integer(key)] = row {
            largest = *key;
        }
        Ok(())
    })?;
    Ok(largest)
}
