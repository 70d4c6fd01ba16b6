//! Migration `legacy_settings`: turns the binary settings of an old program into rows.
//!
//! `FORMAT.md` beside this crate describes the blob. A blob that cannot be read goes into a table of its own, with the
//! reason and the place.

pub mod checksum;
pub mod reader;
pub mod settings;
pub mod text;

use whimbrel_guest::{Cell, Context, Migration, Result, Reversible, Transaction, info, params, warn};

pub use settings::{Setting, Value, decode};

/// Reads the settings of all customers.
pub struct LegacySettings;

impl Migration for LegacySettings {
    fn up(tx: &Transaction, _ctx: &Context) -> Result<()> {
        let insert =
            tx.prepare("INSERT INTO customer_setting (customer_id, name, position, value) VALUES (?, ?, ?, ?)")?;
        let reject = tx.prepare("INSERT INTO customer_setting_reject (customer_id, reason) VALUES (?, ?)")?;
        let (mut settings, mut rejects) = (insert.writer(), reject.writer());
        for row in tx.query("SELECT id, settings FROM customer WHERE settings IS NOT NULL ORDER BY id", params![])? {
            let row = row?;
            let id: i64 = row.get("id")?;
            match decode(row.get("settings")?) {
                Ok(decoded) => {
                    for setting in &decoded {
                        for (position, value) in setting.value.cells().enumerate() {
                            settings.row(params![id, setting.name, position as u32, value])?;
                        }
                    }
                }
                Err(problem) => rejects.row(params![id, problem.to_string()])?,
            }
        }
        let (settings, rejects) = (settings.finish()?, rejects.finish()?);
        info!("read {settings} settings");
        if rejects > 0 {
            warn!("the settings of {rejects} customers cannot be read; see customer_setting_reject");
        }
        Ok(())
    }
}

impl Value {
    /// Shows the value as the cells it becomes: one, or one for each text of a list.
    fn cells(&self) -> impl Iterator<Item = Cell<'_>> {
        let (one, list) = match self {
            Self::Boolean(value) => (Some(Cell::Boolean(*value)), &[][..]),
            Self::Integer(value) => (Some(Cell::Integer(*value)), &[][..]),
            Self::Real(value) => (Some(Cell::Real(*value)), &[][..]),
            Self::Text(value) => (Some(Cell::Text(value)), &[][..]),
            Self::Bytes(value) => (Some(Cell::Blob(value)), &[][..]),
            Self::List(list) => (None, &list[..]),
        };
        one.into_iter().chain(list.iter().map(|text| Cell::Text(text)))
    }
}

impl Reversible for LegacySettings {
    fn down(tx: &Transaction, _ctx: &Context) -> Result<()> {
        // `customer.settings` was never changed.
        tx.execute("DELETE FROM customer_setting", params![])?;
        tx.execute("DELETE FROM customer_setting_reject", params![])?;
        Ok(())
    }
}

whimbrel_guest::export_reversible!(LegacySettings);
