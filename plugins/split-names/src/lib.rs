//! Migration `split_names`: fills the columns for the parts of a name from `full_name`.
//!
//! The rules are in [`name`]; this file only moves rows.

pub mod case;
pub mod east_asia;
pub mod key;
pub mod name;
pub mod words;

use whimbrel_guest::{Context, Migration, Result, Reversible, Transaction, info, params, progress};

pub use name::Name;

/// Splits every customer's name.
pub struct SplitNames;

impl Migration for SplitNames {
    fn up(tx: &Transaction, _ctx: &Context) -> Result<()> {
        let customers: i64 = tx.query_value("SELECT count(*) FROM customer", params![])?;
        let update = tx
            .prepare("UPDATE customer SET first_name = ?, last_name = ?, name_suffix = ?, name_key = ? WHERE id = ?")?;
        let mut writer = update.writer();
        let mut mononyms = 0_u64;
        let mut done = 0_u64;
        for row in tx.query("SELECT id, full_name FROM customer ORDER BY id", params![])? {
            let row = row?;
            let name = Name::parse(row.get::<Option<&str>>("full_name")?.unwrap_or_default());
            mononyms += u64::from(name.first.is_none());
            writer.row(params![name.first, name.last, name.suffix, name.key, row.get::<i64>("id")?])?;
            done += 1;
            if done.is_multiple_of(10_000) {
                progress(done, customers.unsigned_abs());
            }
        }
        let changed = writer.finish()?;
        info!("split {changed} names, {mononyms} of them have one part only");
        Ok(())
    }
}

impl Reversible for SplitNames {
    fn down(tx: &Transaction, _ctx: &Context) -> Result<()> {
        // `full_name` was never changed.
        tx.execute(
            "UPDATE customer SET first_name = NULL, last_name = NULL, name_suffix = NULL, name_key = NULL",
            params![],
        )?;
        Ok(())
    }
}

whimbrel_guest::export_reversible!(SplitNames);
