//! A guest that behaves well or badly, as the parameter `do` in its manifest says. It works on the table
//! `person (id INTEGER PRIMARY KEY, full_name TEXT NOT NULL, first_name TEXT, last_name TEXT, code TEXT UNIQUE,
//! big INTEGER)`.

mod bad;
mod good;
mod greedy;
mod statements;

use whimbrel_guest::{Context, Error, Migration, Result, Reversible, Transaction, params};

/// The guest.
pub struct Behaviour;

impl Migration for Behaviour {
    fn up(tx: &Transaction, ctx: &Context) -> Result<()> {
        if ctx.param("do") == Some("sql") {
            return statements::run(tx, ctx);
        }
        // Every behaviour has changed something first, so that a test sees whether it was undone.
        tx.execute("UPDATE person SET code = 'touched ' || id", params![])?;
        match ctx.param("do").unwrap_or("split") {
            "split" => good::split_names(tx),
            "savepoints" => good::savepoints(tx),
            "context" => good::context(tx, ctx),
            "errors" => good::errors(tx),
            "halloween" => good::update_what_is_read(tx),
            "talk" => good::talk(),
            "refuse" => Err(Error::msg("the guest says no: row 3 has no name")),
            "sql-error" => tx.execute("INSERT INTO nowhere VALUES (1)", params![]).map(drop),
            "panic" => bad::panic(),
            "loop" => bad::endless(),
            "recurse" => bad::recurse(1).map(drop),
            "memory" => bad::eat_memory(),
            "slow-sql" => bad::slow_statement(tx),
            "cursors" => bad::leak_cursors(tx),
            "log" => bad::flood_the_log(),
            "denied" => bad::try_everything(tx),
            "leave-savepoint" => bad::leave_a_savepoint(tx),
            "end-transaction" => bad::end_the_transaction(tx),
            "measured" => greedy::measured(tx),
            other if other.starts_with("greedy-") => greedy::run(&other["greedy-".len()..], tx),
            other => Err(Error::msg(format!("unknown behaviour {other}"))),
        }
    }
}

impl Reversible for Behaviour {
    fn down(tx: &Transaction, _: &Context) -> Result<()> {
        tx.execute("UPDATE person SET first_name = NULL, last_name = NULL, code = NULL, big = NULL", params![])?;
        Ok(())
    }
}

whimbrel_guest::export_reversible!(Behaviour);
