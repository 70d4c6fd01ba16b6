//! Declares versions applied without running them, and writes the baseline that new databases start from.

use std::sync::Arc;

use jiff::Timestamp;

use super::Migrator;
use super::sources::Sound;
use crate::db::{Access, DbError, ErrorCode, Session};
use crate::error::Error;
use crate::exec;
use crate::history::History;
use crate::history::foreign::{self, Tool};
use crate::model::{
    Applied, AppliedState, Body, Chain, Chains, Checksum, Direction, Hook, Migration, Moment, Node, Placeholders,
    Placement, Record, Role, Script, Version,
};
use crate::plan::{self, Goal, PlanError, PlanProblem};
use crate::sql::{self, DirectiveProblem};

/// A baseline made of a database as it is.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Squashed {
    /// Name of the chain.
    pub chain: String,
    /// The version it stands for: the newest that is applied.
    pub version: Version,
    /// The script that makes the same schema in an empty database.
    pub script: String,
    /// It has marks in it such as names for values stand between, and says at its top that none is replaced.
    pub has_marks: bool,
    /// Tables with rows, which the script does not bring: their names and how many.
    pub rows: Vec<(String, u64)>,
}

/// What becomes of the row that declares a version.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Declared {
    Shown,
    Written,
}

impl Migrator {
    /// Returns the row that [`baseline`](Self::baseline) would write, or why it would be refused. Changes nothing.
    pub fn plan_baseline(&self, version: Version) -> Result<Applied, Error> {
        self.timed(|timed| timed.begin_after(version, Declared::Shown))
    }

    /// Declares that the database has everything of a chain up to this version; nothing is run. Returns the row that was
    /// written.
    ///
    /// Refused when the history has migrations of the chain already, when there is no database, and when the version is
    /// above all that the chain has: what is still to be written would count as applied.
    pub fn baseline(&self, version: Version) -> Result<Applied, Error> {
        self.timed(|timed| timed.begin_after(version, Declared::Written))
    }

    fn begin_after(&self, version: Version, becomes: Declared) -> Result<Applied, Error> {
        let chains = self.load(&self.interrupt)?;
        let chain = only_chain(&chains, version)?;
        check_not_above(chain, version)?;
        let mut session = self.existing(Access::Write, &self.interrupt)?;
        let result = self.declare(session.as_mut(), chain, version, becomes);
        if let Err(error) = session.rollback() {
            tracing::warn!("rollback failed: {error}");
        }
        result
    }

    fn declare(
        &self,
        session: &mut dyn Session,
        chain: &Chain,
        version: Version,
        becomes: Declared,
    ) -> Result<Applied, Error> {
        session.begin().map_err(|error| self.database_error(error))?;
        let rows = self.history.read(session, chain.name())?;
        if let Some(row) = rows.iter().find(|row| !row.repeatable) {
            let (migration, chain) = (row.title(), chain.name().to_owned());
            return Err(PlanError { problems: vec![PlanProblem::AlreadyBegun { migration, chain }] }.into());
        }
        let row = declared(chain, version);
        if becomes == Declared::Written {
            self.history.ensure(session)?;
            self.history.import(session, std::slice::from_ref(&row))?;
            session.commit().map_err(|error| self.database_error(error))?;
        }
        Ok(row)
    }

    /// Makes a baseline of the database as it is: the schema that the applied migrations of the chain have made.
    /// Changes nothing.
    ///
    /// Refused while something of the chain is pending below the newest applied version, in progress or dirty, while the
    /// chain has a baseline of that version, and where other chains have made something in the same database.
    pub fn squash(&self) -> Result<Squashed, Error> {
        self.timed(Self::squash_history)
    }

    fn squash_history(&self) -> Result<Squashed, Error> {
        // What hooks make is no part of it.
        let chains = self.load_to_run(Sound::All, &self.interrupt)?;
        let mut session = self.existing(Access::Read, &self.interrupt)?;
        // What is applied and what it has made, at one moment.
        session.begin_reading().map_err(|error| self.database_error(error))?;
        let result = self.squash_in(session.as_mut(), &chains);
        if let Err(error) = session.rollback() {
            tracing::warn!("rollback failed: {error}");
        }
        result
    }

