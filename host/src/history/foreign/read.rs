//! Reads the history of each tool as its own rules say what is applied.

use std::collections::BTreeMap;
use std::time::Duration;

use super::row::{ForeignRow, ForeignState, count, moment, text, truth};
use super::{ForeignTable, Tool};
use crate::db::{DbError, Session, Value, for_each_row, quote_identifier};

/// Reads what a tool's table says is applied, in the order it was applied as far as the table has one.
pub(super) fn read(session: &mut dyn Session, found: &ForeignTable) -> Result<Vec<ForeignRow>, DbError> {
    let table = quote_identifier(&found.table);
    match found.tool {
        Tool::Sqlx => sqlx(session, &table),
        Tool::Refinery => refinery(session, &table),
        Tool::Flyway => flyway(session, &table),
        Tool::GolangMigrate => golang_migrate(session, &table),
        Tool::Goose => goose(session, &table),
        Tool::Dbmate | Tool::Rails => versions(session, &format!("SELECT version, NULL FROM {table} ORDER BY version")),
        Tool::Diesel => versions(session, &format!("SELECT version, run_on FROM {table} ORDER BY run_on, version")),
        Tool::SeaOrm => sea_orm(session, &table),
        Tool::Prisma => prisma(session, &table),
        Tool::Atlas => atlas(session, &table),
        Tool::Drizzle => drizzle(session, &found.table, &table),
        Tool::D1 => d1(session, &table),
        Tool::Tern => tern(session, &table),
        Tool::Alembic => heads(session, &format!("SELECT version_num, NULL FROM {table} ORDER BY version_num")),
        Tool::Django => {
            heads(session, &format!("SELECT app || '.' || max(name), max(applied) FROM {table} GROUP BY app"))
        }
        Tool::Liquibase => liquibase(session, &table),
        Tool::Knex => heads(session, &format!("SELECT name, migration_time FROM {table} ORDER BY id DESC LIMIT 1")),
        Tool::Kysely => heads(
            session,
            &format!("SELECT name, \"timestamp\" FROM {table} ORDER BY \"timestamp\" DESC, name DESC LIMIT 1"),
        ),
        Tool::TypeOrm => heads(session, &format!("SELECT name, NULL FROM {table} ORDER BY \"timestamp\" DESC LIMIT 1")),
        Tool::Sequelize => heads(session, &format!("SELECT name, NULL FROM {table} ORDER BY name DESC LIMIT 1")),
        Tool::Laravel => heads(session, &format!("SELECT migration, NULL FROM {table} ORDER BY id DESC LIMIT 1")),
        Tool::EfCore => {
            heads(session, &format!("SELECT MigrationId, NULL FROM {table} ORDER BY MigrationId DESC LIMIT 1"))
        }
        Tool::Sqitch => {
            heads(session, &format!("SELECT change, committed_at FROM {table} ORDER BY committed_at DESC LIMIT 1"))
        }
    }
}

fn collect<T>(
    session: &mut dyn Session,
    sql: &str,
    mut make: impl FnMut(&[Value]) -> Option<T>,
) -> Result<Vec<T>, DbError> {
    let mut rows = Vec::new();
    for_each_row(session, sql, &[], &mut |row| {
        rows.extend(make(row));
        Ok(())
    })?;
    Ok(rows)
}

fn failed_unless(success: bool, why: &str) -> ForeignState {
    if success { ForeignState::Applied } else { ForeignState::Failed(why.to_owned()) }
}

fn sqlx(session: &mut dyn Session, table: &str) -> Result<Vec<ForeignRow>, DbError> {
    let sql = format!(
        "SELECT version, description, installed_on, success, checksum, execution_time FROM {table} ORDER BY version"
    );
    collect(session, &sql, |row| {
        let [version, description, installed, success, checksum, nanoseconds] = row else { return None };
        Some(ForeignRow {
            version: text(version),
            name: text(description).map(|words| words.replace(' ', "_")),
            applied_at: moment(installed),
            duration: Duration::from_nanos(count(nanoseconds)),
            checksum: text(checksum),
            state: failed_unless(truth(success), "sqlx has marked it as not successful"),
        })
    })
}

fn refinery(session: &mut dyn Session, table: &str) -> Result<Vec<ForeignRow>, DbError> {
    let sql = format!("SELECT version, name, applied_on, checksum FROM {table} ORDER BY version");
    collect(session, &sql, |row| {
        let [version, name, applied, checksum] = row else { return None };
        Some(ForeignRow {
            version: text(version),
            name: text(name),
            applied_at: moment(applied),
            checksum: text(checksum),
            ..ForeignRow::default()
        })
    })
}

