//! Runs code of the program inside the transaction of a step, which is the host's to end.

use std::sync::Arc;

use super::report::StepError;
use super::run::Conditions;
use super::voice::Voice;
use crate::db::{DbError, ErrorCode, KEYS_OFF, Session, Transaction};
use crate::model::{RustContext, RustError};
use crate::plan::Step;

/// Lends the open transaction to code of the program, hears what it logs, and refuses what would end the transaction.
pub(super) fn run_rust(
    session: &mut dyn Session,
    step: &Step,
    conditions: &Conditions<'_>,
    code: impl FnOnce(&mut Transaction<'_>) -> Result<(), RustError>,
) -> Result<(), StepError> {
    let voice = Voice { step: step.clone(), observer: Arc::clone(conditions.observer) };
    session.keep_transaction(true);
    let done = code(&mut Transaction::new(session).heard_by(&voice));
    match session.keep_transaction(false) {
        Some(statement) if statement == KEYS_OFF => {
            let message = format!(
                "{KEYS_OFF} does nothing inside a transaction, and rows would go with what they refer to; leave it out, and say \
                 of a migration that rebuilds tables `Code::rebuild`, or `RustMigration::is_rebuild`"
            );
            Err(StepError::doing("switch foreign keys off")(DbError::new(ErrorCode::Denied, message)))
        }
        Some(statement) => Err(StepError::OwnTransaction { statement, source: done.err() }),
        None => done.map_err(|source| StepError::of_code(source, conditions.interrupt)),
    }
}

/// Says what code of the program is to know of its run.
pub(super) fn context<'a>(step: &'a Step, conditions: &Conditions<'_>) -> RustContext<'a> {
    let migration = &step.migration;
    RustContext {
        chain: &step.chain,
        version: migration.version,
        name: &migration.name,
        dry_run: conditions.is_for_nothing(),
        started_at: u64::try_from(conditions.started_at.as_millisecond()).unwrap_or(0),
        seed: migration.checksum().seed(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use rusqlite::Connection;

    use super::*;
    use crate::model::RustMigration;
    use crate::source::Code;
    use crate::{Goal, Migrator, Until};

    /// What it was told each time.
    #[derive(Clone, Default)]
    struct Told(Arc<Mutex<Vec<String>>>);

    impl Told {
        fn hear(&self, way: &str, context: &RustContext<'_>) -> Result<(), RustError> {
            let RustContext { chain, version, name, dry_run, started_at, .. } = *context;
            assert!(started_at > 1_700_000_000_000, "{started_at}");
            self.0.lock().unwrap().push(format!("{way} {chain} {version} {name} dry={dry_run}"));
            Ok(())
        }
    }

    impl RustMigration for Told {
        fn up(&self, _: &mut Transaction<'_>, context: &RustContext<'_>) -> Result<(), RustError> {
            self.hear("up", context)
        }

        fn down(&self, _: &mut Transaction<'_>, context: &RustContext<'_>) -> Result<(), RustError> {
            self.hear("down", context)
        }

        fn is_reversible(&self) -> bool {
            true
        }
    }

    const TABLES: &str = "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p ON DELETE CASCADE); \
                          INSERT INTO p VALUES (1); INSERT INTO c VALUES (1);";
    const ANEW: &str = "CREATE TABLE q (id INTEGER PRIMARY KEY, x); INSERT INTO q (id) SELECT id FROM p; DROP TABLE p; \
                        ALTER TABLE q RENAME TO p;";

    fn run(code: Code) -> (Result<crate::Report, String>, i64) {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(TABLES).unwrap();
        connection.pragma_update(None, "foreign_keys", true).unwrap();
        let migrator = Migrator::builder().source(code).build().unwrap();
        let done = migrator.on(&mut connection, |migrator| migrator.up(Until::End)).map_err(|error| {
            let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
            causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
        });
        let enforced: bool = connection.query_row("PRAGMA foreign_keys", [], |row| row.get(0)).unwrap();
        assert!(enforced, "foreign keys are enforced again");
        (done, connection.query_row("SELECT count(*) FROM c", [], |row| row.get(0)).unwrap())
    }

    #[test]
    fn code_that_rebuilds_a_table_keeps_the_rows_that_refer_to_it() {
        let anew = |tx: &mut Transaction<'_>| Ok(tx.sqlite().unwrap().execute_batch(ANEW)?);
        let (done, rows) = run(Code::new().up(1, "anew", anew).rebuild());
        assert_eq!((done.unwrap().steps.len(), rows), (1, 1));
        // It may say what scripts say, though it is nothing.
        let says = |tx: &mut Transaction<'_>| {
            tx.sqlite().unwrap().execute_batch("PRAGMA foreign_keys = OFF")?;
            Ok(tx.sqlite().unwrap().execute_batch(ANEW)?)
        };
        let (done, rows) = run(Code::new().up(1, "anew", says).fingerprint("1").rebuild());
        assert_eq!((done.unwrap().steps.len(), rows), (1, 1));
        let (done, rows) = run(Code::new().up(1, "anew", says));
        let error = done.unwrap_err();
        assert!(error.contains("PRAGMA foreign_keys = OFF does nothing inside a transaction"), "{error}");
        assert_eq!(rows, 1);
        let breaks = |tx: &mut Transaction<'_>| Ok(tx.sqlite().unwrap().execute_batch("DELETE FROM p")?);
        let (done, rows) = run(Code::new().up(1, "breaks", breaks).rebuild());
        assert!(done.unwrap_err().contains("a row of c with rowid 1 has no parent in p"));
        assert_eq!(rows, 1);
    }

    #[test]
    fn code_is_told_of_its_run_as_components_are() {
        let told = Told::default();
        let migrator =
            Migrator::builder().source(Code::new().add(7, "note", told.clone())).chain("app").build().unwrap();
        let mut connection = Connection::open_in_memory().unwrap();
        migrator
            .on(&mut connection, |migrator| {
                migrator.dry_run(&Goal::LATEST)?;
                migrator.round_trip(&Goal::LATEST)?;
                migrator.run_twice(&Goal::LATEST)?;
                migrator.up(Until::End)?;
                migrator.down(Until::Steps(1))
            })
            .unwrap();
        let mut all = told.0.lock().unwrap().clone();
        let real = all.split_off(all.len() - 2);
        assert_eq!(real, ["up app 7 note dry=false", "down app 7 note dry=false"]);
        // Of the dry run, and of copies, which nobody keeps.
        assert!(all.len() > 3, "{all:?}");
        assert!(all.iter().all(|told| told.ends_with(" app 7 note dry=true")), "{all:?}");
    }
}