    fn squash_in(&self, session: &mut dyn Session, chains: &Chains) -> Result<Squashed, Error> {
        let rows = self.history.read_all(session)?;
        // Versions of other chains say nothing of this one.
        let is_active = |row: &&Applied| chains.active().any(|chain| *chain.name() == *row.chain);
        let (own, others): (Vec<&Applied>, Vec<&Applied>) =
            rows.iter().filter(|row| row.is_live()).partition(is_active);
        let newest =
            own.iter().filter(|row| !row.repeatable).max_by_key(|row| row.version).ok_or_else(nothing)?.version;
        let chain = only_chain(chains, newest)?;
        let refuse = |problem| Err(PlanError { problems: vec![problem] }.into());
        if let Some(other) = others.first() {
            let (chain, other) = (chain.name().to_owned(), other.chain.to_string());
            return refuse(PlanProblem::NotAlone { needs: needs_others(chains), chain, other });
        }
        if let Some(other) = self.of_another_history(session)? {
            return refuse(PlanProblem::NotAlone { needs: None, chain: chain.name().to_owned(), other });
        }
        if let Some(baseline) = chain.baselines().iter().find(|baseline| baseline.version == newest) {
            return refuse(PlanProblem::BaselineIsThere { baseline: baseline.title(), file: baseline.file.clone() });
        }
        let plan = plan::build(chains, &rows, &Goal::Up(plan::Until::Version(newest)), &self.rules)?;
        if let Some(step) = plan.steps.first() {
            return refuse(PlanProblem::PendingBelow { migration: step.title(), newest });
        }
        let not_its_own = self.not_of_a_chain(session, &own)?;
        let concerned = |hook: &&Arc<Hook>| hook.concerns(chain.name(), Direction::Up);
        let at = |moment| chains.hooks().iter().filter(concerned).filter(move |hook| hook.moment == moment);
        let before: Vec<&Hook> = at(Moment::BeforeAll).chain(at(Moment::BeforeEach)).map(Arc::as_ref).collect();
        let options = self.options(&self.interrupt, false);
        let backend = self.backend()?;
        let read = |text| self.script_of(chain.name(), newest, text);
        let squashed = exec::squash(session, &not_its_own, &before, read, || backend.open_scratch(&options));
        let (script, rows) = squashed.map_err(|error| self.database_error(error))?;
        let has_marks = script.directives.placeholders.is_some();
        let script = script.text.into_owned();
        Ok(Squashed { chain: chain.name().to_owned(), version: newest, script, has_marks, rows })
    }

    /// Names a chain that is applied by another history in the same database, if there is one.
    fn of_another_history(&self, session: &mut dyn Session) -> Result<Option<String>, Error> {
        for history in self.history.others(session).map_err(|error| self.database_error(error))? {
            if let Some(row) = history.read_all(session)?.iter().find(|row| row.is_live()) {
                return Ok(Some(format!("{} of the history {}", row.chain, history.table())));
            }
        }
        Ok(None)
    }

    /// Returns the tables that no migration of a chain has made: those of histories, and of the tools that rows were taken
    /// over from.
    fn not_of_a_chain(&self, session: &mut dyn Session, rows: &[&Applied]) -> Result<Vec<String>, Error> {
        let mut tables = self.history.tables();
        let database = |error| self.database_error(error);
        for table in History::all(session).map_err(database)? {
            tables.extend(History::new(&table)?.tables());
        }
        let origins = rows.iter().filter_map(|row| row.origin.as_ref());
        let tools: Vec<Tool> = origins.filter_map(|origin| origin.tool.parse().ok()).collect();
        tables.extend(foreign::tables_of(session, &tools).map_err(database)?);
        Ok(tables)
    }

    /// Makes of a text the script that `up` would run. Names for values that stand in a schema are no names any more.
    fn script_of(&self, chain: &str, version: Version, text: String) -> Result<Script, DbError> {
        let prefix = self.placeholders.get(chain).map_or(Placeholders::PREFIX, Placeholders::prefix);
        let text = match [Placeholders::PREFIX, prefix].iter().any(|prefix| text.contains(prefix)) {
            true => format!("-- whimbrel: placeholders = off\n{text}"),
            false => text,
        };
        let unread = |problems: Vec<DirectiveProblem>| {
            let problems: Vec<String> = problems.into_iter().map(|problem| problem.message).collect();
            DbError::new(ErrorCode::Database, format!("the script could not be read: {}", problems.join("; ")))
        };
        let directives = sql::directives(&text).map_err(unread)?;
        let up = Script::new("the baseline", text.into(), directives);
        let body = Body::Sql { up, down: None };
        let placement = Placement { role: Role::Baseline, ..Placement::default() };
        let (name, file) = ("squashed".to_owned(), "the baseline".to_owned());
        let mut migration =
            Migration { version, name, placement, body, verify: None, asked: Vec::new(), manifest: None, file };
        self.fill(chain, Timestamp::now(), [&mut migration]);
        match migration.body {
            Body::Sql { up, .. } => Ok(up),
            _ => unreachable!("it is SQL"),
        }
    }
}

