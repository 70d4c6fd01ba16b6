//! Tells which tables and columns a run would take away, and how many rows are in them. Only reads.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::report::StepError;
use crate::db::sqlite::Shadows;
use crate::db::{DbError, ErrorCode, Session, Value, for_each_row, quote_identifier};

/// Something that would be gone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Loss {
    /// The table.
    pub table: String,
    /// The column, if the table itself stays.
    pub column: Option<String>,
    /// Rows of the table; of a column, those in which it is not NULL. `None` where counting them took too long.
    pub rows: Option<u64>,
}

/// How long all rows together may take to count. It is done to tell somebody who waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// The columns of each table.
pub(super) type Inventory = BTreeMap<String, BTreeSet<String>>;

const TABLES: &str = "SELECT t.name, x.name FROM main.sqlite_schema t JOIN pragma_table_xinfo(t.name, 'main') x \
                      WHERE t.type = 'table' AND t.rootpage > 0 AND x.hidden NOT IN (2, 3) \
                      AND t.name NOT LIKE 'sqlite^_%' ESCAPE '^'";
const VIRTUAL: &str = "SELECT name, sql FROM main.sqlite_schema WHERE type = 'table' AND rootpage = 0";
const COLUMNS: &str = "SELECT ?1, name FROM pragma_table_xinfo(?1, 'main') WHERE hidden NOT IN (2, 3)";

/// Lists tables and columns, without the host's own; nothing in databases that cannot be asked this way. Columns that are
/// computed are left out: nothing is lost with them, and to compute them takes however long their makers like. So are
/// virtual tables whose module is not there.
pub(super) fn inventory(session: &mut dyn Session, own: &[String]) -> Result<Inventory, StepError> {
    let mut found = Inventory::new();
    if session.dialect() != "sqlite" {
        return Ok(found);
    }
    let listing = || StepError::doing("list the tables");
    let mut add = |row: &[Value]| {
        if let [Value::Text(table), Value::Text(column)] = row
            && !own.contains(table)
        {
            found.entry(table.clone()).or_default().insert(column.clone());
        }
        Ok(())
    };
    for_each_row(session, TABLES, &[], &mut add).map_err(listing())?;
    let (mut names, mut shadows) = (Vec::new(), Shadows::default());
    for_each_row(session, VIRTUAL, &[], &mut |row| {
        if let [Value::Text(name), Value::Text(sql)] = row {
            shadows.add(name, sql);
            names.push(Value::from(name.as_str()));
        }
        Ok(())
    })
    .map_err(listing())?;
    for name in names {
        match for_each_row(session, COLUMNS, &[name], &mut add) {
            Err(error) if error.message.starts_with("no such module") => {}
            described => described.map_err(listing())?,
        }
    }
    found.retain(|table, _| !shadows.has(table));
    Ok(found)
}

/// Returns what was there before and is not there after, without counting rows yet.
pub(super) fn gone(before: &Inventory, after: &Inventory) -> Vec<Loss> {
    let mut losses = Vec::new();
    for (table, columns) in before {
        match after.get(table) {
            None => losses.push(Loss { table: table.clone(), column: None, rows: None }),
            Some(left) => losses.extend(columns.difference(left).map(|column| Loss {
                table: table.clone(),
                column: Some(column.clone()),
                rows: None,
            })),
        }
    }
    losses
}

/// Counts the rows, as long as that takes not too long; everything must still, or again, be there.
pub(super) fn count(session: &mut dyn Session, losses: &mut [Loss]) -> Result<(), StepError> {
    session.set_deadline(Some(Instant::now() + PATIENCE));
    let counted = count_all(session, losses);
    session.set_deadline(None);
    match counted {
        Err(error) if error.code != ErrorCode::Limit => {
            Err(StepError::doing("count the rows that would be gone")(error))
        }
        _ => Ok(()),
    }
}

fn count_all(session: &mut dyn Session, losses: &mut [Loss]) -> Result<(), DbError> {
    for loss in losses {
        let counted = loss.column.as_deref().map_or_else(|| "*".to_owned(), quote_identifier);
        let sql = format!("SELECT count({counted}) FROM main.{}", quote_identifier(&loss.table));
        for_each_row(session, &sql, &[], &mut |row| {
            if let [Value::Integer(rows)] = row {
                loss.rows = u64::try_from(*rows).ok();
            }
            Ok(())
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_tables_from_columns() {
        let inventory = |tables: &[(&str, &[&str])]| -> Inventory {
            let one = |(table, columns): &(&str, &[&str])| {
                ((*table).to_owned(), columns.iter().map(|column| (*column).to_owned()).collect())
            };
            tables.iter().map(one).collect()
        };
        let before = inventory(&[("a", &["x", "y"]), ("b", &["x"]), ("c", &["x"])]);
        let after = inventory(&[("a", &["x", "z"]), ("c", &["x"]), ("d", &["x"])]);
        let shown: Vec<_> = gone(&before, &after).into_iter().map(|loss| (loss.table, loss.column)).collect();
        assert_eq!(shown, [("a".to_owned(), Some("y".to_owned())), ("b".to_owned(), None)]);
    }

    #[test]
    fn does_not_wait_long_for_a_count() {
        let endless = "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT x FROM r";
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        connection
            .execute_batch(&format!(
                "CREATE TABLE a (x); CREATE TABLE c (x); CREATE VIEW b AS {endless}; CREATE TEMP TABLE a AS SELECT 1"
            ))
            .unwrap();
        let options = crate::db::OpenOptions {
            lock_timeout: Duration::ZERO,
            interrupt: crate::interrupt::Interrupt::new(),
            record: false,
        };
        crate::db::sqlite::with_connection(&mut connection, &options, |mut session| {
            let loss = |table: &str| Loss { table: table.to_owned(), column: None, rows: None };
            let mut losses = ["a", "b", "c"].map(loss);
            let began = Instant::now();
            count(session.as_mut(), &mut losses).unwrap();
            assert!(began.elapsed() < 3 * PATIENCE, "{:?}", began.elapsed());
            assert_eq!(losses.map(|loss| loss.rows), [Some(0), None, None]);
            session.execute("INSERT INTO main.a VALUES (1)", &[]).unwrap();
        })
        .unwrap();
    }

    #[test]
    fn compiles_no_view_to_list_the_tables() {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE t (a); CREATE VIRTUAL TABLE docs USING fts5(x); CREATE VIEW v0 AS SELECT a FROM t;",
            )
            .unwrap();
        for n in 1..13 {
            let joined = format!("CREATE VIEW v{n} AS SELECT x.a FROM v{0} x, v{0} y, v{0} z", n - 1);
            connection.execute_batch(&joined).unwrap();
        }
        let options = crate::db::OpenOptions {
            lock_timeout: Duration::ZERO,
            interrupt: crate::interrupt::Interrupt::new(),
            record: false,
        };
        crate::db::sqlite::with_connection(&mut connection, &options, |mut session| {
            let began = Instant::now();
            let found = inventory(session.as_mut(), &[]).unwrap();
            assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
            assert_eq!(found.keys().collect::<Vec<_>>(), ["docs", "t"]);
        })
        .unwrap();
    }
}
