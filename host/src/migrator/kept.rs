//! What the history has kept of what was applied: shown, and run on the way down where the files say something else.

use std::borrow::Cow;
use std::collections::HashMap;

use jiff::Timestamp;

use super::Migrator;
use crate::db::Session;
use crate::error::Error;
use crate::history::{History, HistoryError};
use crate::model::{Applied, Chains, Kept, Key, Migration};
use crate::plan::{self, Goal};
use crate::source::{self, KeptBytes};

/// A part of a migration that the history may have kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeptPart {
    /// The script or the component.
    Body,
    /// The script that reverts it.
    Down,
    /// The manifest.
    Manifest,
}

/// What the history has kept of a part of a migration.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeptBytesOf {
    /// The row of the migration: the one in force, else the last one that was.
    pub row: Applied,
    /// What was applied; `None` if it was not kept, or the migration has no such part.
    pub bytes: Option<Vec<u8>>,
}

/// Kept migrations by their chains.
pub(super) type AllKept = HashMap<(usize, Key), Kept>;

impl Migrator {
    /// Returns what was applied of a migration, if the history has kept it, for each active chain that has applied it.
    /// What is no longer what it was is an error. Changes nothing and creates nothing.
    ///
    /// Of a script in the language of some engine come the script and what it imports, with a zero byte before each path
    /// and text of the latter.
    pub fn kept(&self, key: &Key, part: KeptPart) -> Result<Vec<KeptBytesOf>, Error> {
        let names = self.names();
        let read = |history: &History, session: &mut dyn Session| {
            let rows = history.read_all(session)?;
            let mut found = Vec::new();
            for chain in names {
                let mut own = rows.iter().filter(|row| *row.chain == *chain && row.key() == *key);
                let row = own.clone().find(|row| row.is_live()).or_else(|| own.next_back());
                let Some(row) = row else { continue };
                let digest = match part {
                    KeptPart::Body => Some(row.checksum),
                    KeptPart::Down => row.down_checksum,
                    KeptPart::Manifest => row.manifest_checksum,
                };
                let bytes = match digest {
                    Some(digest) => history.unpacked(session, digest)?,
                    None => None,
                };
                found.push(KeptBytesOf { row: row.clone(), bytes });
            }
            Ok(found)
        };
        self.timed(|timed| timed.look(read))
    }

    /// Finds what is kept of what is to be taken back and is not in the chains as it was applied. Only where the settings
    /// say that it is kept: elsewhere nothing that stands in a database is taken for code.
    pub(super) fn find_kept(
        &self,
        history: &History,
        session: &mut dyn Session,
        chains: &Chains,
        rows: &[Applied],
        goal: &Goal,
    ) -> Result<AllKept, HistoryError> {
        let mut all = AllKept::new();
        if goal.direction() != plan::Direction::Down || !history.keeps_any(session)? {
            return Ok(all);
        }
        for row in rows {
            let index = chains.index(&row.chain).filter(|_| history.keeps(&row.chain));
            let Some(chain) = index.filter(|chain| plan::wants_kept(chains, *chain, row)) else { continue };
            if let Some(kept) = self.kept_of(history, session, chains, chain, row)? {
                all.insert((chain, row.key()), kept);
            }
        }
        Ok(all)
    }

    /// Makes a migration of what is kept of a row; `None` if nothing is.
    fn kept_of(
        &self,
        history: &History,
        session: &mut dyn Session,
        chains: &Chains,
        chain: usize,
        row: &Applied,
    ) -> Result<Option<Kept>, HistoryError> {
        let mut wrong = None;
        let mut read = |session: &mut dyn Session, digest| -> Result<Option<Vec<u8>>, HistoryError> {
            let Some(digest) = digest else { return Ok(None) };
            match history.unpacked(session, digest) {
                Err(HistoryError::Body { digest, reason, .. }) => {
                    wrong.get_or_insert(format!("{reason} ({digest:.12}…)"));
                    Ok(None)
                }
                other => other,
            }
        };
        let bytes = KeptBytes {
            body: read(session, Some(row.checksum))?,
            down: read(session, row.down_checksum)?,
            manifest: read(session, row.manifest_checksum)?,
        };
        if let Some(reason) = wrong {
            return Ok(Some(Kept::Unusable(reason)));
        }
        let needed = if *row.kind == *"sql" { &bytes.down } else { &bytes.body };
        if needed.is_none() {
            return Ok(None);
        }
        let form = history.kept_form(session, row)?;
        if form.environment {
            let reason = "it asks for variables of the environment, which only its file can do";
            return Ok(Some(Kept::Unusable(reason.to_owned())));
        }
        let made = source::kept_migration(history.table(), row, &form, bytes, &self.script_endings());
        Ok(Some(match made.and_then(|migration| self.fitted(chains, chain, migration)) {
            Ok(migration) => Kept::Migration(migration.into()),
            Err(reason) => Kept::Unusable(reason),
        }))
    }

    /// Puts values into a kept migration; refuses one that calls functions which are not there any more.
    fn fitted(&self, chains: &Chains, chain: usize, migration: Migration) -> Result<Migration, String> {
        let chain = &chains.all()[chain];
        let unknown = migration.libraries().into_iter().find(|name| chain.library(name).is_none());
        if let Some(name) = unknown {
            return Err(format!("it calls functions of {}, which is not there", name.escape_debug()));
        }
        let mut migration = migration;
        self.fill(chain.name(), Timestamp::now(), [&mut migration]);
        Ok(migration)
    }

    /// Returns the endings of scripts.
    #[cfg(feature = "wasm")]
    fn script_endings(&self) -> Vec<String> {
        self.engines.extensions()
    }

    #[cfg(not(feature = "wasm"))]
    fn script_endings(&self) -> Vec<String> {
        source::SCRIPTS.map(str::to_owned).into()
    }
}

/// Adds what is kept to the chains.
pub(super) fn with_kept(chains: &Chains, kept: AllKept) -> Cow<'_, Chains> {
    if kept.is_empty() { Cow::Borrowed(chains) } else { Cow::Owned(chains.clone().with_kept(kept)) }
}