/// Rows are played in order: a later one can undo, delete or repeat what an earlier one did.
fn flyway(session: &mut dyn Session, table: &str) -> Result<Vec<ForeignRow>, DbError> {
    let sql = format!(
        "SELECT version, description, type, script, checksum, installed_on, execution_time, success FROM {table} \
         ORDER BY installed_rank"
    );
    let mut live: Vec<ForeignRow> = Vec::new();
    let rows = collect(session, &sql, |row| {
        let [version, description, kind, _, checksum, installed, milliseconds, success] = row else { return None };
        let state = failed_unless(truth(success), "Flyway has marked it as failed");
        let row = ForeignRow {
            version: text(version),
            name: text(description).map(|words| words.replace(' ', "_")),
            applied_at: moment(installed),
            duration: Duration::from_millis(count(milliseconds)),
            checksum: text(checksum),
            state,
        };
        Some((text(kind).unwrap_or_default().to_ascii_uppercase(), row))
    })?;
    for (kind, row) in rows {
        let same = |other: &ForeignRow| match (&row.version, &other.version) {
            (None, None) => row.name == other.name,
            (ours, theirs) => ours == theirs,
        };
        match kind.as_str() {
            "SCHEMA" => {}
            "DELETE" => live.retain(|other| !same(other)),
            kind if kind.starts_with("UNDO") => {
                if row.state == ForeignState::Applied {
                    live.retain(|other| !same(other));
                } else {
                    live.push(row);
                }
            }
            "BASELINE" => live.push(ForeignRow { state: ForeignState::Baseline, checksum: None, ..row }),
            _ => {
                live.retain(|other| !same(other));
                live.push(row);
            }
        }
    }
    Ok(live)
}

fn golang_migrate(session: &mut dyn Session, table: &str) -> Result<Vec<ForeignRow>, DbError> {
    collect(session, &format!("SELECT version, dirty FROM {table}"), |row| {
        let [version, dirty] = row else { return None };
        let state = failed_unless(!truth(dirty), "golang-migrate has marked it as dirty: it began and did not finish");
        Some(ForeignRow { version: text(version), state, ..ForeignRow::default() })
    })
}

/// Of several rows of a version the last one counts.
fn goose(session: &mut dyn Session, table: &str) -> Result<Vec<ForeignRow>, DbError> {
    let mut last = BTreeMap::new();
    let sql = format!("SELECT id, version_id, is_applied, tstamp FROM {table} ORDER BY id");
    let rows = collect(session, &sql, |row| {
        let [id, version, applied, at] = row else { return None };
        let row = ForeignRow { version: text(version), applied_at: moment(at), ..ForeignRow::default() };
        Some((count(id), count(version), truth(applied), row))
    })?;
    for (id, version, applied, row) in rows {
        last.insert(version, (id, applied, row));
    }
    let mut live: Vec<(u64, ForeignRow)> = last
        .into_iter()
        .filter(|(version, (_, applied, _))| *version > 0 && *applied)
        .map(|(_, (id, _, row))| (id, row))
        .collect();
    live.sort_by_key(|(id, _)| *id);
    Ok(live.into_iter().map(|(_, row)| row).collect())
}

fn versions(session: &mut dyn Session, sql: &str) -> Result<Vec<ForeignRow>, DbError> {
    collect(session, sql, |row| {
        let [version, at] = row else { return None };
        Some(ForeignRow { version: text(version), applied_at: moment(at), ..ForeignRow::default() })
    })
}

/// `m20220101_000001_create_table`
fn sea_orm(session: &mut dyn Session, table: &str) -> Result<Vec<ForeignRow>, DbError> {
    collect(session, &format!("SELECT version, applied_at FROM {table} ORDER BY version"), |row| {
        let [version, at] = row else { return None };
        let version = text(version)?;
        let name = version.splitn(3, '_').nth(2).map(str::to_owned);
        Some(ForeignRow { version: Some(version), name, applied_at: moment(at), ..ForeignRow::default() })
    })
}

fn prisma(session: &mut dyn Session, table: &str) -> Result<Vec<ForeignRow>, DbError> {
    let sql = format!(
        "SELECT checksum, finished_at, migration_name, rolled_back_at, started_at, logs FROM {table} \
         WHERE rolled_back_at IS NULL ORDER BY started_at, migration_name"
    );
    collect(session, &sql, |row| {
        let [checksum, finished, name, _, started, _] = row else { return None };
        let full = text(name)?;
        let name = full.split_once('_').map(|(_, name)| name.to_owned());
        let unfinished = matches!(finished, Value::Null);
        Some(ForeignRow {
            version: Some(full),
            name,
            applied_at: moment(finished).or_else(|| moment(started)),
            checksum: text(checksum),
            state: failed_unless(!unfinished, "it began and did not finish"),
            ..ForeignRow::default()
        })
    })
}

