//! Whether every name that somebody typed was split; asked after the work, and by `whimbrel verify --deep`.

use whimbrel_guest::{Context, Result, Transaction, Verified, ensure, params};

use super::{Mend, Rowwise};

const UNNAMED: &str = "SELECT count(*) FROM customer WHERE first_name IS NULL AND last_name IS NULL
    AND trim(full_name, ' ,' || char(9, 10, 13, 160)) <> ''";

fn none_unnamed(tx: &Transaction) -> Result<()> {
    let unnamed: i64 = tx.query_value(UNNAMED, params![])?;
    ensure!(unnamed == 0, "{unnamed} customers lost their name");
    Ok(())
}

impl Verified for Rowwise {
    fn verify(tx: &Transaction, _ctx: &Context) -> Result<()> {
        none_unnamed(tx)
    }
}

impl Verified for Mend {
    fn verify(tx: &Transaction, _ctx: &Context) -> Result<()> {
        none_unnamed(tx)
    }
}
