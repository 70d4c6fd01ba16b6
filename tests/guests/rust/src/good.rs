//! What a guest may do.

use whimbrel_guest::{Context, Error, Result, Transaction, info, params, progress, warn};

pub(crate) fn split_names(tx: &Transaction) -> Result<()> {
    let update = tx.prepare("UPDATE person SET first_name = ?, last_name = ?, big = ? WHERE id = ?")?;
    let mut writer = update.writer();
    for row in tx.query("SELECT id, full_name FROM person ORDER BY id", params![])? {
        let row = row?;
        let name: &str = row.get("full_name")?;
        let (first, last) = name.split_once(' ').unwrap_or((name, ""));
        writer.row(params![first, last, 9_007_199_254_740_993_i64, row.get::<i64>("id")?])?;
    }
    writer.finish()?;
    Ok(())
}

pub(crate) fn savepoints(tx: &Transaction) -> Result<()> {
    let set = |text: &str| tx.execute("UPDATE person SET last_name = ?", params![text]);
    let outer = tx.savepoint()?;
    set("outer")?;
    let inner = tx.savepoint()?;
    set("inner")?;
    inner.rollback()?;
    let dropped = tx.savepoint()?;
    set("dropped")?;
    drop(dropped);
    outer.release()?;
    tx.execute("UPDATE person SET first_name = last_name", params![])?;
    Ok(())
}

pub(crate) fn context(tx: &Transaction, ctx: &Context) -> Result<()> {
    let told = format!(
        "{} {} {} dry={} params={} started={}",
        ctx.chain(),
        ctx.version(),
        ctx.name(),
        ctx.is_dry_run(),
        ctx.param("colour").unwrap_or("none"),
        ctx.started_at() > 1_700_000_000_000
    );
    tx.execute("UPDATE person SET first_name = ?, last_name = ?", params![told.as_str(), tx.dialect().as_str()])?;
    Ok(())
}

pub(crate) fn errors(tx: &Transaction) -> Result<()> {
    let twice = "INSERT INTO person (full_name, code) VALUES ('twin', 'twin')";
    let savepoint = tx.savepoint()?;
    tx.execute(twice, params![])?;
    expect(tx.execute(twice, params![]), "constraint-unique")?;
    expect(tx.execute("INSERT INTO person (full_name) VALUES (NULL)", params![]), "constraint-not-null")?;
    expect(tx.execute("COMMIT", params![]), "denied")?;
    expect(tx.execute("SELECT ?", params![]), "parameter")?;
    expect(tx.execute("SELEKT 1", params![]), "syntax")?;
    not_a_number(tx)?;
    savepoint.rollback()
}

/// Tries to store what no column holds, in every way in which values come.
fn not_a_number(tx: &Transaction) -> Result<()> {
    const CHANGE: &str = "UPDATE person SET code = ? WHERE id = ?";
    expect(tx.execute(CHANGE, params![f64::NAN, 1]), "value")?;
    expect(tx.query("SELECT ?", params![f64::NAN]).map(|_| 0), "value")?;
    let update = tx.prepare(CHANGE)?;
    expect(update.execute(params![f64::NAN, 1]), "value")?;
    let mut writer = update.writer();
    writer.row(params![0.5, 1])?;
    writer.row(params![f64::NAN, 2])?;
    match writer.finish() {
        Err(error) if error.sql().is_some_and(|sql| sql.code == "value" && sql.row == Some(1)) => Ok(()),
        other => Err(Error::msg(format!("NaN in a batch: {other:?}"))),
    }
}

fn expect(result: Result<u64>, code: &str) -> Result<()> {
    match result {
        Err(error) if error.sql().is_some_and(|sql| sql.code == code) => Ok(()),
        other => Err(Error::msg(format!("expected {code}, got {other:?}"))),
    }
}

/// Updates, row by row, the very column whose index the open query may be reading.
pub(crate) fn update_what_is_read(tx: &Transaction) -> Result<()> {
    for row in tx.query("SELECT id, big FROM person ORDER BY id", params![])? {
        let row = row?;
        tx.execute("UPDATE person SET big = big + 1 WHERE id = ?", params![row.get::<i64>("id")?])?;
    }
    Ok(())
}

pub(crate) fn talk() -> Result<()> {
    info!("hello from the guest");
    warn!("a line with \u{1b}[31mcolour\u{1b}[0m in it");
    progress(1, Some(2));
    Ok(())
}