fn atlas(session: &mut dyn Session, table: &str) -> Result<Vec<ForeignRow>, DbError> {
    const BASELINE: u64 = 1;
    let sql = format!(
        "SELECT version, description, type, applied, total, executed_at, execution_time, error, hash FROM {table} \
         ORDER BY version"
    );
    collect(session, &sql, |row| {
        let [version, description, kind, applied, total, at, nanoseconds, error, hash] = row else { return None };
        // Atlas keeps a row of its own that no migration has.
        let version = text(version).filter(|version| !version.starts_with('.'))?;
        let error = text(error).filter(|error| !error.is_empty());
        let state = match error {
            Some(error) => ForeignState::Failed(error),
            None if count(applied) < count(total) => {
                ForeignState::Failed(format!("{} of its {} statements are done", count(applied), count(total)))
            }
            None if count(kind) & BASELINE != 0 => ForeignState::Baseline,
            None => ForeignState::Applied,
        };
        Some(ForeignRow {
            version: Some(version),
            name: text(description).filter(|words| !words.is_empty()),
            applied_at: moment(at),
            duration: Duration::from_nanos(count(nanoseconds)),
            checksum: text(hash),
            state,
        })
    })
}

/// Its version is the moment at which the migration was written, in milliseconds; since version 1 there are its name, and
/// when it was applied.
fn drizzle(session: &mut dyn Session, name: &str, table: &str) -> Result<Vec<ForeignRow>, DbError> {
    let mut named = false;
    let columns = "SELECT name FROM pragma_table_info(?) WHERE name = 'applied_at'";
    for_each_row(session, columns, &[Value::from(name)], &mut |_| {
        named = true;
        Ok(())
    })?;
    let later = if named { "name, applied_at" } else { "NULL, NULL" };
    let sql = format!("SELECT created_at, hash, {later} FROM {table} ORDER BY created_at, rowid");
    collect(session, &sql, |row| {
        let [written, hash, name, at] = row else { return None };
        Some(ForeignRow {
            version: text(written),
            name: text(name),
            applied_at: moment(at),
            checksum: text(hash),
            ..ForeignRow::default()
        })
    })
}

fn d1(session: &mut dyn Session, table: &str) -> Result<Vec<ForeignRow>, DbError> {
    collect(session, &format!("SELECT name, applied_at FROM {table} ORDER BY id"), |row| {
        let [file, at] = row else { return None };
        Some(ForeignRow { version: text(file), applied_at: moment(at), ..ForeignRow::default() })
    })
}

fn tern(session: &mut dyn Session, table: &str) -> Result<Vec<ForeignRow>, DbError> {
    collect(session, &format!("SELECT version FROM {table}"), |row| {
        let version = text(row.first()?)?;
        Some(ForeignRow { version: Some(version), state: ForeignState::Baseline, ..ForeignRow::default() })
    })
}

/// What is newest, by names that are no numbers.
fn heads(session: &mut dyn Session, sql: &str) -> Result<Vec<ForeignRow>, DbError> {
    collect(session, sql, |row| {
        let [name, at] = row else { return None };
        Some(ForeignRow {
            version: text(name),
            applied_at: moment(at),
            state: ForeignState::Baseline,
            ..ForeignRow::default()
        })
    })
}

fn liquibase(session: &mut dyn Session, table: &str) -> Result<Vec<ForeignRow>, DbError> {
    let sql =
        format!("SELECT id || '::' || author, dateexecuted, md5sum FROM {table} ORDER BY orderexecuted DESC LIMIT 1");
    collect(session, &sql, |row| {
        let [name, at, checksum] = row else { return None };
        Some(ForeignRow {
            version: text(name),
            applied_at: moment(at),
            checksum: text(checksum),
            state: ForeignState::Baseline,
            ..ForeignRow::default()
        })
    })
}

/// Tells who holds the lock that a tool keeps in a table beside its history.
pub(super) fn locked_by(session: &mut dyn Session, found: &ForeignTable) -> Result<Option<String>, DbError> {
    let (ending, columns) = match found.tool {
        Tool::Liquibase => ("LOCK", "locked, lockedby"),
        Tool::Knex | Tool::Kysely => ("_lock", "is_locked, NULL"),
        _ => return Ok(None),
    };
    let lock = format!("{}{ending}", found.table);
    if !session.table_exists(&lock)? {
        return Ok(None);
    }
    let sql = format!("SELECT {columns} FROM {}", quote_identifier(&lock));
    let holders = collect(session, &sql, |row| match row {
        [locked, by] if truth(locked) => Some(text(by).unwrap_or_else(|| "somebody".to_owned())),
        _ => None,
    })?;
    Ok(holders.into_iter().next())
}
