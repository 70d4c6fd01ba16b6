//! A guest that names people in its own way, and says itself whether it did what it should: well or badly, as the parameter
//! `verify` in its manifest says. It works on the table `person` of the other guests.

use whimbrel_guest::{Context, Error, Result, Transaction, Verified, ensure, info, params};

#[cfg(not(feature = "transform"))]
mod migration;
#[cfg(feature = "transform")]
mod transform;

/// The guest.
pub struct Behaviour;

impl Verified for Behaviour {
    fn verify(tx: &Transaction, ctx: &Context) -> Result<()> {
        match ctx.param("verify").unwrap_or("names") {
            "names" => every_name(tx),
            "write" => tx.execute("UPDATE person SET big = 0", params![]).map(drop),
            "swallow" => swallow(tx),
            "panic" => panic!("the check broke"),
            "loop" => loop {
                std::hint::black_box(ctx.seed());
            },
            "context" => {
                info!("{} {} {} {}", ctx.version(), ctx.is_dry_run(), ctx.started_at(), ctx.seed());
                Ok(())
            }
            "savepoint" => {
                let savepoint = tx.savepoint()?;
                std::mem::forget(savepoint);
                Ok(())
            }
            other => match other.strip_prefix("read ") {
                Some(table) => tx.query_value::<i64>(&format!("SELECT count(*) FROM {table}"), params![]).map(drop),
                None => Err(Error::msg(format!("unknown behaviour {other}"))),
            },
        }
    }
}

fn every_name(tx: &Transaction) -> Result<()> {
    let left: i64 = tx.query_value("SELECT count(*) FROM person WHERE first_name IS NULL", params![])?;
    ensure!(left == 0, "{left} people have no first name");
    Ok(())
}

/// Tries to change something in every way there is, and finds nothing changed.
fn swallow(tx: &Transaction) -> Result<()> {
    for sql in [
        "UPDATE person SET big = 0",
        "INSERT INTO person (full_name) VALUES ('Eve')",
        "DELETE FROM person RETURNING id",
        "CREATE TABLE left_behind (id)",
        "CREATE TEMP TABLE left_behind (id)",
        "DROP TABLE person",
        "PRAGMA query_only = 0",
        "PRAGMA user_version = 3",
        "SAVEPOINT own",
        "COMMIT",
        "ATTACH ':memory:' AS other",
    ] {
        let tried =
            [tx.execute(sql, params![]).map(drop), tx.query(sql, params![]).map(drop), tx.prepare(sql).map(drop)];
        for tried in tried {
            let denied = tried.is_err_and(|error| error.is_denied());
            ensure!(denied, "{sql} was not denied");
        }
    }
    Ok(())
}
