//! Trims the notes. build.sh makes a component of this, `whimbrel up` runs it.

use whimbrel_guest::{Context, Migration, Result, Transaction, params};

struct Work;

impl Migration for Work {
    fn up(tx: &Transaction, _ctx: &Context) -> Result<()> {
        let update = tx.prepare("UPDATE note SET text = ? WHERE id = ?")?;
        let mut writer = update.writer();
        for row in tx.query("SELECT id, text FROM note WHERE text IS NOT NULL ORDER BY id", params![])? {
            let row = row?;
            writer.row(params![trim(row.get("text")?), row.get::<i64>("id")?])?;
        }
        writer.finish().map(drop)
    }
}
{{down}}
whimbrel_guest::{{export}}!(Work);
/// Returns the text without spaces around it.
fn trim(text: &str) -> &str {
    text.trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trims() {
        assert_eq!(trim("  a b "), "a b");
    }
}
