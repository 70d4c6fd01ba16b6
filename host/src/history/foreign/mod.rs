//! Takes over what another tool knows of a database: finds its table, compares its checksums with the files, makes rows
//! of ours. Reads the other tool's table; only where that is asked for, each later step writes it as the tool would.

pub mod checksum;
mod find;
mod lock;
mod mirror;
mod read;
mod row;
mod tool;
mod verdict;

use jiff::Timestamp;

pub use find::ForeignTable;
pub use lock::advisory_key;
pub(crate) use mirror::{Done, Mirror};
pub use tool::{Takeover, Tool, UnknownTool};
pub use verdict::Verdict;

use row::{ForeignRow, ForeignState};

use crate::db::{DbError, Session};
use crate::model::{Applied, AppliedState, Body, Chain, Checksum, Migration, Origin, Role, Version, VersionError};

/// What to take over.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Choice {
    /// The tool; found out unless set.
    pub tool: Option<Tool>,
    /// Its table; found out unless set.
    pub table: Option<String>,
    /// Take migrations over although their files are not what the tool applied.
    pub accept_changed: bool,
    /// Where the chain begins after a history of which only a baseline can be taken over; 0 unless set: everything in
    /// the chain is still to come.
    pub baseline: Option<Version>,
    /// Go on writing the tool's table, so that there is a way back.
    pub keep_writing: bool,
}

/// A history taken over, or one that would be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Adoption {
    /// The table it came from.
    pub from: ForeignTable,
    /// What was made of each of its rows.
    pub migrations: Vec<Adopted>,
    /// Migrations of the chain that the tool has not applied: version and name.
    pub pending: Vec<String>,
    /// Pending migrations that mention the tool's table: version and name.
    pub mentions: Vec<String>,
    /// Nothing was written.
    pub dry_run: bool,
    /// The tool's table goes on being written.
    pub keep_writing: bool,
}

/// A migration taken over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Adopted {
    /// The row as it is in our history.
    pub row: Applied,
    /// What the chain calls it; `None` when the chain does not have it.
    pub file: Option<String>,
    /// What became of its checksum.
    pub verdict: Verdict,
}

/// Why a history was not taken over. Nothing has changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// There is no database.
    #[error("there is no database yet")]
    NoDatabase,
    /// No table looks like a history.
    #[error("{}", not_found(choice))]
    NotFound {
        /// What was looked for.
        choice: Choice,
    },
    /// Several tables look like one.
    #[error("several tables look like histories: {}", tables(found))]
    Several {
        /// The tables.
        found: Vec<ForeignTable>,
    },
    /// The history must go into one chain, and several are meant.
    #[error("there are several chains: {}", chains.join(", "))]
    SeveralChains {
        /// Their names.
        chains: Vec<String>,
    },
    /// The chain has a history of ours already.
    #[error("the history of chain {chain} has {rows} rows already")]
    Begun {
        /// The chain.
        chain: String,
        /// How many rows there are.
        rows: usize,
    },
    /// Somebody else is migrating.
    #[error("{tool} is migrating this database: {by} holds its lock")]
    Locked {
        /// The tool.
        tool: Tool,
        /// Who.
        by: String,
    },
    /// Its table cannot go on being written.
    #[error("the history of {tool} cannot be kept up to date: {reason}")]
    KeepWriting {
        /// The tool.
        tool: Tool,
        /// Why.
        reason: &'static str,
    },
    /// The history says what nobody should build upon.
    #[error("the history of {tool} cannot be taken over as it is")]
    Stopped {
        /// The tool.
        tool: Tool,
        /// Its table.
        table: String,
        /// What is in the way; at least one.
        problems: Vec<AdoptProblem>,
    },
    /// The database refused.
    #[error("cannot read the history of another tool")]
    Database {
        /// What the database said.
        #[source]
        source: DbError,
    },
}

