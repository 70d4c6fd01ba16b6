//! The history table's own schema and how it grows.

use super::{History, HistoryError};
use crate::db::{DbError, ErrorCode, Session, Value, for_each_row, quote_identifier};

/// What brings the schema from each version to the next; the names in braces stand for quoted ones.
///
/// An entry is never changed once released: a database may stand at any of them.
pub(super) const UPGRADES: &[&str] = &[
    "
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
",
    "
ALTER TABLE {table} ADD COLUMN down_checksum TEXT;
ALTER TABLE {table} ADD COLUMN origin TEXT;
ALTER TABLE {table} ADD COLUMN origin_version TEXT;
ALTER TABLE {table} ADD COLUMN origin_checksum TEXT;
ALTER TABLE {table} ADD COLUMN engine TEXT;
ALTER TABLE {table} ADD COLUMN run_id TEXT;
ALTER TABLE {table} ADD COLUMN ended_at TEXT;
DROP INDEX {index};
CREATE UNIQUE INDEX {index} ON {table} (chain, version) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX {index_names} ON {table} (chain, name) WHERE version IS NULL AND ended_at IS NULL;
CREATE TABLE {bodies} (
    digest TEXT PRIMARY KEY,
    encoding TEXT NOT NULL,
    bytes BLOB NOT NULL
);
",
];

/// Returns the schema version of the tables in the database; 0 when there are none. Tables of these names that are no history
/// are refused: to take them for none would be to run everything again.
pub(super) fn version(history: &History, session: &mut dyn Session) -> Result<i64, HistoryError> {
    let found = match find_version(history, session) {
        Ok(Found::Version(found)) => found,
        Ok(Found::Nothing) => return Ok(0),
        Ok(Found::Unusable(reason)) => return Err(unusable(history, session, reason)),
        // A table of this name with other columns.
        Err(error) if error.code == ErrorCode::Syntax => return Err(unusable(history, session, error.message)),
        Err(source) => return Err(history.failed(source)),
    };
    let known = i64::try_from(UPGRADES.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(HistoryError::Newer { table: history.table.clone(), found, known });
    }
    Ok(found)
}

/// What there is under the names of the history and of its schema.
enum Found {
    Nothing,
    Version(i64),
    /// Something that is no history, or no longer.
    Unusable(String),
}

fn find_version(history: &History, session: &mut dyn Session) -> Result<Found, DbError> {
    let (table, schema_table) = (&history.table, history.schema_table());
    if !session.table_exists(&schema_table)? {
        let other = kind_of(session, table)?;
        return Ok(other.map_or(Found::Nothing, |kind| {
            Found::Unusable(format!(
                "there is a {kind} of this name, and no table {schema_table} that says that it is a history"
            ))
        }));
    }
    let mut version = None;
    let sql = format!("SELECT max(version) FROM {}", quote_identifier(&schema_table));
    for_each_row(session, &sql, &[], &mut |row| {
        version = match row {
            [Value::Integer(found)] if *found > 0 => Some(*found),
            _ => None,
        };
        Ok(())
    })?;
    Ok(match version {
        None => Found::Unusable(format!("{schema_table} does not say which version it has")),
        Some(_) if !session.table_exists(table)? => {
            Found::Unusable(format!("it is not there, and {schema_table} says that it should be"))
        }
        Some(version) => Found::Version(version),
    })
}

/// Returns what has a name in the schema: a table, a view, an index.
fn kind_of(session: &mut dyn Session, name: &str) -> Result<Option<String>, DbError> {
    let mut kind = None;
    let sql = "SELECT type FROM sqlite_schema WHERE name = ? COLLATE NOCASE";
    for_each_row(session, sql, &[Value::from(name)], &mut |row| {
        if let [Value::Text(found)] = row {
            kind = Some(found.clone());
        }
        Ok(())
    })?;
    Ok(kind)
}

