//! The history table's own schema and how it grows.

use super::{History, HistoryError};
use crate::db::{Session, Value, quote_identifier};

/// What brings the schema from each version to the next; `{table}` and `{index}` stand for quoted names.
///
/// An entry is never changed once released: a database may stand at any of them.
pub(super) const UPGRADES: &[&str] = &["
CREATE TABLE {table} (
    id INTEGER PRIMARY KEY,
    chain TEXT NOT NULL,
    version TEXT,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    checksum TEXT NOT NULL,
    normalised_checksum TEXT,
    manifest_checksum TEXT,
    applied_at TEXT NOT NULL,
    duration_us INTEGER NOT NULL,
    rows_changed INTEGER NOT NULL,
    statements INTEGER NOT NULL,
    operations INTEGER NOT NULL,
    fuel INTEGER,
    host_version TEXT NOT NULL,
    details TEXT NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX {index} ON {table} (chain, version);
"];

/// Returns the schema version of the tables in the database; 0 when there are none.
pub(super) fn version(history: &History, session: &mut dyn Session) -> Result<i64, HistoryError> {
    let found = read_version(history, session).map_err(|source| history.failed(source))?;
    let known = i64::try_from(UPGRADES.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(HistoryError::Newer { table: history.table.clone(), found, known });
    }
    Ok(found)
}

fn read_version(history: &History, session: &mut dyn Session) -> Result<i64, crate::db::DbError> {
    if !session.table_exists(&history.schema_table())? {
        return Ok(0);
    }
    let mut found = 0;
    let sql = format!("SELECT max(version) FROM {}", quote_identifier(&history.schema_table()));
    crate::db::for_each_row(session, &sql, &[], &mut |row| {
        if let [Value::Integer(version)] = row {
            found = *version;
        }
        Ok(())
    })?;
    Ok(found)
}

/// Runs the upgrades that the tables lack.
pub(super) fn upgrade(history: &History, session: &mut dyn Session, upgrades: &[&str]) -> Result<(), HistoryError> {
    let found = version(history, session)?;
    let missing = usize::try_from(found).unwrap_or(0);
    if missing >= upgrades.len() {
        return Ok(());
    }
    let quoted = quote_identifier(&history.schema_table());
    let index = quote_identifier(&format!("{}_chain_version", history.table));
    let run = |session: &mut dyn Session| {
        if missing == 0 {
            session.execute(&format!("CREATE TABLE {quoted} (version INTEGER NOT NULL)"), &[])?;
        }
        for upgrade in &upgrades[missing..] {
            let script = upgrade.replace("{table}", &history.quoted()).replace("{index}", &index);
            session.execute_script(&script).map_err(|failed| failed.error)?;
        }
        session.execute(&format!("DELETE FROM {quoted}"), &[])?;
        let version = i64::try_from(upgrades.len()).unwrap_or(i64::MAX);
        session.execute(&format!("INSERT INTO {quoted} (version) VALUES (?)"), &[Value::Integer(version)])
    };
    run(session).map(drop).map_err(|source| history.failed(source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::sqlite::with_connection;
    use crate::db::{OpenOptions, Session};
    use crate::interrupt::Interrupt;
    use std::time::Duration;

    fn on_new_database(work: impl FnOnce(&mut dyn Session)) {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        let options = OpenOptions { lock_timeout: Duration::ZERO, interrupt: Interrupt::new(), record: false };
        with_connection(&mut connection, &options, |mut session| work(session.as_mut())).unwrap();
    }

    #[test]
    fn upgrades_step_by_step_and_keeps_the_rows() {
        on_new_database(|session| {
            let history = History::new("h").unwrap();
            upgrade(&history, session, UPGRADES).unwrap();
            session
                .execute(
                    "INSERT INTO h (chain, version, name, kind, state, checksum, applied_at, duration_us, rows_changed,
                     statements, operations, host_version) VALUES ('c', '1', 'n', 'sql', 'applied', 'x', '', 0, 0, 0, 0, '')",
                    &[],
                )
                .unwrap();
            let next = [UPGRADES[0], "ALTER TABLE {table} ADD COLUMN origin TEXT"];
            upgrade(&history, session, &next).unwrap();
            upgrade(&history, session, &next).unwrap_err();
            assert_eq!(session.execute("UPDATE h SET origin = 'kept'", &[]).unwrap(), 1);
        });
    }

    #[test]
    fn refuses_a_schema_it_does_not_know() {
        on_new_database(|session| {
            let history = History::new("h").unwrap();
            assert_eq!(version(&history, session).unwrap(), 0);
            history.ensure(session).unwrap();
            history.ensure(session).unwrap();
            session.execute("UPDATE h_schema SET version = 99", &[]).unwrap();
            assert!(matches!(version(&history, session), Err(HistoryError::Newer { found: 99, .. })));
        });
    }
}