/// What is in the way of taking a history over.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum AdoptProblem {
    /// A migration began and did not finish, or failed.
    Unfinished {
        /// What the tool calls it.
        migration: String,
        /// What the tool says.
        reason: String,
    },
    /// The file of an applied migration is another one now.
    Changed {
        /// Version and name.
        migration: String,
        /// The file.
        file: String,
        /// What the tool kept.
        recorded: String,
        /// What it would keep now.
        found: String,
    },
    /// A version that is none of ours.
    Version {
        /// What the tool calls it.
        migration: String,
        /// Why.
        source: VersionError,
    },
    /// The tool has recorded a version for which there is no migration, and its table holds only how far it came.
    NoSuchVersion {
        /// The version.
        version: Version,
    },
}

impl std::fmt::Display for AdoptProblem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unfinished { migration, reason } => {
                write!(formatter, "{} is not finished: {}", migration.escape_debug(), reason.escape_debug())
            }
            Self::Changed { migration, file, .. } => {
                write!(formatter, "{migration} was changed after it was applied: {file}")
            }
            Self::Version { migration, source } => write!(formatter, "{}: {source}", migration.escape_debug()),
            Self::NoSuchVersion { version } => {
                write!(formatter, "the database is at version {version}, and there is no such migration")
            }
        }
    }
}

fn not_found(choice: &Choice) -> String {
    match (choice.tool, &choice.table) {
        (None, None) => "no table looks like the history of another tool".to_owned(),
        (Some(tool), None) => format!("no table looks like the history of {tool}"),
        (None, Some(table)) => format!("the table {} does not look like a history", table.escape_debug()),
        (Some(tool), Some(table)) => {
            format!("the table {} does not look like the history of {tool}", table.escape_debug())
        }
    }
}

fn tables(found: &[ForeignTable]) -> String {
    let names = found.iter().map(|found| format!("{} ({})", found.table.escape_debug(), found.tool));
    names.collect::<Vec<_>>().join(", ")
}

impl From<DbError> for AdoptError {
    fn from(source: DbError) -> Self {
        Self::Database { source }
    }
}

/// Reads the history of another tool and makes rows of ours. Writes nothing.
pub(crate) fn take_over(
    session: &mut dyn Session,
    chain: &Chain,
    choice: &Choice,
    own_table: &str,
) -> Result<Adoption, AdoptError> {
    let from = choose(session, choice, own_table)?;
    let cannot = |reason| AdoptError::KeepWriting { tool: from.tool, reason };
    if choice.keep_writing && !from.tool.can_be_written() {
        return Err(cannot("what it would write of a migration that it has not run is not known"));
    }
    if let Some(by) = read::locked_by(session, &from)? {
        return Err(AdoptError::Locked { tool: from.tool, by });
    }
    let rows = read::read(session, &from)?;
    let now = Timestamp::now().to_string();
    let maker = Maker { tool: from.tool, chain, choice, now: &now };
    let (migrations, problems) = maker.make(rows);
    if !problems.is_empty() {
        return Err(AdoptError::Stopped { tool: from.tool, table: from.table, problems });
    }
    if choice.keep_writing && migrations.is_empty() {
        return Err(cannot("it has applied nothing yet"));
    }
    let floor =
        migrations.iter().filter(|adopted| adopted.row.state == AppliedState::Baseline).map(|a| a.row.version).max();
    let is_done = |migration: &Migration| match migration.role() {
        Role::Repeatable => {
            migrations.iter().any(|adopted| adopted.row.repeatable && adopted.row.name == migration.name)
        }
        Role::Baseline => true,
        Role::Versioned => {
            floor.is_some_and(|floor| migration.version <= floor)
                || migrations.iter().any(|adopted| !adopted.row.repeatable && adopted.row.version == migration.version)
        }
    };
    let all = chain.migrations().iter().chain(chain.repeatables());
    let pending: Vec<_> = all.filter(|migration| !is_done(migration)).collect();
    let mentions = pending.iter().filter(|migration| mentions(migration, &from.table));
    Ok(Adoption {
        mentions: mentions.map(|migration| migration.title()).collect(),
        pending: pending.iter().map(|migration| migration.title()).collect(),
        migrations,
        from,
        dry_run: false,
        keep_writing: choice.keep_writing,
    })
}

fn mentions(migration: &Migration, table: &str) -> bool {
    match &migration.body {
        Body::Sql { up, .. } => up.text.contains(table),
        Body::Component { .. } | Body::Transform { .. } | Body::Script { .. } | Body::Rust(_) => false,
    }
}

