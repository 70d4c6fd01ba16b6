//! x
use whimbrel_guest::{Context, Migration, Result, Reversible, Transaction, params};
/// x
pub struct SplitNames;
impl Migration for SplitNames {
    fn up(tx: &Transaction, _ctx: &Context) -> Result<()> {
        let update = tx.prepare("UPDATE customer SET first_name = ?, last_name = ? WHERE id = ?")?;
        let mut writer = update.writer();
        for row in tx.query("SELECT id, full_name FROM customer ORDER BY id", params![])? {
            let row = row?;
            let name: &str = row.get("full_name")?;
            let (first, last) = name.rsplit_once(' ').unwrap_or(("", name));
            writer.row(params![first, last, row.get::<i64>("id")?])?;
        }
        writer.finish()?;
        Ok(())
    }
}
impl Reversible for SplitNames {
    fn down(tx: &Transaction, _ctx: &Context) -> Result<()> {
        tx.execute("UPDATE customer SET first_name = NULL, last_name = NULL", params![])?;
        Ok(())
    }
}
whimbrel_guest::export!(SplitNames);
