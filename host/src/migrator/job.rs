//! One run to one goal: plans, prepares, and only then changes anything.

use super::Migrator;
use super::kept::with_kept;
use crate::db::{DbError, Session};
use crate::error::Error;
use crate::exec::{self, Conditions, Event, Report};
use crate::interrupt::Interrupt;
use crate::model::{Applied, AppliedState, Chains};
use crate::plan::{Direction, Goal};

/// One run to one goal.
pub(super) struct Job<'a> {
    pub(super) migrator: &'a Migrator,
    pub(super) interrupt: &'a Interrupt,
    pub(super) chains: Chains,
    pub(super) goal: Goal,
    pub(super) dry_run: bool,
}

impl Job<'_> {
    /// Plans, prepares, and only then opens a database that does not exist yet.
    pub(super) fn run(
        &self,
        existing: Option<Box<dyn Session>>,
        open: impl FnOnce() -> Result<Box<dyn Session>, DbError>,
    ) -> Result<Report, Error> {
        let migrator = self.migrator;
        let mut existing = existing;
        let rows = match &mut existing {
            Some(session) => self.rows(session.as_mut())?,
            None => Vec::new(),
        };
        if let Some(session) = existing.as_mut().filter(|_| !rows.iter().any(Applied::is_live))
            && self.goal.direction() == Direction::Up
        {
            self.tell_other_histories(session.as_mut());
        }
        // By a run that was killed: while one goes on, nobody else reads.
        let was_kept = match &mut existing {
            Some(session) if !rows.is_empty() && !self.dry_run => migrator.history.is_marked_kept(session.as_mut())?,
            Some(_) | None => false,
        };
        let kept = match &mut existing {
            Some(session) => {
                migrator.find_kept(&migrator.history, session.as_mut(), &self.chains, &rows, &self.goal)?
            }
            None => Default::default(),
        };
        let chains = with_kept(&self.chains, kept);
        let plan = migrator.draw_up(&chains, &rows, &self.goal)?;
        let applied = rows.iter().filter(|row| row.is_live() && self.is_active(row)).count();
        tracing::debug!(applied, steps = plan.steps.len(), "planned");
        // Flyway runs some of its callbacks each time; in a database that is not there they would find nothing.
        let has_hooks = !plan.hooks.is_empty() && existing.is_some();
        let unnamed_chains = plan.unnamed_chains.clone();
        if plan.steps.is_empty() && !has_hooks {
            if let Some(session) = existing.as_mut().filter(|_| was_kept) {
                exec::give_back(session.as_mut(), &migrator.history);
            }
            let warnings = plan.warnings;
            return Ok(Report { dry_run: self.dry_run, applied, warnings, unnamed_chains, ..Report::default() });
        }
        let prepared = migrator.prepare(plan, &chains, self.interrupt)?;
        if migrator.single_transaction {
            exec::check_single(&prepared)?;
        }
        #[cfg(feature = "wasm")]
        if let Some(session) = &mut existing {
            exec::check_transforms(session.as_mut(), &prepared)?;
        }
        let mut history = migrator.history.clone();
        if let Some(session) = &mut existing {
            session.check_fit().map_err(|error| migrator.database_error(error))?;
            if prepared.has_guests() {
                history = history.beside_others(session.as_mut()).map_err(|error| migrator.database_error(error))?;
            }
        }
        let session = match existing {
            Some(session) => session,
            None => open().map_err(|error| migrator.database_error(error))?,
        };
        let conditions = migrator.conditions(&chains, self.goal, self.interrupt, self.dry_run);
        let conditions = Conditions { history: &history, ..conditions };
        let run = match (self.dry_run, migrator.single_transaction) {
            (true, _) => exec::dry_run,
            (false, true) => exec::run_single,
            (false, false) => exec::run,
        };
        let (mut session, result) = run(session, &prepared, &conditions);
        if was_kept && result.is_ok() {
            exec::give_back(session.as_mut(), &migrator.history);
        }
        match result {
            Ok(done) => Ok(Report { applied, unnamed_chains, ..done }),
            Err(mut error) => {
                error.done.unnamed_chains = unnamed_chains;
                Err(error.into())
            }
        }
    }

    /// Tells, before anything is run, what other tools have applied: a migration that does nothing the second time, or twice as
    /// much, would not tell. Whatever is in the way of that, there is another error to tell.
    fn tell_other_histories(&self, session: &mut dyn Session) {
        let found = self.migrator.other_histories_in(session).unwrap_or_default();
        if !found.is_empty() {
            self.migrator.observer.event(&Event::OtherHistories { found: &found });
        }
    }

    fn is_active(&self, row: &Applied) -> bool {
        self.chains.index(&row.chain).is_some_and(|chain| self.chains.is_active(chain))
    }

    /// Reads the history; a step that another process is running outside a transaction is waited for.
    fn rows(&self, session: &mut dyn Session) -> Result<Vec<Applied>, Error> {
        let migrator = self.migrator;
        let rows = migrator.history.read_to_decide(session)?;
        if rows.iter().all(|row| row.state != AppliedState::Started || !self.is_active(row)) {
            return Ok(rows);
        }
        // Read with the lock held: otherwise the next such step could have begun meanwhile.
        let lock = session.lock_run(None).map_err(|error| migrator.database_error(error))?;
        let rows = migrator.history.read_to_decide(session);
        drop(lock);
        Ok(rows?)
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::Until;
    use crate::model::{Policy, Trust};
    use crate::source::Memory;

    fn memory(files: &[(&'static str, &'static str)]) -> Memory {
        files.iter().fold(Memory::new("memory"), |source, (name, text)| source.file(*name, *text))
    }

    fn up(files: &[(&'static str, &'static str)], connection: &mut Connection) -> Result<Report, Error> {
        Migrator::builder().source(memory(files)).build()?.on(connection, |migrator| migrator.up(Until::End))
    }

    /// An error with everything under it.
    fn told(error: &dyn std::error::Error) -> String {
        let causes = std::iter::successors(Some(error), |error| error.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    #[test]
    fn a_lent_connection_whose_temporary_table_would_take_the_rows_is_refused() {
        let note = [("1_note.sql", "CREATE TABLE note (x); INSERT INTO note VALUES (1);")];
        let shadows = "the connection has a temporary table called note, like one of the database";
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TEMP TABLE NOTE (x)").unwrap();
        let error = up(&note, &mut connection).unwrap_err();
        assert!(told(&error).contains(shadows), "{}", told(&error));
        let rows =
            "SELECT (SELECT count(*) FROM temp.note) + (SELECT count(*) FROM main.sqlite_schema WHERE name = 'note')";
        let left: i64 = connection.query_row(rows, [], |row| row.get(0)).unwrap();
        assert_eq!(left, 0, "everything is rolled back");
        // One that stands in the way from the start is told before anything is run.
        connection.execute_batch("DROP TABLE temp.note").unwrap();
        up(&note, &mut connection).unwrap();
        connection.execute_batch("CREATE TEMP VIEW note AS SELECT 7 AS x").unwrap();
        let more = [note[0], ("2_more.sql", "CREATE TABLE more (x);")];
        let error = up(&more, &mut connection).unwrap_err();
        assert!(matches!(error, Error::Database { .. }), "{error:?}");
        assert!(told(&error).contains("a temporary view called note"), "{}", told(&error));
        up(&note, &mut connection).unwrap();
    }

    #[test]
    fn a_lent_connection_that_only_reads_is_told_as_that() {
        let note = [("1_note.sql", "CREATE TABLE note (x);")];
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("PRAGMA query_only = ON").unwrap();
        let error = up(&note, &mut connection).unwrap_err();
        assert!(told(&error).contains("`PRAGMA query_only`"), "{}", told(&error));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("app.db");
        Connection::open(&file).unwrap().execute_batch("CREATE TABLE other (x)").unwrap();
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let mut connection = Connection::open_with_flags(&file, flags).unwrap();
        let error = up(&note, &mut connection).unwrap_err();
        assert!(told(&error).contains("was opened to read only"), "{}", told(&error));
    }

    #[test]
    fn a_rebuild_tells_of_a_temporary_trigger_that_went_with_its_table() {
        let first = ("1_a.sql", "CREATE TABLE a (x);");
        let mut connection = Connection::open_in_memory().unwrap();
        up(&[first], &mut connection).unwrap();
        connection.execute_batch("CREATE TEMP TRIGGER heard AFTER INSERT ON main.a BEGIN SELECT 1; END").unwrap();
        let rebuild = "-- whimbrel: rebuild\nCREATE TABLE b (x INTEGER);\nDROP TABLE a;\nALTER TABLE b RENAME TO a;";
        let report = up(&[first, ("2_rebuild.sql", rebuild)], &mut connection).unwrap();
        let warnings: Vec<&str> = report.all_warnings().map(|warning| warning.message.as_str()).collect();
        assert_eq!(warnings, ["went with the table that was dropped: the temporary trigger heard of a"]);
    }

    #[test]
    fn everything_that_a_policy_refuses_is_told_with_its_chain() {
        let of = |namespace: &str| Policy {
            trust: Trust::Untrusted { namespace: namespace.to_owned() },
            ..Policy::default()
        };
        let asks = |manifest: &'static str, sql: &'static str| memory(&[("1_x.sql", sql), ("1_x.toml", manifest)]);
        let migrator = Migrator::builder()
            .source(memory(&[("1_x.sql", "CREATE TABLE note (x);")]))
            .and_chain("a", asks("[grants]\nread = ['note']", "SELECT 1;"), of("a_"))
            .and_chain("b", asks("[grants]\nread = ['note']\n[limits]\nfuel = 900000000000000", "SELECT 1;"), of("b_"))
            .and_chain("c", asks("[grants]\nread = ['c_x']", "-- whimbrel: transaction = none\nSELECT 1;"), of("c_"))
            .build()
            .unwrap();
        let mut connection = Connection::open_in_memory().unwrap();
        let error = migrator.on(&mut connection, |migrator| migrator.up(Until::End)).unwrap_err().to_string();
        for said in [
            "migration a:1 x asks for more than it is given: read = [\"note\"]",
            "migration b:1 x asks for more than it is given: read = [\"note\"]",
            "migration b:1 x asks for fuel 900000000000000",
            "migration c:1 x is held to grants and may not run outside a transaction",
        ] {
            assert!(error.contains(said), "{said}: {error}");
        }
    }

    #[test]
    fn the_history_of_another_migrator_is_out_of_the_reach_of_guests() {
        let mut connection = Connection::open_in_memory().unwrap();
        let own = memory(&[("1_own.sql", "CREATE TABLE own (x);")]);
        let library = Migrator::builder().source(own).chain("lib").history_table("lib_history").build().unwrap();
        library.on(&mut connection, |migrator| migrator.up(Until::End)).unwrap();
        for (script, manifest) in [
            ("DROP TABLE lib_history;", "[grants]\ndrop = ['lib_history']"),
            ("DELETE FROM lib_history;", "[grants]\ndelete = ['lib_*']"),
            ("CREATE TABLE lib_x AS SELECT name FROM lib_history;", "[grants]\ncreate = ['lib_*']\nread = ['lib_*']"),
        ] {
            let trust = Trust::Untrusted { namespace: "lib_".to_owned() };
            let policy = Policy { trust, ..Policy::default() };
            let harm = memory(&[("1_harm.sql", script), ("1_harm.toml", manifest)]);
            let migrator = Migrator::builder().source(harm).chain("harm").policy(policy).build().unwrap();
            let error = migrator.on(&mut connection, |migrator| migrator.up(Until::End)).unwrap_err();
            assert!(told(&error).contains("the table is the host's own"), "{script}: {}", told(&error));
        }
    }
}
