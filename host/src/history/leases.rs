//! Who is at work on the chunks of a transform: a lease for each run, in the row of the migration, written together with
//! each chunk. Decides nothing.

use super::{History, HistoryError};
use crate::db::{DbError, Row, Session, Value};
use crate::lock::{Birth, Holder, Lease};
use crate::model::{AppliedState, Key, Version};

/// What becomes of `details` when nobody is at work any more.
pub(super) const AT_THE_END: &str = "json_remove(details, '$.leases')";
/// What becomes of `details` with the lease of a run. Those of others stay until their time is over.
const IN_PROGRESS: &str = "json_set(details, '$.leases', json_patch((SELECT json_group_object(key, json(value)) \
     FROM json_each(details, '$.leases') WHERE CASE type WHEN 'object' THEN value ->> '$.until' >= ? END), \
     json_object(?, \
     json_object('process', ?, 'host', ?, 'user', ?, 'numbering', ?, 'started', ?, 'since', ?, 'heartbeat', ?, \
     'until', ?))))";

/// Returns what becomes of `details` with a lease, and the values for that.
pub(super) fn in_progress(lease: &Lease) -> (&'static str, Vec<Value>) {
    let Lease { holder, heartbeat, until, .. } = lease;
    let birth = holder.birth.as_ref();
    let params = vec![
        Value::from(heartbeat.as_str()),
        Value::from(holder.run_id.as_str()),
        Value::Integer(i64::from(holder.process)),
        Value::from(holder.host.as_str()),
        holder.user.map_or(Value::Null, |user| Value::Integer(i64::from(user))),
        birth.map_or(Value::Null, |birth| Value::from(birth.numbering.as_str())),
        birth.map_or(Value::Null, |birth| Value::Integer(birth.started.cast_signed())),
        Value::from(holder.since.as_str()),
        Value::from(heartbeat.as_str()),
        Value::from(until.as_str()),
    ];
    (IN_PROGRESS, params)
}

impl History {
    /// Takes the lease of a run off a migration in progress.
    pub fn release(&self, session: &mut dyn Session, chain: &str, key: &Key, run_id: &str) -> Result<(), HistoryError> {
        let statement = "UPDATE {} SET details = CASE WHEN json_valid(details) \
                         THEN json_remove(details, '$.leases.\"' || ? || '\"') ELSE details END";
        self.change(session, statement, vec![Value::from(run_id)], chain, key)
    }

    /// Returns the leases on migrations in progress. Creates nothing.
    pub fn leases(&self, session: &mut dyn Session) -> Result<Vec<Lease>, HistoryError> {
        let mut leases = Vec::new();
        let mut run = || {
            if !session.table_exists(&self.table)? {
                return Ok(());
            }
            let values = ["process", "host", "user", "since", "heartbeat", "until", "numbering", "started"];
            let values = values.map(|name| format!(", lease.value ->> '$.{name}'")).concat();
            let sql = format!(
                "SELECT history.chain, history.version, history.name, lease.key{values} FROM {} AS history, \
                 json_each(CASE WHEN json_valid(history.details) THEN history.details ELSE '{{}}' END, '$.leases') \
                 AS lease WHERE history.state = ? AND lease.type = 'object' ORDER BY history.id, lease.key",
                self.quoted()
            );
            let in_progress = [Value::from(AppliedState::InProgress.as_str())];
            session.see_rows(&sql, &in_progress, &mut |row| {
                leases.extend(lease(&cells(row)?));
                Ok(())
            })
        };
        run().map_err(|source| self.failed(source))?;
        Ok(leases)
    }
}

/// Reads all cells of a row.
fn cells(row: &dyn Row) -> Result<Vec<Value>, DbError> {
    (0..row.columns()).map(|column| row.cell(column).map(Value::from)).collect()
}

/// Reads a lease; `None` for what no run has written.
fn lease(cells: &[Value]) -> Option<Lease> {
    let text = |column: usize| match &cells[column] {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    let number = |column: usize| match cells[column] {
        Value::Integer(number) => u32::try_from(number).ok(),
        _ => None,
    };
    let started = match cells[11] {
        Value::Integer(started) => u64::try_from(started).ok(),
        _ => None,
    };
    let name = text(2)?;
    let (migration, key) = match &cells[1] {
        Value::Null => (name.clone(), Key::Name(name)),
        _ => {
            let version = Version::parse(&text(1)?).ok()?;
            (format!("{version} {name}"), Key::Version(version))
        }
    };
    Some(Lease {
        key,
        holder: Holder {
            process: number(4)?,
            host: text(5)?,
            user: number(6),
            birth: text(10).zip(started).map(Birth::from),
            run_id: text(3)?,
            chain: text(0)?,
            migration,
            doing: "applies".to_owned(),
            since: text(7)?,
        },
        heartbeat: text(8)?,
        until: text(9)?,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::db::sqlite::with_connection;
    use crate::db::{Counters, OpenOptions};
    use crate::history::Advance;
    use crate::interrupt::Interrupt;
    use crate::lock::Here;

    #[test]
    fn a_lease_is_on_the_row_of_its_migration_whether_that_has_a_version_or_not() {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        let options = OpenOptions { lock_timeout: Duration::ZERO, interrupt: Interrupt::new(), record: false };
        with_connection(&mut connection, &options, |mut session| {
            let (history, session) = (History::new("h").unwrap(), session.as_mut());
            history.ensure(session).unwrap();
            let keys = [Key::Version("2.0".parse().unwrap()), Key::Name("2".to_owned())];
            for version in ["'2'", "NULL"] {
                let row = format!(
                    "INSERT INTO h (chain, version, name, kind, state, checksum, applied_at, duration_us, rows_changed, \
                     statements, operations, host_version) VALUES ('c', {version}, '2', '', 'in-progress', '', '', 0, 0, \
                     0, 0, '')"
                );
                session.execute(&row, &[]).unwrap();
            }
            let lease = |key: &Key| Lease {
                key: key.clone(),
                holder: Here::look().holder(&format!("run of {key}"), "c", "2", "applies", ""),
                heartbeat: String::new(),
                until: "9".to_owned(),
            };
            for key in &keys {
                let advance = Advance {
                    state: AppliedState::InProgress,
                    duration: Duration::ZERO,
                    counters: Counters::default(),
                    fuel: 0,
                    details: "{\"checkpoint\": 1}",
                    lease: &lease(key),
                };
                history.advance(session, "c", key, &advance).unwrap();
            }
            let found: Vec<Key> = history.leases(session).unwrap().into_iter().map(|lease| lease.key).collect();
            assert_eq!(found, keys);
            history.release(session, "c", &keys[1], "run of 2").unwrap();
            let found: Vec<Key> = history.leases(session).unwrap().into_iter().map(|lease| lease.key).collect();
            assert_eq!(found, keys[..1]);
        })
        .unwrap();
    }
}
