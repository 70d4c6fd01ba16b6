//! Takes over what another tool knows of a database: finds its table, compares its checksums with the files, makes rows
//! of ours. Reads the other tool's table; only where that is asked for, each later step writes it as the tool would.

pub mod checksum;
mod error;
mod find;
mod lock;
mod make;
mod mirror;
mod named;
mod read;
mod row;
mod tool;
mod verdict;

use jiff::Timestamp;

pub use error::{AdoptError, AdoptProblem};
pub use find::ForeignTable;
pub(crate) use find::tables_of;
pub use lock::advisory_key;
pub(crate) use mirror::{Done, Mirror};
pub use tool::{Takeover, Tool, UnknownTool};
pub use verdict::Verdict;

use make::Maker;

use crate::db::{DbError, Session, for_each_row, quote_identifier};
use crate::model::{Applied, AppliedState, Body, Chain, Migration, Role, Version};

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
    /// the chain is still to come. Refused for a history whose rows are taken over one by one.
    pub baseline: Option<Version>,
    /// Go on writing the tool's table, so that there is a way back.
    pub keep_writing: bool,
}

/// A history taken over, or one that would be.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
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
    /// The files were read in the tool's layout, of which nothing but its history tells: later runs have to be told.
    pub assumed_layout: bool,
}

/// A migration taken over.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Adopted {
    /// The row as it is in our history.
    pub row: Applied,
    /// What the chain calls it; `None` when the chain does not have it.
    pub file: Option<String>,
    /// What became of its checksum.
    pub verdict: Verdict,
}

impl Adopted {
    /// Tells whether it is repeatable, and its file is not what the tool ran: it is to be run again.
    pub fn is_outdated(&self) -> bool {
        self.row.repeatable && matches!(self.verdict, Verdict::Differs { .. })
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
    if choice.baseline.is_some() && from.tool.takeover() == Takeover::Each {
        return Err(AdoptError::Baseline { tool: from.tool });
    }
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
        Role::Repeatable => migrations
            .iter()
            .any(|adopted| adopted.row.repeatable && adopted.row.name == migration.name && !adopted.is_outdated()),
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
        assumed_layout: false,
    })
}

fn mentions(migration: &Migration, table: &str) -> bool {
    match &migration.body {
        Body::Sql { up, .. } => up.text.contains(table),
        Body::Component { .. } | Body::Transform { .. } | Body::Script { .. } | Body::Rust(_) => false,
    }
}

/// Finds the table to take over.
pub(crate) fn choose(session: &mut dyn Session, choice: &Choice, own_table: &str) -> Result<ForeignTable, AdoptError> {
    let mut found = find::find(session)?;
    found.retain(|found| {
        found.table != own_table
            && choice.tool.is_none_or(|tool| tool == found.tool)
            && choice.table.as_ref().is_none_or(|table| table.eq_ignore_ascii_case(&found.table))
    });
    if found.len() > 1 {
        // One in which nothing was ever written may be anybody's table.
        let used = found.iter().map(|found| has_rows(session, &found.table)).collect::<Result<Vec<_>, _>>()?;
        if used.contains(&true) {
            let mut used = used.into_iter();
            found.retain(|_| used.next() == Some(true));
        }
    }
    match found.len() {
        0 => Err(AdoptError::NotFound { choice: choice.clone() }),
        1 => Ok(found.remove(0)),
        _ => Err(AdoptError::Several { found }),
    }
}

fn has_rows(session: &mut dyn Session, table: &str) -> Result<bool, DbError> {
    let mut found = false;
    for_each_row(session, &format!("SELECT 1 FROM {} LIMIT 1", quote_identifier(table)), &[], &mut |_| {
        found = true;
        Ok(())
    })?;
    Ok(found)
}
