//! The SDK against a real SQLite.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![cfg(feature = "testing")]

use whimbrel_guest::log::Level;
use whimbrel_guest::testing::Database;
use whimbrel_guest::{
    BatchBuilder, Cell, Context, Error, Migration, Result, Reversible, Transaction, Verified, ensure, info, params,
};

fn database(script: &str) -> Database {
    let mut db = Database::new();
    db.execute_script(script).unwrap();
    db
}

#[test]
fn fetches_more_rows_than_fit_in_a_batch() {
    let mut db = database("CREATE TABLE n (n INTEGER)");
    db.run(|tx, _| {
        let insert = tx.prepare("INSERT INTO n VALUES (?)")?;
        let mut writer = insert.writer();
        for n in 0..5000 {
            writer.row(params![n])?;
        }
        assert_eq!(writer.finish()?, 5000);
        let mut expected = 0;
        for row in tx.query("SELECT n FROM n ORDER BY n", params![])? {
            assert_eq!(row?.get::<i64>(0)?, expected);
            expected += 1;
        }
        assert_eq!(expected, 5000);
        Ok(())
    })
    .unwrap();
}

#[test]
fn reads_and_writes_every_kind() {
    let mut db = database("CREATE TABLE t (a, b, c, d, e)");
    db.run(|tx, _| {
        tx.execute("INSERT INTO t VALUES (?, ?, ?, ?, ?)", params![i64::MIN, 1.5, "é", vec![0_u8, 255], None::<i64>])?;
        let row = tx.query_row("SELECT * FROM t", params![])?.unwrap();
        assert_eq!(row.get::<i64>("a")?, i64::MIN);
        assert_eq!(row.get::<f64>("b")?, 1.5);
        assert_eq!(row.get::<&str>("C")?, "é");
        assert_eq!(row.get::<Vec<u8>>("d")?, [0, 255]);
        assert_eq!(row.get::<Option<String>>("e")?, None);
        assert_eq!(row.cells().last(), Some(Cell::Null));
        Ok(())
    })
    .unwrap();
    assert_eq!(db.lines("SELECT * FROM t").unwrap(), ["-9223372036854775808|1.5|é|x'00ff'|NULL"]);
}

#[test]
fn tells_which_cell_is_not_what_was_asked_for() {
    let mut db = database("CREATE TABLE t (age); INSERT INTO t VALUES ('old'), (4000000000)");
    let error =
        |db: &mut Database, work: fn(&Transaction, &Context) -> Result<()>| db.run(work).unwrap_err().to_string();
    let text = error(&mut db, |tx, _| tx.query_value::<i64>("SELECT age FROM t", params![]).map(drop));
    assert_eq!(text, "column age: expected an integer, found a text, in row 1 of the query");
    let text = error(&mut db, |tx, _| {
        tx.query_value::<i32>("SELECT age FROM t WHERE age > 1 AND age < 'a'", params![]).map(drop)
    });
    assert_eq!(
        text,
        "column age: expected an integer of 32 bits, found an integer that does not fit, in row 1 of the query"
    );
    let text = error(&mut db, |tx, _| {
        let row = tx.query_row("SELECT age, 1 AS one FROM t", params![])?.unwrap();
        row.get::<i64>("size").map(drop)
    });
    assert_eq!(text, "the query has no column size, only age, one");
}

#[test]
fn tells_which_row_of_all_batches_is_not_what_was_asked_for() {
    let mut db = database(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, age);
         WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r LIMIT 3000) INSERT INTO t SELECT x, x FROM r;
         UPDATE t SET age = 'old' WHERE id = 2500;",
    );
    let ran = db.run(|tx, _| {
        for row in tx.query("SELECT age FROM t ORDER BY id", params![])? {
            row?.get::<i64>("age")?;
        }
        Ok(())
    });
    let said = "column age: expected an integer, found a text, in row 2500 of the query";
    assert_eq!(ran.unwrap_err().to_string(), said);
}

#[test]
fn undoes_a_savepoint_that_is_dropped() {
    let mut db = database("CREATE TABLE t (n)");
    db.run(|tx, _| {
        let outer = tx.savepoint()?;
        tx.execute("INSERT INTO t VALUES (1)", params![])?;
        let inner = tx.savepoint()?;
        tx.execute("INSERT INTO t VALUES (2)", params![])?;
        drop(inner);
        let second = tx.savepoint()?;
        tx.execute("INSERT INTO t VALUES (3)", params![])?;
        second.rollback()?;
        tx.execute("INSERT INTO t VALUES (4)", params![])?;
        outer.release()
    })
    .unwrap();
    assert_eq!(db.lines("SELECT n FROM t").unwrap(), ["1", "4"]);
}

