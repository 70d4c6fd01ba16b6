//! Migration `phone_numbers`: moves the numbers customers typed into a table of E.164 numbers.
//!
//! A field can hold several numbers. What is no number goes into a table of its own, with the reason, so that nothing
//! is lost and somebody can look at it. The rules are in [`number`]; this file only moves rows.

pub mod country;
pub mod digits;
pub mod number;

use whimbrel_guest::{Context, Migration, Result, Reversible, Transaction, info, params, warn};

pub use number::{Number, Rejection, parse, split};

/// Reads the phone numbers of all customers.
pub struct PhoneNumbers;

const CREATE_NUMBERS: &str = "CREATE TABLE customer_phone (
    customer_id INTEGER NOT NULL REFERENCES customer (id),
    position INTEGER NOT NULL,
    e164 TEXT NOT NULL,
    extension TEXT,
    PRIMARY KEY (customer_id, position)
) STRICT, WITHOUT ROWID";

const CREATE_REJECTS: &str = "CREATE TABLE customer_phone_reject (
    customer_id INTEGER NOT NULL REFERENCES customer (id),
    typed TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT";

impl Migration for PhoneNumbers {
    fn up(tx: &Transaction, ctx: &Context) -> Result<()> {
        tx.execute(CREATE_NUMBERS, params![])?;
        tx.execute(CREATE_REJECTS, params![])?;
        let insert = tx.prepare("INSERT INTO customer_phone VALUES (?, ?, ?, ?)")?;
        let reject = tx.prepare("INSERT INTO customer_phone_reject VALUES (?, ?, ?)")?;
        let (mut numbers, mut rejects) = (insert.writer(), reject.writer());
        let home = ctx.param("country").unwrap_or_default();
        for row in tx.query("SELECT id, phone, country FROM customer WHERE phone <> '' ORDER BY id", params![])? {
            let row = row?;
            let id: i64 = row.get("id")?;
            let country = row.get::<Option<&str>>("country")?.unwrap_or(home);
            let mut position = 0;
            for typed in split(row.get("phone")?) {
                match parse(typed, country) {
                    Ok(Number { e164, extension }) => {
                        position += 1;
                        numbers.row(params![id, position, e164, extension])?;
                    }
                    Err(reason) => rejects.row(params![id, typed, reason.to_string()])?,
                }
            }
        }
        let (numbers, rejects) = (numbers.finish()?, rejects.finish()?);
        info!("read {numbers} phone numbers");
        if rejects > 0 {
            warn!("{rejects} phone numbers cannot be read; see customer_phone_reject");
        }
        Ok(())
    }
}

impl Reversible for PhoneNumbers {
    fn down(tx: &Transaction, _ctx: &Context) -> Result<()> {
        // `customer.phone` was never changed.
        tx.execute("DROP TABLE customer_phone_reject", params![])?;
        tx.execute("DROP TABLE customer_phone", params![])?;
        Ok(())
    }
}

whimbrel_guest::export_reversible!(PhoneNumbers);
