//! Whether what a transform made of some rows is what a plain SQL expression makes of them. Says nothing of other rows.

use super::preview::Preview;
use super::table;
use crate::db::{DbError, Session, Value, quote_identifier};

/// Fewer rows than this say nothing.
const FEWEST: usize = 5;
/// Columns that are looked at: there are as many pairs as their square.
const MOST_COLUMNS: usize = 8;

/// Finds for each column that is written an expression over the columns that are read, which gives on every row shown
/// what the transform gave. None unless there is one for each, and they change something.
pub fn expressions(session: &mut dyn Session, preview: &Preview) -> Result<Option<Vec<String>>, DbError> {
    let rows: Vec<_> = preview.rows.iter().filter(|row| row.rejected.is_none()).collect();
    let some_change = rows.iter().any(|row| row.changed.contains(&true));
    if preview.into.is_some() || rows.len() < FEWEST || rows.len() < preview.rows.len() || !some_change {
        return Ok(None);
    }
    let read = &preview.read[..preview.read.len().min(MOST_COLUMNS)];
    let columns: Vec<String> = read.iter().map(|name| quote_identifier(name)).collect();
    let candidates = candidates(&columns);
    let given: Vec<String> = columns.iter().map(|column| format!("? AS {column}")).collect();
    let sql = format!("SELECT {} FROM (SELECT {})", candidates.join(", "), given.join(", "));
    // For each column that is written, which candidates still give what the transform gave.
    let mut fit = vec![vec![true; candidates.len()]; preview.write.len()];
    for row in rows {
        let Some(after) = row.after.first() else { return Ok(None) };
        let made = table::rows(session, &sql, &row.read[..columns.len()])?;
        let Some(made) = made.first() else { return Ok(None) };
        for (fit, after) in fit.iter_mut().zip(after) {
            for (fit, made) in fit.iter_mut().zip(made) {
                *fit &= same(made, after);
            }
        }
    }
    let found = fit.iter().map(|fit| fit.iter().position(|fit| *fit).map(|index| candidates[index].clone()));
    Ok(found.collect())
}

/// Returns expressions over columns, the plainest first.
fn candidates(columns: &[String]) -> Vec<String> {
    let mut candidates: Vec<String> = columns.to_vec();
    for form in [
        "trim({})",
        "lower({})",
        "upper({})",
        "lower(trim({}))",
        "upper(trim({}))",
        "CAST({} AS INTEGER)",
        "CAST({} AS TEXT)",
    ] {
        candidates.extend(columns.iter().map(|column| form.replace("{}", column)));
    }
    for left in columns {
        let others = columns.iter().filter(|right| *right != left);
        candidates.extend(others.flat_map(|right| [format!("{left} || {right}"), format!("{left} || ' ' || {right}")]));
    }
    candidates.push("NULL".to_owned());
    candidates
}

/// Tells whether two values would be stored alike.
fn same(made: &Value, after: &Value) -> bool {
    match (made, after) {
        (Value::Integer(made), Value::Boolean(after)) => *made == i64::from(*after),
        (made, after) => made == after,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::db::OpenOptions;
    use crate::db::sqlite::with_connection;
    use crate::interrupt::Interrupt;
    use crate::transform::PreviewRow;

    /// Looks at rows of what is read and what came out.
    fn found(read: &[&str], rows: &[(&[&str], &[&str])]) -> Option<Vec<String>> {
        let values = |texts: &[&str]| texts.iter().map(|text| Value::from(*text)).collect::<Vec<_>>();
        let row = |(read, after): &(&[&str], &[&str])| PreviewRow {
            key: Vec::new(),
            read: values(read),
            before: values(after),
            after: vec![values(after)],
            changed: vec![true; after.len()],
            rejected: None,
        };
        let preview = Preview {
            chain: String::new(),
            source: "t".into(),
            into: None,
            key: Vec::new(),
            read: read.iter().map(|name| (*name).to_owned()).collect(),
            write: vec![String::new(); rows[0].1.len()],
            rows: rows.iter().map(row).collect(),
            expressions: None,
            log: Vec::new(),
        };
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        let options = OpenOptions { lock_timeout: Duration::ZERO, interrupt: Interrupt::new(), record: false };
        with_connection(&mut connection, &options, |mut session| expressions(session.as_mut(), &preview).unwrap())
            .unwrap()
    }

    #[test]
    fn finds_what_sql_could_do() {
        let words = ["One ", " TWO", "three", "Four", "five"];
        let lower: Vec<String> = words.iter().map(|word| word.trim().to_lowercase()).collect();
        let arrays: Vec<([&str; 2], [&str; 1])> =
            words.iter().zip(&lower).map(|(word, low)| ([*word, "x"], [low.as_str()])).collect();
        let rows: Vec<(&[&str], &[&str])> = arrays.iter().map(|(read, after)| (&read[..], &after[..])).collect();
        assert_eq!(found(&["a \"b", "c"], &rows), Some(vec!["lower(trim(\"a \"\"b\"))".to_owned()]));
        // Four rows are too few, and one that is otherwise is enough to say nothing.
        assert_eq!(found(&["a", "c"], &rows[..4]), None);
        let mut other = rows.clone();
        other[3] = (&["Four", "x"], &["4"]);
        assert_eq!(found(&["a", "c"], &other), None);
    }

    #[test]
    fn joins_two_columns() {
        let rows: Vec<(&[&str], &[&str])> = vec![(&["a", "b"], &["a b", "b"]); 5];
        assert_eq!(found(&["x", "y"], &rows), Some(vec!["\"x\" || ' ' || \"y\"".to_owned(), "\"y\"".to_owned()]));
    }
}
