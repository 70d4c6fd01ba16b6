//! What a guest may try.

use whimbrel_guest::{Error, Result, Transaction, info, params};

pub(crate) fn panic() -> Result<()> {
    let nothing: Vec<u32> = Vec::new();
    let index = std::hint::black_box(7);
    explode(&nothing, index)
}

#[inline(never)]
fn explode(list: &[u32], index: usize) -> Result<()> {
    info!("element {}", list[index]);
    Ok(())
}

pub(crate) fn endless() -> Result<()> {
    let mut n = 0_u64;
    loop {
        n = std::hint::black_box(n.wrapping_add(1));
    }
}

#[expect(unconditional_recursion, reason = "that is the behaviour")]
pub(crate) fn recurse(depth: u64) -> Result<u64> {
    let below = recurse(std::hint::black_box(depth + 1))?;
    Ok(std::hint::black_box(below + depth))
}

pub(crate) fn eat_memory() -> Result<()> {
    let mut hoard = Vec::new();
    loop {
        hoard.push(vec![1_u8; 1 << 20]);
        std::hint::black_box(&hoard);
    }
}

pub(crate) fn slow_statement(tx: &Transaction) -> Result<()> {
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    // Whatever comes back, the guest claims to be content.
    let _ = tx.query_value::<i64>(endless, params![]);
    Ok(())
}

pub(crate) fn leak_cursors(tx: &Transaction) -> Result<()> {
    loop {
        std::mem::forget(tx.query("SELECT id FROM person", params![])?);
    }
}

pub(crate) fn flood_the_log() -> Result<()> {
    for _ in 0..100_000 {
        info!("all work and no play");
    }
    Ok(())
}

pub(crate) fn try_everything(tx: &Transaction) -> Result<()> {
    let forbidden = [
        "COMMIT",
        "ROLLBACK",
        "BEGIN",
        "SAVEPOINT mine",
        "ATTACH ':memory:' AS other",
        "VACUUM",
        "PRAGMA writable_schema = 1",
        "PRAGMA journal_mode = OFF",
        "SELECT load_extension('x')",
        "SELECT * FROM _whimbrel_history",
        "UPDATE _whimbrel_history SET checksum = ''",
        "DROP TABLE _whimbrel_history",
        "DELETE FROM _whimbrel_history_schema",
        "CREATE TRIGGER t AFTER INSERT ON _whimbrel_history BEGIN SELECT 1; END",
        "ALTER TABLE _whimbrel_history ADD COLUMN x",
    ];
    for sql in forbidden {
        match tx.execute(sql, params![]) {
            Err(error) if error.is_denied() => {}
            other => return Err(Error::msg(format!("{sql}: expected a refusal, got {other:?}"))),
        }
    }
    Ok(())
}

pub(crate) fn leave_a_savepoint(tx: &Transaction) -> Result<()> {
    std::mem::forget(tx.savepoint()?);
    tx.execute("UPDATE person SET last_name = 'lost'", params![])?;
    Ok(())
}

pub(crate) fn end_the_transaction(tx: &Transaction) -> Result<()> {
    // ON CONFLICT ROLLBACK ends the transaction; what follows would commit by itself.
    let _ = tx.execute("INSERT OR ROLLBACK INTO person (id, full_name) VALUES (1, 'again')", params![]);
    let _ = tx.execute("UPDATE person SET last_name = 'escaped'", params![]);
    Ok(())
}
