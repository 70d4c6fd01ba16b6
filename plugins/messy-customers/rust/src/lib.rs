//! The sample that there is in every language, in Rust: row by row, and as a transform.

pub mod rules;

mod verify;

use whimbrel_guest::{Context, Error, Migration, Result, Reversible, RowIn, RowOut, Transaction, Transform, params};

/// Mends the e-mail address; with `strict` what is none is an error.
fn email(id: i64, typed: Option<&str>, ctx: &Context) -> Result<Option<String>> {
    match (rules::email(typed), typed) {
        (None, Some(typed)) if ctx.param("strict") == Some("yes") => {
            Err(Error::msg(format_args!("customer {id}: not an e-mail address: {typed}")))
        }
        (key, _) => Ok(key),
    }
}

/// Row by row: reads all customers, writes what the rules make of them.
pub struct Rowwise;

impl Migration for Rowwise {
    fn up(tx: &Transaction, ctx: &Context) -> Result<()> {
        let update = tx.prepare(
            "UPDATE customer SET first_name = ?, last_name = ?, email_key = ?, phone_key = ?, cents = ? WHERE id = ?",
        )?;
        let mut writer = update.writer();
        for row in tx.query("SELECT id, full_name, email, phone, balance FROM customer ORDER BY id", params![])? {
            let row = row?;
            let id = row.get("id")?;
            let key = email(id, row.get("email")?, ctx)?;
            let (first, last) = rules::name(row.get("full_name")?);
            let (phone, cents) = (rules::phone(row.get("phone")?), rules::cents(row.get("balance")?));
            writer.row(params![first, last, key, phone, cents, id])?;
        }
        let changed = writer.finish()?;
        whimbrel_guest::info!("mended {changed} customers");
        Ok(())
    }
}

impl Reversible for Rowwise {
    fn down(tx: &Transaction, _ctx: &Context) -> Result<()> {
        tx.execute(
            "UPDATE customer SET first_name = NULL, last_name = NULL, email_key = NULL, phone_key = NULL, cents = NULL",
            params![],
        )
        .map(drop)
    }
}

/// The same as a transform: the host reads and writes.
pub struct Mend;

impl Transform for Mend {
    fn transform(row: &RowIn<'_>, out: &mut RowOut<'_>) -> Result<()> {
        let key = email(row.get("id")?, row.get("email")?, row.context())?;
        let (first, last) = rules::name(row.get("full_name")?);
        let (phone, cents) = (rules::phone(row.get("phone")?), rules::cents(row.get("balance")?));
        out.row(params![first, last, key, phone, cents])
    }
}

#[cfg(not(feature = "transform"))]
whimbrel_guest::export_reversible!(Rowwise);
#[cfg(not(feature = "transform"))]
whimbrel_guest::export_verify!(Rowwise);
#[cfg(feature = "transform")]
whimbrel_guest::export_transform!(Mend);
#[cfg(feature = "transform")]
whimbrel_guest::export_verify!(Mend);
