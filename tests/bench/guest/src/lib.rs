//! The work that the benchmark measures, in the sandbox and outside it: names are read, split and written.
//!
//! [`work`] and [`sql`] are what both sides share. This file is the side inside: the same work in several forms.

pub mod sql;
pub mod work;

use whimbrel_guest::{BatchBuilder, Cell, Context, Error, Migration, Result, Transaction, params};
use work::Name;

/// The guest; its parameter `form` says what it does.
pub struct Bench;

impl Migration for Bench {
    fn up(tx: &Transaction, ctx: &Context) -> Result<()> {
        match ctx.param("form").unwrap_or_default() {
            "trivial" => tx.execute(sql::TRIVIAL, params![]).map(drop),
            "insert" => packed(tx, sql::INSERT, work::split),
            "update" => packed(tx, sql::UPDATE, work::split),
            "packed" => packed(tx, sql::INSERT, work::cut),
            "insert-columns" => columns(tx, sql::INSERT),
            "update-columns" => columns(tx, sql::UPDATE),
            "insert-row-wise" => row_wise(tx, sql::INSERT, work::split),
            "update-row-wise" => row_wise(tx, sql::UPDATE, work::split),
            "row-wise" => row_wise(tx, sql::INSERT, work::cut),
            other => Err(Error::msg(format!("unknown form {other}"))),
        }
    }
}

/// As an author writes it: rows come and go in packed form, and nobody sees it.
fn packed(tx: &Transaction, write: &str, split: impl Fn(&str) -> Name<'_>) -> Result<()> {
    let write = tx.prepare(write)?;
    let mut writer = write.writer();
    for row in tx.query(sql::READ, params![])? {
        let row = row?;
        let name = split(row.get("full_name")?);
        writer.row(params![name.first, name.last, name.key, row.get::<i64>("id")?])?;
    }
    writer.finish().map(drop)
}

/// As an author writes it who wants the columns themselves.
fn columns(tx: &Transaction, write: &str) -> Result<()> {
    let write = tx.prepare(write)?;
    let mut out = BatchBuilder::with_capacity(4, 1024);
    let mut rows = tx.query(sql::READ, params![])?;
    while let Some(batch) = rows.next_batch()? {
        let [ids, names] = batch.columns() else { return Err(Error::msg("two columns were asked for")) };
        for row in 0..batch.rows() {
            let Cell::Text(full) = names.cell(row) else { return Err(Error::msg("a name is no text")) };
            let name = work::split(full);
            out.push_text(0, name.first)?;
            out.push_text(1, name.last)?;
            out.push_text(2, &name.key)?;
            out.push(3, ids.cell(row))?;
        }
        write.execute_batch(&mut out)?;
    }
    Ok(())
}

/// One call of the host for each row that is written.
fn row_wise(tx: &Transaction, write: &str, split: impl Fn(&str) -> Name<'_>) -> Result<()> {
    let write = tx.prepare(write)?;
    for row in tx.query(sql::READ, params![])? {
        let row = row?;
        let name = split(row.get("full_name")?);
        write.execute(params![name.first, name.last, name.key, row.get::<i64>("id")?])?;
    }
    Ok(())
}

whimbrel_guest::export!(Bench);