/// Names a migration of the active chains that depends on one of another chain, and that.
fn needs_others(chains: &Chains) -> Option<(String, String)> {
    let title = |node: &Node| chains.title(node.chain, &node.migration);
    chains.nodes().iter().filter(|node| chains.is_active(node.chain)).find_map(|node| {
        let mut needs = node.needs.iter().map(|need| &chains.nodes()[*need]);
        let other = needs.find(|need| !chains.is_active(need.chain))?;
        Some((title(node), title(other)))
    })
}

fn nothing() -> Error {
    PlanError { problems: vec![PlanProblem::NothingApplied] }.into()
}

/// Refuses a beginning above all that a chain has: what is still to be written would count as applied.
pub(super) fn check_not_above(chain: &Chain, version: Version) -> Result<(), PlanError> {
    let newest = chain.migrations().iter().chain(chain.baselines()).map(|migration| migration.version).max();
    match newest.is_some_and(|newest| version > newest) {
        true => Err(PlanError { problems: vec![PlanProblem::UnknownTarget { version }] }),
        false => Ok(()),
    }
}

/// A version belongs to one chain, so there must be one only.
fn only_chain(chains: &Chains, version: Version) -> Result<&Chain, Error> {
    let mut active = chains.active();
    match (active.next(), active.next()) {
        (Some(chain), None) => Ok(chain),
        _ => {
            let chains = chains.active().map(|chain| chain.name().to_owned()).collect();
            Err(PlanError { problems: vec![PlanProblem::AmbiguousTarget { version, chains }] }.into())
        }
    }
}