#[test]
fn keeps_all_rows_of_a_batch_or_none_and_names_the_row() {
    let mut db = database("CREATE TABLE t (n INTEGER UNIQUE)");
    db.run(|tx, _| {
        let insert = tx.prepare("INSERT INTO t VALUES (?)")?;
        let mut builder = BatchBuilder::new(1);
        for n in [1, 2, 1] {
            builder.push_integer(0, n);
        }
        let error = insert.execute_batch(&mut builder).unwrap_err();
        assert!(error.is_constraint());
        assert_eq!(error.sql().and_then(|error| error.row), Some(2));
        assert!(builder.is_empty());
        assert_eq!(tx.query_value::<i64>("SELECT count(*) FROM t", params![])?, 0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn counts_the_failing_row_from_the_first_row_of_the_writer() {
    let mut db = database("CREATE TABLE t (n INTEGER CHECK (n < 3000))");
    let error = db.run(|tx, _| {
        let insert = tx.prepare("INSERT INTO t VALUES (?)")?;
        let mut writer = insert.writer();
        for n in 0..5000 {
            writer.row(params![n])?;
        }
        writer.finish().map(drop)
    });
    assert_eq!(error.unwrap_err().sql().and_then(|error| error.row), Some(3000));
}

#[test]
fn fails_when_a_writer_is_dropped_with_rows() {
    let mut db = database("CREATE TABLE t (n)");
    let error = db.run(|tx, _| {
        let insert = tx.prepare("INSERT INTO t VALUES (?)")?;
        insert.writer().row(params![1])
    });
    assert_eq!(error.unwrap_err().to_string(), "a writer was dropped with 1 rows that were never sent: call `finish`");
}

#[test]
fn reads_batches_as_columns() {
    let mut db = database("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'x'), (2, NULL)");
    db.run(|tx, _| {
        let mut rows = tx.query("SELECT a, b FROM t ORDER BY a", params![])?;
        assert_eq!(rows.columns(), ["a", "b"]);
        let batch = rows.next_batch()?.unwrap();
        assert_eq!(batch.cell(0, 1), Cell::Text("x"));
        assert_eq!(batch.cell(1, 1), Cell::Null);
        assert!(rows.next_batch()?.is_none());
        Ok(())
    })
    .unwrap();
}

#[test]
fn updates_the_table_it_reads() {
    let mut db = database("CREATE TABLE t (id INTEGER PRIMARY KEY, n)");
    db.run(|tx, _| {
        tx.execute("WITH RECURSIVE c(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < 4000) INSERT INTO t SELECT i, 0 FROM c", params![])?;
        let update = tx.prepare("UPDATE t SET n = n + 1 WHERE id = ?")?;
        let mut writer = update.writer();
        for row in tx.query("SELECT id FROM t ORDER BY id", params![])? {
            writer.row(params![row?.get::<i64>("id")?])?;
        }
        assert_eq!(writer.finish()?, 4000);
        Ok(())
    })
    .unwrap();
    assert_eq!(db.query("SELECT sum(n), max(n) FROM t").unwrap(), [[4000, 1]]);
}

struct Renames;

impl Migration for Renames {
    fn up(tx: &Transaction, ctx: &Context) -> Result<()> {
        let to = ctx.param("to").ok_or("the parameter `to` is missing")?;
        info!("renaming to {to}");
        tx.execute("UPDATE t SET name = ?", params![to])?;
        if to.is_empty() {
            return Err(Error::msg("the name is empty"));
        }
        Ok(())
    }
}

impl Reversible for Renames {
    fn down(tx: &Transaction, _ctx: &Context) -> Result<()> {
        tx.execute("UPDATE t SET name = NULL", params![]).map(drop)
    }
}

whimbrel_guest::export_reversible!(Renames);

#[test]
fn runs_a_migration_up_and_down() {
    let mut db = Database::new().param("to", "Ada");
    db.execute_script("CREATE TABLE t (name); INSERT INTO t VALUES (NULL)").unwrap();
    db.up::<Renames>().unwrap();
    assert_eq!(db.query("SELECT name FROM t").unwrap(), [["Ada"]]);
    assert_eq!(db.log(), [(Level::Info, "renaming to Ada".to_owned())]);
    db.down::<Renames>().unwrap();
    assert_eq!(db.query("SELECT name FROM t").unwrap(), [[None::<&str>]]);
}

#[test]
fn rolls_back_when_a_migration_returns_an_error() {
    let mut db = Database::new().param("to", "");
    db.execute_script("CREATE TABLE t (name); INSERT INTO t VALUES ('before')").unwrap();
    assert_eq!(db.up::<Renames>().unwrap_err().to_string(), "the name is empty");
    assert_eq!(db.lines("SELECT name FROM t").unwrap(), ["before"]);
}

#[test]
fn shows_the_databases_words_in_an_error() {
    let mut db = Database::new();
    let error = db.run(|tx, _| tx.execute("SELEC 1", params![]).map(drop)).unwrap_err();
    let sql = error.sql().unwrap();
    assert_eq!(sql.code, "syntax");
    assert!(error.to_string().contains("near \"SELEC\": syntax error"), "{error}");
    assert!(!error.is_constraint() && !error.is_denied() && !error.is_limit());
}

struct Named;

impl Verified for Named {
    fn verify(tx: &Transaction, ctx: &Context) -> Result<()> {
        if let Some(sql) = ctx.param("write") {
            tx.execute(sql, params![])?;
        }
        let left: i64 = tx.query_value("SELECT count(*) FROM person WHERE name IS NULL", params![])?;
        ensure!(left == 0, "{left} people have no name");
        Ok(())
    }
}

#[test]
fn verify_only_reads() {
    let people = "CREATE TABLE person (name); INSERT INTO person VALUES ('Ada'), (NULL)";
    let mut db = database(people);
    assert_eq!(db.verify::<Named>().unwrap_err().to_string(), "1 people have no name");
    db.run(|tx, _| tx.execute("UPDATE person SET name = 'Plato' WHERE name IS NULL", params![]).map(drop)).unwrap();
    db.verify::<Named>().unwrap();

    for sql in ["DELETE FROM person", "CREATE TABLE more (a)", "PRAGMA user_version = 2"] {
        let mut db = Database::new().param("write", sql);
        db.execute_script(people).unwrap();
        assert!(db.verify::<Named>().unwrap_err().is_denied(), "{sql}");
        db.execute_script(sql).unwrap();
    }
}
