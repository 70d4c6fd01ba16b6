//! The migration.

use whimbrel_guest::{Context, Migration, Result, Reversible, Transaction, params};

use super::Behaviour;

impl Migration for Behaviour {
    fn up(tx: &Transaction, ctx: &Context) -> Result<()> {
        let but = ctx.param("but").unwrap_or_default();
        tx.execute("UPDATE person SET first_name = 'named' WHERE full_name <> ?", params![but]).map(drop)
    }
}

impl Reversible for Behaviour {
    fn down(tx: &Transaction, _: &Context) -> Result<()> {
        tx.execute("UPDATE person SET first_name = NULL", params![]).map(drop)
    }
}

whimbrel_guest::export_reversible!(Behaviour);
whimbrel_guest::export_verify!(Behaviour);
