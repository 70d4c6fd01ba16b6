//! Runs the statements it is told to, line by line: `? SELECT …` is expected to be refused, `! SELECT …` to fail.

use whimbrel_guest::{Context, Error, Result, Transaction, info, params};

pub(crate) fn run(tx: &Transaction, ctx: &Context) -> Result<()> {
    for line in ctx.param("sql").unwrap_or_default().lines() {
        if let Some(wrong) = line.strip_prefix("! ") {
            match tx.execute(wrong, params![]) {
                Err(_) => continue,
                Ok(rows) => return Err(Error::msg(format!("{wrong}: it was done, {rows} rows"))),
            }
        }
        match line.strip_prefix("? ") {
            None => {
                tx.execute(line, params![])?;
            }
            Some(refused) => match tx.execute(refused, params![]) {
                Err(error) if error.is_denied() => {
                    let detail = |name| error.sql().and_then(|sql| sql.detail(name)).unwrap_or("-").to_owned();
                    info!("{} | {} | {}", detail("action"), detail("object"), detail("grant"));
                }
                other => return Err(Error::msg(format!("{refused}: expected a refusal, got {other:?}"))),
            },
        }
    }
    Ok(())
}
