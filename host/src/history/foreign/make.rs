//! Makes rows of ours out of the rows of another tool.

use jiff::Timestamp;

use super::mirror::written;
use super::row::{ForeignRow, ForeignState};
use super::verdict::{self, Verdict};
use super::{AdoptProblem, Adopted, Choice, Takeover, Tool};
use crate::model::{Applied, AppliedState, Chain, Checksum, Migration, Origin, Record, Role, Version};

/// Makes rows of ours out of rows of a tool.
pub(super) struct Maker<'a> {
    pub(super) tool: Tool,
    pub(super) chain: &'a Chain,
    pub(super) choice: &'a Choice,
    /// When that is, for rows that have no time of their own: UTC, RFC 3339.
    pub(super) now: &'a str,
}

impl Maker<'_> {
    pub(super) fn make(&self, rows: Vec<ForeignRow>) -> (Vec<Adopted>, Vec<AdoptProblem>) {
        let mut problems = Vec::new();
        match self.tool {
            Tool::Drizzle => return self.drizzle(&rows),
            Tool::D1 => return self.by_name(&rows),
            _ => {}
        }
        let rows = if self.tool == Tool::GolangMigrate { self.up_to(rows, &mut problems) } else { rows };
        if self.tool.takeover() == Takeover::Baseline {
            let made = self.baseline(&rows);
            problems.extend(made.as_ref().and_then(|made| self.begins_below(made)));
            return (made.into_iter().collect(), problems);
        }
        let mut adopted: Vec<Adopted> = Vec::new();
        for row in rows {
            let is_known = |row: &Applied| adopted.iter().any(|other| other.row.key() == row.key());
            match self.row(&row) {
                Ok(made) if is_known(&made.row) => {
                    problems.push(AdoptProblem::Twice { migration: row.version.unwrap_or_default() });
                }
                Ok(made) => adopted.push(made),
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
        let versions: Vec<Version> =
            versioned(self.chain).map(|migration| migration.version).filter(|other| *other <= version).collect();
        if versions.last() != Some(&version) {
            problems.push(AdoptProblem::NoSuchVersion { version });
        }
        versions.into_iter().map(|version| ForeignRow { version: Some(version.to_string()), ..last.clone() }).collect()
    }

    /// Drizzle's table names no files, before version 1: it has their hashes, in the order in which they were written.
    fn drizzle(&self, rows: &[ForeignRow]) -> (Vec<Adopted>, Vec<AdoptProblem>) {
        let all: Vec<&Migration> = versioned(self.chain).collect();
        let mut taken = vec![false; all.len()];
        let (mut adopted, mut problems) = (Vec::new(), Vec::new());
        for (place, row) in rows.iter().enumerate() {
            let version = match &row.name {
                Some(name) => name.split('_').next().map(str::to_owned),
                None => row.version.as_deref().and_then(second_of),
            };
            let version = version.and_then(|version| Version::parse(&version).ok());
            let same = |migration| verdict::judge(self.tool, self.chain, migration, row.checksum.as_deref()).is_same();
            let free = |place: &usize| !taken[*place];
            let by_version = || (0..all.len()).filter(free).find(|place| Some(all[*place].version) == version);
            let by_hash = || (0..all.len()).filter(free).find(|place| same(all[*place]));
            // What stands in its place was changed since.
            let by_place = || Some(place).filter(|place| *place < all.len() && free(place) && row.name.is_none());
            // The version is no part of what we call it.
            let name = row.name.as_deref().and_then(|name| name.split_once('_')).map(|(_, words)| words.to_owned());
            let called = ForeignRow { name, ..row.clone() };
            let made = match (by_version().or_else(by_hash).or_else(by_place), version) {
                (Some(found), _) => {
                    taken[found] = true;
                    self.adopted(&called, all[found].version, Some(all[found]))
                }
                (None, Some(version)) if row.name.is_some() => self.adopted(&called, version, None),
                (None, _) => {
                    let migration = row.name.clone().or_else(|| row.checksum.clone()).unwrap_or_default();
                    Err(AdoptProblem::NoSuchFile { migration })
                }
            };
            match made {
                Ok(row) => adopted.push(row),
                Err(problem) => problems.push(problem),
            }
        }
        (adopted, problems)
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
        let (tool, checksum) = (self.tool.to_string(), newest.checksum.clone());
        row.origin = Some(Box::new(Origin { tool, version: origin, checksum }));
        Some(Adopted { row, file: None, verdict: Verdict::Unverifiable("its migrations are not scripts of a chain") })
    }

    /// Refuses to begin at 0 where there is a migration of that version, which nobody has said is applied.
    fn begins_below(&self, made: &Adopted) -> Option<AdoptProblem> {
        let is_meant = self.choice.baseline.is_some() || made.row.version > Version::from(0);
        let first = versioned(self.chain).find(|first| !is_meant && first.version == made.row.version)?;
        Some(AdoptProblem::BeginsAtZero { migration: first.title(), file: first.file.clone() })
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
        let migration = versioned(self.chain).find(|migration| migration.version == version).or_else(|| {
            // A date has another version here than there, if that keeps the tool's order.
            versioned(self.chain).find(|migration| written(self.tool, migration) == version.to_string())
        });
        self.adopted(row, migration.map_or(version, |migration| migration.version), migration)
    }

    /// Makes a row of ours of one for which a migration was found, or not.
    pub(super) fn adopted(
        &self,
        row: &ForeignRow,
        version: Version,
        migration: Option<&Migration>,
    ) -> Result<Adopted, AdoptProblem> {
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
        let code = self.chain.elsewhere().iter().find(|other| other.version == version).map(|other| &other.name);
        let name = row.name.as_ref().filter(|name| !name.is_empty()).or(code).map_or("unnamed", |name| name).to_owned();
        let mut applied = self.applied(version, name, row, migration);
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
            record: Some(Box::new(Record {
                applied_at: row.applied_at.clone().unwrap_or_else(|| self.now.to_owned()),
                duration: row.duration,
                host_version: env!("CARGO_PKG_VERSION").into(),
                ..Record::default()
            })),
            rows_done: None,
            not_run: None,
            script: None,
            down_checksum: migration.and_then(Migration::down_checksum),
            origin: Some(Box::new(Origin {
                tool: self.tool.to_string(),
                version: row.version.clone(),
                checksum: row.checksum.clone(),
            })),
            engine: None,
            run_id: None,
            ended_at: None,
            functions: Default::default(),
        }
    }

    /// Reads the version that a tool wrote in its own way.
    pub(super) fn version(&self, row: &ForeignRow) -> Result<Version, AdoptProblem> {
        let written = row.version.clone().unwrap_or_default();
        let digits = match self.tool {
            Tool::Prisma => written.split_once('_').map_or(written.as_str(), |(version, _)| version).to_owned(),
            Tool::SeaOrm => {
                let mut parts = written.trim_start_matches('m').splitn(3, '_');
                format!("{}{}", parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
            }
            Tool::D1 => written.chars().take_while(char::is_ascii_digit).collect(),
            Tool::Diesel => written.replace('-', ""),
            Tool::Flyway => written.replace('_', "."),
            _ => written.clone(),
        };
        Version::parse(&digits).map_err(|source| AdoptProblem::Version { migration: written, source })
    }
}

pub(super) fn versioned(chain: &Chain) -> impl Iterator<Item = &Migration> {
    chain.migrations().iter().map(|migration| &**migration).filter(|migration| migration.role() == Role::Versioned)
}

/// Writes milliseconds since 1970 as Drizzle names folders: year to second, in UTC.
fn second_of(milliseconds: &str) -> Option<String> {
    let moment = Timestamp::from_millisecond(milliseconds.parse().ok()?).ok()?;
    Some(moment.strftime("%Y%m%d%H%M%S").to_string())
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
