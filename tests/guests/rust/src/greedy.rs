//! A guest that takes too much of one thing, looks at the error it gets, and claims to be content.

use whimbrel_guest::{Error, Result, Transaction, params};

/// More of anything than a test's limit allows.
const TOO_MANY: usize = 20_000;

/// Takes too much of what the name after `greedy-` says.
pub(crate) fn run(name: &str, tx: &Transaction) -> Result<()> {
    let met = match name {
        "sql_operations" => tx.query_value::<i64>(&count(100_000_000), params![]).map(drop),
        "sql_operations-writing" => {
            tx.execute(&format!("INSERT INTO person (full_name) {}", numbers(100_000_000)), params![]).map(drop)
        }
        "sql_operations-little" => many(|| tx.query_value::<i64>(&count(50), params![]).map(drop)),
        "sql_operations-failing" => return failing_statements(tx),
        "sql_operations-half" => many(|| tx.query_row(&numbers(100), params![]).map(drop)),
        "sql_operations-batch" => batch(tx),
        "statements" => many(|| tx.execute("SELECT 1", params![]).map(drop)),
        "statements-batch" => batch(tx),
        "statements-preparing" => many(|| tx.prepare("SELECT 1").map(drop)),
        "rows_read" => {
            tx.query(&numbers(TOO_MANY), params![]).and_then(|rows| rows.into_iter().try_for_each(|row| row.map(drop)))
        }
        "rows_written" => {
            tx.execute(&format!("INSERT INTO person (full_name) {}", numbers(TOO_MANY)), params![]).map(drop)
        }
        "open_cursors" => keep(|| {
            let mut rows = tx.query(&numbers(5_000), params![])?.into_iter();
            rows.next().transpose()?;
            Ok(rows)
        }),
        "open_statements" => keep(|| tx.prepare("SELECT 1")),
        "open_savepoints" => keep(|| tx.savepoint()),
        "open_handles" => keep(|| {
            tx.query("SELECT 1 WHERE 0", params![])
                .map(|rows| rows.into_iter().count())
                .and_then(|_| tx.prepare("SELECT 1"))
        }),
        "bytes_per_call" => tx.execute("SELECT ?", params![vec![7_u8; 1_500_000].as_slice()]).map(drop),
        "bytes_per_call-far" => tx.execute("SELECT ?", params![vec![7_u8; 9_000_000].as_slice()]).map(drop),
        "bytes_per_call-answer" => tx.query_row("SELECT zeroblob(3000000)", params![]).map(drop),
        "bytes_per_call-names" => {
            let query = format!("SELECT 1 AS {}", "n".repeat(600_000));
            many(|| tx.query(&query, params![]).map(drop))
        }
        "bytes" => many(|| tx.query_value::<i64>("SELECT length(?)", params!["x".repeat(10_000).as_str()]).map(drop)),
        "bytes-answer" => many(|| tx.query_row("SELECT zeroblob(10000)", params![]).map(drop)),
        "statement_length" => tx.execute(&format!("SELECT 1 -- {}", "x".repeat(100_000)), params![]).map(drop),
        "value_length" => tx.execute("UPDATE person SET last_name = hex(zeroblob(600000))", params![]).map(drop),
        "expression_depth" => tx.execute(&format!("SELECT 1{}", " + 1".repeat(200)), params![]).map(drop),
        "compound_select" => tx.execute(&format!("SELECT 1{}", " UNION SELECT 1".repeat(60)), params![]).map(drop),
        "program_length" => tx.execute(&format!("SELECT 1{}", ", abs(?1)".repeat(900)), params![1]).map(drop),
        "parameters" => tx.prepare(&format!("SELECT ?{}", ", ?".repeat(200))).map(drop),
        "trigger_depth" => cascade(tx),
        "like_pattern" => tx.execute(&format!("SELECT 'a' LIKE '{}'", "%a".repeat(2_000)), params![]).map(drop),
        "database_growth" => grow(tx),
        other => return Err(Error::msg(format!("nothing is known to take too much of {other}"))),
    };
    let limit = name.split('-').next().unwrap_or(name);
    match met {
        Err(Error::Sql(error)) if error.is_limit() && error.detail("name") == Some(limit) => {
            let told = error.detail("value").is_some_and(|value| value.parse::<u64>().is_ok());
            if told && error.detail("raise").is_some() { Ok(()) } else { Err(Error::msg(format!("{error:?}"))) }
        }
        other => Err(Error::msg(format!("expected the limit {limit}, got {other:?}"))),
    }
}

fn numbers(to: usize) -> String {
    format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {to}) SELECT i FROM n")
}

fn count(to: usize) -> String {
    format!("SELECT count(*) FROM ({})", numbers(to))
}

fn many(mut one: impl FnMut() -> Result<()>) -> Result<()> {
    (0..TOO_MANY).try_for_each(|_| one())
}

/// Keeps what is opened, in the way of a language without destructors.
fn keep<T>(mut open: impl FnMut() -> Result<T>) -> Result<()> {
    many(|| open().map(std::mem::forget))
}

fn batch(tx: &Transaction) -> Result<()> {
    let insert = tx.prepare("INSERT INTO person (full_name) VALUES (?)")?;
    let mut writer = insert.writer();
    for number in 0..TOO_MANY {
        writer.row(params![number as i64])?;
    }
    writer.finish().map(drop)
}

/// Statements that all fail, after some work: what they used counts, too.
fn failing_statements(tx: &Transaction) -> Result<()> {
    let failing = format!("INSERT INTO person (id, full_name) SELECT 1, ({})", count(50));
    for _ in 0..TOO_MANY {
        match tx.execute(&failing, params![]) {
            Err(error) if error.is_limit() => return Ok(()),
            Err(error) if error.is_constraint() => {}
            other => return Err(Error::msg(format!("expected a constraint, got {other:?}"))),
        }
    }
    Err(Error::msg("the limit was not met"))
}

fn cascade(tx: &Transaction) -> Result<()> {
    tx.execute(
        "CREATE TABLE node (id INTEGER PRIMARY KEY, above INTEGER REFERENCES node (id) ON DELETE CASCADE)",
        params![],
    )?;
    tx.execute(&format!("INSERT INTO node SELECT i, NULLIF(i - 1, 0) FROM ({})", numbers(100)), params![])?;
    tx.execute("DELETE FROM node WHERE id = 1", params![]).map(drop)
}

fn grow(tx: &Transaction) -> Result<()> {
    many(|| tx.execute("INSERT INTO person (full_name) VALUES (zeroblob(50000))", params![]).map(drop))
}

/// Uses a little of everything, the same every time it runs.
pub(crate) fn measured(tx: &Transaction) -> Result<()> {
    tx.execute(&format!("INSERT INTO person (full_name) {}", numbers(500)), params![])?;
    // Left half read, and failed half way.
    tx.query_row("SELECT id FROM person ORDER BY full_name DESC", params![])?;
    if tx.execute("UPDATE person SET id = 7 WHERE id > 100", params![]).is_ok() {
        return Err(Error::msg("two rows have the same key"));
    }
    let mut sum = 0;
    for row in tx.query("SELECT id FROM person", params![])? {
        sum += row?.get::<i64>(0)?;
    }
    tx.execute("UPDATE person SET big = ?", params![sum]).map(drop)
}
