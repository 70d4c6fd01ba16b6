//! Declares versions applied without running them, and writes the baseline that new databases start from.

use jiff::Timestamp;

use super::Migrator;
use crate::db::{Access, Session};
use crate::error::Error;
use crate::exec;
use crate::model::{Applied, AppliedState, Chain, Checksum, Record, Version};
use crate::plan::{self, Goal, PlanError, PlanProblem};

/// A baseline made of a database as it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Squashed {
    /// Name of the chain.
    pub chain: String,
    /// The version it stands for: the newest that is applied.
    pub version: Version,
    /// The script that makes the same schema in an empty database.
    pub script: String,
    /// Tables with rows, which the script does not bring: their names and how many.
    pub rows: Vec<(String, u64)>,
}

impl Migrator {
    /// Declares that the database has everything of a chain up to this version; nothing is run. Returns the row that was
    /// written, or would be written when `dry_run`.
    ///
    /// Refused when the history has migrations of the chain already, when there is no database, and when the version is
    /// above all that the chain has: what is still to be written would count as applied.
    pub fn baseline(&self, version: Version, dry_run: bool) -> Result<Applied, Error> {
        let chains = self.load(&self.interrupt)?;
        let chain = only_chain(&chains, version)?;
        let newest = chain.migrations().iter().chain(chain.baselines()).map(|migration| migration.version).max();
        if newest.is_some_and(|newest| version > newest) {
            return Err(PlanError { problems: vec![PlanProblem::UnknownTarget { version }] }.into());
        }
        let mut session = self.existing(Access::Write, &self.interrupt)?;
        let result = self.declare(session.as_mut(), chain, version, dry_run);
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
        dry_run: bool,
    ) -> Result<Applied, Error> {
        session.begin().map_err(|error| self.database_error(error))?;
        let rows = self.history.read(session, chain.name())?;
        if let Some(row) = rows.iter().find(|row| !row.repeatable) {
            let (migration, chain) = (row.title(), chain.name().to_owned());
            return Err(PlanError { problems: vec![PlanProblem::AlreadyBegun { migration, chain }] }.into());
        }
        let row = declared(chain, version);
        if !dry_run {
            self.history.ensure(session)?;
            self.history.import(session, std::slice::from_ref(&row))?;
            session.commit().map_err(|error| self.database_error(error))?;
        }
        Ok(row)
    }

    /// Makes a baseline of the database as it is: the schema that the applied migrations of the chain have made.
    /// Changes nothing.
    ///
    /// Refused while something of the chain is pending below the newest applied version, or dirty.
    pub fn squash(&self) -> Result<Squashed, Error> {
        let chains = self.load(&self.interrupt)?;
        let mut session = self.existing(Access::Read, &self.interrupt)?;
        let rows = self.history.read_all(session.as_mut())?;
        // Versions of other chains say nothing of this one.
        let is_active = |row: &Applied| chains.active().any(|chain| *chain.name() == *row.chain);
        let live = rows.iter().filter(|row| row.is_live() && !row.repeatable && is_active(row));
        let newest = live.max_by_key(|row| row.version).ok_or_else(nothing)?;
        let chain = only_chain(&chains, newest.version)?;
        plan::build(&chains, &rows, &Goal::up(plan::Until::Version(newest.version)), &self.rules)?;
        let own = self.history.tables();
        let options = self.options(&self.interrupt, false);
        let backend = self.backend()?;
        let squashed = exec::squash(session.as_mut(), &own, || backend.open_scratch(&options));
        let (script, rows) = squashed.map_err(|error| self.database_error(error))?;
        Ok(Squashed { chain: chain.name().to_owned(), version: newest.version, script, rows })
    }
}

fn nothing() -> Error {
    PlanError { problems: vec![PlanProblem::NothingApplied] }.into()
}

/// A version belongs to one chain, so there must be one only.
fn only_chain(chains: &crate::model::Chains, version: Version) -> Result<&Chain, Error> {
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

    #[test]
    fn squashes_up_to_the_newest_version_of_the_chain() {
        let folder = tempfile::tempdir().unwrap();
        let source = |file: &str, sql: &str| Memory::new("memory").file(file, sql);
        let builder = || {
            Migrator::builder()
                .source(source("1_note.sql", "CREATE TABLE note (x);"))
                .and_chain("other", source("7_task.sql", "CREATE TABLE task (x);"), Policy::default())
                .database(Sqlite::file(folder.path().join("app.db")))
        };
        builder().only(["other"]).build().unwrap().up(Until::End).unwrap();
        let main = builder().only(["main"]).build().unwrap();
        assert_eq!(main.squash().unwrap_err().to_string(), PlanProblem::NothingApplied.to_string());
        main.up(Until::End).unwrap();
        let squashed = main.squash().unwrap();
        assert_eq!((squashed.chain.as_str(), squashed.version), ("main", Version::from(1)));
    }
}