fn declared(chain: &Chain, version: Version) -> Applied {
    Applied {
        id: 0,
        chain: chain.name().into(),
        version,
        repeatable: false,
        name: chain.get(version).map_or_else(|| "baseline".to_owned(), |migration| migration.name.clone()),
        kind: plan::DECLARED.into(),
        state: AppliedState::Baseline,
        checksum: Checksum::of(b""),
        normalised_checksum: None,
        manifest_checksum: None,
        record: Some(Box::new(Record {
            applied_at: format!("{:.3}", Timestamp::now()),
            host_version: env!("CARGO_PKG_VERSION").into(),
            ..Record::default()
        })),
        functions: std::collections::BTreeMap::new(),
        rows_done: None,
        not_run: None,
        script: None,
        down_checksum: None,
        origin: None,
        engine: None,
        run_id: None,
        ended_at: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::sqlite::Sqlite;
    use crate::model::Policy;
    use crate::plan::Until;
    use crate::source::Memory;

    fn with(folder: &std::path::Path, source: Memory) -> crate::MigratorBuilder {
        Migrator::builder().source(source).database(Sqlite::file(folder.join("app.db")))
    }

    fn refused(migrator: &Migrator) -> String {
        migrator.squash().unwrap_err().to_string()
    }

    #[test]
    fn squashes_what_one_chain_has_made() {
        let folder = tempfile::tempdir().unwrap();
        let source = |file: &str, sql: &str| Memory::new("memory").file(file, sql);
        let chain = |name: &str| {
            with(folder.path(), source("1_note.sql", "CREATE TABLE note (x); PRAGMA user_version = 7;"))
                .and_chain("other", source("7_task.sql", "CREATE TABLE task (x);"), Policy::default())
                .only([name])
                .build()
                .unwrap()
        };
        assert!(matches!(chain("main").squash(), Err(Error::Missing { .. })));
        chain("main").up(Until::End).unwrap();
        assert_eq!(refused(&chain("other")), PlanProblem::NothingApplied.to_string());
        let squashed = chain("main").squash().unwrap();
        assert_eq!((squashed.chain.as_str(), squashed.version), ("main", Version::from(1)));
        assert_eq!(squashed.script, "CREATE TABLE note (x);\n\nPRAGMA user_version = 7;\n");
        chain("other").up(Until::End).unwrap();
        let alone = PlanProblem::NotAlone { chain: "main".to_owned(), other: "other".to_owned(), needs: None };
        assert_eq!(refused(&chain("main")), alone.to_string());
    }

    #[test]
    fn refuses_a_baseline_that_would_not_stand_for_its_version() {
        let folder = tempfile::tempdir().unwrap();
        let source =
            || Memory::new("memory").file("1_a.sql", "CREATE TABLE a (x);").file("3_c.sql", "CREATE TABLE c (x);");
        with(folder.path(), source()).build().unwrap().up(Until::End).unwrap();
        let overtaken = "-- whimbrel: out_of_order = allow\nCREATE TABLE b (x);";
        let late = with(folder.path(), source().file("2_b.sql", overtaken)).build().unwrap();
        assert_eq!(refused(&late), "migration 2 b is not applied, and a baseline of 3 would have it in it");
        let there = with(folder.path(), source().file("3_all.baseline.sql", "CREATE TABLE a (x);")).build().unwrap();
        assert_eq!(refused(&there), "there is a baseline of this version already: 3 all (memory/3_all.baseline.sql)");
        let halfway = "-- whimbrel: transaction = none\nCREATE TABLE d (x);\nINSERT INTO nowhere VALUES (1);";
        let halfway = with(folder.path(), source().file("4_d.sql", halfway)).build().unwrap();
        halfway.up(Until::End).unwrap_err();
        assert_eq!(refused(&halfway), "migration 4 d is not applied, and a baseline of 4 would have it in it");
    }

    #[test]
    fn a_schema_that_looks_like_names_for_values_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let off = "-- whimbrel: placeholders = off\nCREATE TABLE a (x DEFAULT '${tenant} ${other}');";
        let source =
            || Memory::new("memory").file("1_a.sql", off).file("2_b.sql", "CREATE TABLE b (x DEFAULT '#[v]#');");
        let placeholders = || Placeholders::new().set("tenant", "acme").set("v", "${other}").marks("#[", "]#");
        let with = |source| with(folder.path(), source).placeholders(placeholders());
        with(source()).build().unwrap().up(Until::End).unwrap();
        let squashed = with(source()).build().unwrap().squash().unwrap();
        assert_eq!(
            squashed.script,
            "-- whimbrel: placeholders = off\nCREATE TABLE a (x DEFAULT '${tenant} ${other}');\n\n\
             CREATE TABLE b (x DEFAULT '${other}');\n"
        );
        assert!(squashed.has_marks);
        let new = source().file("2_all.baseline.sql", squashed.script);
        let new = with(new).database(Sqlite::file(folder.path().join("new.db"))).build().unwrap();
        assert_eq!(new.up(Until::End).unwrap().steps.len(), 1);
        let schema = |file: &str| -> String {
            let connection = rusqlite::Connection::open(folder.path().join(file)).unwrap();
            let sql = "SELECT group_concat(sql) FROM sqlite_schema WHERE name IN ('a', 'b')";
            connection.query_row(sql, [], |row| row.get(0)).unwrap()
        };
        assert_eq!(schema("new.db"), schema("app.db"));
    }

    #[test]
    fn tables_of_histories_and_tools_and_hooks_are_no_part_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let source = || Memory::new("memory").file("1_note.sql", "CREATE TABLE note (x);");
        let connection = rusqlite::Connection::open(folder.path().join("app.db")).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE note (x); CREATE TABLE schema_migrations (version uint64, dirty bool); \
                 INSERT INTO schema_migrations VALUES (1, 0); CREATE UNIQUE INDEX version_unique ON schema_migrations (version);",
            )
            .unwrap();
        with(folder.path(), source()).build().unwrap().adopt(&foreign::Choice::default()).unwrap();
        let other = Memory::new("memory").file("7_task.up.sql", "CREATE TABLE task (x);");
        let other = other.file("7_task.down.sql", "DROP TABLE task;");
        let other = with(folder.path(), other).chain("other").history_table("other_history").build().unwrap();
        other.up(Until::End).unwrap();
        let later = || source().file("2_more.sql", "CREATE TABLE more (x);");
        let start = Hook::sql(Moment::BeforeAll, "start", "CREATE TABLE IF NOT EXISTS started (x);");
        let needs = Hook::sql(Moment::BeforeEach, "needs", "INSERT INTO note VALUES (1);");
        let later = with(folder.path(), later()).hook(start).hook(needs).build().unwrap();
        later.up(Until::End).unwrap();
        let of_both = PlanProblem::NotAlone {
            chain: "main".to_owned(),
            other: "other of the history other_history".to_owned(),
            needs: None,
        };
        assert_eq!(refused(&later), of_both.to_string());
        other.down(Until::End).unwrap();
        let squashed = later.squash().unwrap();
        assert_eq!(squashed.script, "CREATE TABLE note (x);\n\nCREATE TABLE more (x);\n");
    }

    #[test]
    fn says_when_no_database_has_a_chain_alone() {
        let folder = tempfile::tempdir().unwrap();
        let one = Memory::new("memory").file("1_a.sql", "-- whimbrel: depends_on = other:7\nCREATE TABLE a (x);");
        let other = Memory::new("memory").file("7_b.sql", "CREATE TABLE b (x);");
        let both = |one| with(folder.path(), one).and_chain("other", other, Policy::default());
        let migrator = both(one).only(["main"]).build().unwrap();
        Migrator { only: Vec::new(), ..migrator.clone() }.up(Until::End).unwrap();
        let Err(Error::Plan(error)) = migrator.squash() else { panic!("it is not alone") };
        let needs = match error.problems.as_slice() {
            [PlanProblem::NotAlone { needs, .. }] => needs.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(needs, Some(("main:1 a".to_owned(), "other:7 b".to_owned())));
    }
}