fn choose(session: &mut dyn Session, choice: &Choice, own_table: &str) -> Result<ForeignTable, AdoptError> {
    let mut found = find::find(session)?;
    found.retain(|found| {
        found.table != own_table
            && choice.tool.is_none_or(|tool| tool == found.tool)
            && choice.table.as_ref().is_none_or(|table| table.eq_ignore_ascii_case(&found.table))
    });
    match found.len() {
        0 => Err(AdoptError::NotFound { choice: choice.clone() }),
        1 => Ok(found.remove(0)),
        _ => Err(AdoptError::Several { found }),
    }
}

/// Makes rows of ours out of rows of a tool.
struct Maker<'a> {
    tool: Tool,
    chain: &'a Chain,
    choice: &'a Choice,
    now: &'a str,
}

impl Maker<'_> {
    fn make(&self, rows: Vec<ForeignRow>) -> (Vec<Adopted>, Vec<AdoptProblem>) {
        let mut problems = Vec::new();
        let rows = if self.tool == Tool::GolangMigrate { self.up_to(rows, &mut problems) } else { rows };
        if self.tool.takeover() == Takeover::Baseline {
            return (self.baseline(&rows).into_iter().collect(), problems);
        }
        let mut adopted = Vec::new();
        for row in rows {
            match self.row(&row) {
                Ok(row) => adopted.push(row),
                Err(problem) => problems.push(problem),
            }
        }
        (adopted, problems)
    }

    /// Makes a row for each migration up to the one number that the tool keeps.
    fn up_to(&self, rows: Vec<ForeignRow>, problems: &mut Vec<AdoptProblem>) -> Vec<ForeignRow> {
        let Some(last) = rows.into_iter().next() else { return Vec::new() };
        let version = match (&last.state, self.version(&last)) {
            (ForeignState::Failed(_), _) => return vec![last],
            (_, Err(problem)) => {
                problems.push(problem);
                return Vec::new();
            }
            (_, Ok(version)) => version,
        };
        let versions: Vec<Version> = self
            .chain
            .migrations()
            .iter()
            .filter(|migration| migration.role() == Role::Versioned && migration.version <= version)
            .map(|migration| migration.version)
            .collect();
        if versions.last() != Some(&version) {
            problems.push(AdoptProblem::NoSuchVersion { version });
        }
        versions.into_iter().map(|version| ForeignRow { version: Some(version.to_string()), ..last.clone() }).collect()
    }

    /// Makes one row that says where the chain begins.
    fn baseline(&self, rows: &[ForeignRow]) -> Option<Adopted> {
        let versions: Vec<&str> = rows.iter().filter_map(|row| row.version.as_deref()).collect();
        let newest = rows.first()?;
        let known = rows.iter().filter(|_| self.tool == Tool::Tern).find_map(|row| self.version(row).ok());
        let version = self.choice.baseline.or(known).unwrap_or(Version::from(0));
        let origin = Some(versions.join(", ")).filter(|text| !text.is_empty());
        let mut row = self.applied(version, format!("from_{}", self.tool), newest, None);
        declare(&mut row);
        row.origin = Some(Origin { tool: self.tool.to_string(), version: origin, checksum: newest.checksum.clone() });
        Some(Adopted { row, file: None, verdict: Verdict::Unverifiable("its migrations are not scripts of a chain") })
    }

    fn row(&self, row: &ForeignRow) -> Result<Adopted, AdoptProblem> {
        let called = [row.version.as_deref(), row.name.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        if let ForeignState::Failed(reason) = &row.state {
            return Err(AdoptProblem::Unfinished { migration: called, reason: reason.clone() });
        }
        if row.version.is_none() {
            return Ok(self.repeatable(row));
        }
        let version = self.version(row)?;
        let migration = self.chain.migrations().iter().find(|m| m.role() == Role::Versioned && m.version == version);
        let verdict = match migration {
            Some(migration) => verdict::judge(self.tool, self.chain, migration, row.checksum.as_deref()),
            None => Verdict::Unverifiable("the chain does not have it"),
        };
        if let (Verdict::Differs { recorded, found }, Some(migration), false) =
            (&verdict, migration, self.choice.accept_changed)
        {
            let (recorded, found) = (recorded.clone(), found.clone());
            let (migration, file) = (migration.title(), migration.file.clone());
            return Err(AdoptProblem::Changed { migration, file, recorded, found });
        }
        let name = row.name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| "unnamed".to_owned());
        let mut applied = self.applied(version, name, row, migration.map(|migration| &**migration));
        // There never will be files for these, so nobody is to miss them.
        let has_no_file = migration.is_none() && self.tool.has_code_only();
        if row.state == ForeignState::Baseline || has_no_file {
            declare(&mut applied);
        }
        Ok(Adopted { row: applied, file: migration.map(|migration| migration.file.clone()), verdict })
    }

    /// A repeatable migration whose file has changed since is to be run again, and not refused.
    fn repeatable(&self, row: &ForeignRow) -> Adopted {
        let name = row.name.clone().unwrap_or_default();
        let same = |migration: &&std::sync::Arc<Migration>| {
            migration.role() == Role::Repeatable && migration.name.replace(' ', "_") == name
        };
        let migration = self.chain.repeatables().iter().find(same);
        let verdict = match migration {
            Some(migration) => verdict::judge(self.tool, self.chain, migration, row.checksum.as_deref()),
            None => Verdict::Unverifiable("the chain does not have it"),
        };
        let mut applied = self.applied(Version::from(0), name, row, migration.map(|migration| &**migration));
        applied.repeatable = true;
        if matches!(verdict, Verdict::Differs { .. }) {
            applied.checksum = stand_in(row);
            applied.normalised_checksum = None;
        }
        Adopted { row: applied, file: migration.map(|migration| migration.file.clone()), verdict }
    }

    fn applied(&self, version: Version, name: String, row: &ForeignRow, migration: Option<&Migration>) -> Applied {
        Applied {
            id: 0,
            chain: self.chain.name().into(),
            version,
            repeatable: false,
            name: migration.map_or(name, |migration| migration.name.clone()),
            kind: migration.map_or("sql", |migration| migration.kind().as_str()).into(),
            state: AppliedState::Applied,
            checksum: migration.map_or_else(|| stand_in(row), Migration::checksum),
            normalised_checksum: migration.and_then(Migration::normalised_checksum),
            manifest_checksum: migration.and_then(Migration::manifest_checksum),
            applied_at: row.applied_at.clone().unwrap_or_else(|| self.now.to_owned()),
            duration: row.duration,
            rows_changed: 0,
            statements: 0,
            fuel: None,
            operations: 0,
            host_version: env!("CARGO_PKG_VERSION").into(),
            rows_done: None,
            not_run: None,
            script: None,
            down_checksum: migration.and_then(Migration::down_checksum),
            origin: Some(Origin {
                tool: self.tool.to_string(),
                version: row.version.clone(),
                checksum: row.checksum.clone(),
            }),
            engine: None,
            run_id: None,
            ended_at: None,
            functions: Default::default(),
        }
    }

    /// Reads the version that a tool wrote in its own way.
    fn version(&self, row: &ForeignRow) -> Result<Version, AdoptProblem> {
        let written = row.version.clone().unwrap_or_default();
        let digits = match self.tool {
            Tool::Prisma => written.split_once('_').map_or(written.as_str(), |(version, _)| version).to_owned(),
            Tool::SeaOrm => {
                let mut parts = written.trim_start_matches('m').splitn(3, '_');
                format!("{}{}", parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
            }
            Tool::Diesel => written.replace('-', ""),
            Tool::Flyway => written.replace('_', "."),
            _ => written.clone(),
        };
        Version::parse(&digits).map_err(|source| AdoptProblem::Version { migration: written, source })
    }
}

/// Makes a row one that only declares: it is there without anything having been run by us.
fn declare(row: &mut Applied) {
    row.state = AppliedState::Baseline;
    row.kind = "baseline".into();
}

/// Stands for the checksum of a body that nobody has.
fn stand_in(row: &ForeignRow) -> Checksum {
    Checksum::of(row.checksum.as_deref().unwrap_or_default().as_bytes())
}