fn unusable(history: &History, session: &mut dyn Session, reason: String) -> HistoryError {
    let mut columns = Vec::new();
    let sql = "SELECT name FROM pragma_table_info(?)";
    let read = for_each_row(session, sql, &[Value::from(history.table.as_str())], &mut |row| {
        if let [Value::Text(name)] = row {
            columns.push(name.clone());
        }
        Ok(())
    });
    let has = |names: &[&str]| names.iter().all(|name| columns.iter().any(|column| column == name));
    let looks_like = match read {
        Ok(()) if has(&["chain", "version", "checksum", "state", "run_id", "ended_at"]) => Some(2),
        Ok(()) if has(&["chain", "version", "checksum", "state", "host_version"]) => Some(1),
        Ok(()) | Err(_) => None,
    };
    HistoryError::Unusable { table: history.table.clone(), reason, looks_like }
}

/// Runs the upgrades that the tables lack.
pub(super) fn upgrade(history: &History, session: &mut dyn Session, upgrades: &[&str]) -> Result<(), HistoryError> {
    let found = version(history, session)?;
    let missing = usize::try_from(found).unwrap_or(0);
    if missing >= upgrades.len() {
        return Ok(());
    }
    let quoted = quote_identifier(&history.schema_table());
    let named = |suffix: &str| quote_identifier(&format!("{}{suffix}", history.table));
    let names = [
        ("{table}", named("")),
        ("{index}", named("_chain_version")),
        ("{index_names}", named("_chain_name")),
        ("{bodies}", named("_bodies")),
    ];
    let run = |session: &mut dyn Session| {
        if missing == 0 {
            session.execute(&format!("CREATE TABLE {quoted} (version INTEGER NOT NULL)"), &[])?;
        }
        for upgrade in &upgrades[missing..] {
            let script =
                names.iter().fold((*upgrade).to_owned(), |script, (name, quoted)| script.replace(name, quoted));
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

    const OLD_ROW: &str = "INSERT INTO h (chain, version, name, kind, state, checksum, applied_at, duration_us, \
        rows_changed, statements, operations, host_version) VALUES ('c', '1', 'n', 'sql', 'applied', \
        'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '', 0, 0, 0, 0, '')";

    #[test]
    fn upgrades_step_by_step_and_keeps_the_rows() {
        on_new_database(|session| {
            let history = History::new("h").unwrap();
            upgrade(&history, session, &UPGRADES[..1]).unwrap();
            session.execute(OLD_ROW, &[]).unwrap();
            // Who only looks changes nothing, and reads what there is.
            let rows = history.read(session, "c").unwrap();
            assert_eq!((rows.len(), version(&history, session).unwrap()), (1, 1));
            history.ensure(session).unwrap();
            assert_eq!(version(&history, session).unwrap(), 2);
            assert_eq!(history.read(session, "c").unwrap(), rows);
            let next: Vec<&str> =
                UPGRADES.iter().copied().chain(["ALTER TABLE {table} ADD COLUMN later TEXT"]).collect();
            upgrade(&history, session, &next).unwrap();
            upgrade(&history, session, &next).unwrap_err();
            assert_eq!(session.execute("UPDATE h SET later = 'kept'", &[]).unwrap(), 1);
        });
    }

    #[test]
    fn only_one_row_of_a_migration_is_in_force() {
        on_new_database(|session| {
            let history = History::new("h").unwrap();
            history.ensure(session).unwrap();
            session.execute(OLD_ROW, &[]).unwrap();
            session.execute(OLD_ROW, &[]).unwrap_err();
            session.execute("UPDATE h SET state = 'reverted', ended_at = '2026-01-01T00:00:00Z'", &[]).unwrap();
            session.execute(OLD_ROW, &[]).unwrap();
            assert_eq!(history.read(session, "c").unwrap().len(), 1);
            assert_eq!(history.read_all(session).unwrap().len(), 2);
            let named = OLD_ROW.replace("'1'", "NULL");
            session.execute(&named, &[]).unwrap();
            session.execute(&named, &[]).unwrap_err();
            session.execute(&named.replace("'n'", "'m'"), &[]).unwrap();
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
