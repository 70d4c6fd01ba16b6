//! Takes the history of another tool over, in one transaction.

use super::Migrator;
use crate::db::{Access, Session};
use crate::error::Error;
use crate::history::foreign::{self, AdoptError, Adoption, Choice, Mirror};
use crate::model::{Applied, Chain, Chains};

impl Migrator {
    /// Shows what [`Self::adopt`] would write. Changes nothing.
    pub fn plan_adoption(&self, choice: &Choice) -> Result<Adoption, Error> {
        let chains = self.load(&self.interrupt)?;
        let chain = one_chain(&chains)?;
        let mut session = self.existing(Access::Read, &self.interrupt)?;
        self.check_unbegun(session.as_mut(), chain)?;
        let adoption = foreign::take_over(session.as_mut(), chain, choice, &self.history.tables()[0])?;
        Ok(Adoption { dry_run: true, ..adoption })
    }

    /// Writes the history of another tool into ours; the other tool's tables stay as they are.
    ///
    /// Reading and writing is one transaction, which keeps every other writer out, the other tool as well.
    pub fn adopt(&self, choice: &Choice) -> Result<Adoption, Error> {
        let chains = self.load(&self.interrupt)?;
        let chain = one_chain(&chains)?;
        let mut session = self.existing(Access::Write, &self.interrupt)?;
        let session = session.as_mut();
        let database = |error| self.database_error(error);
        session.begin().map_err(database)?;
        match self.adopt_inside(session, chain, choice) {
            Ok(adoption) => {
                session.commit().map_err(database)?;
                Ok(adoption)
            }
            Err(error) => {
                // The first error tells more than one of undoing nothing.
                let _ = session.rollback();
                Err(error)
            }
        }
    }

    fn adopt_inside(&self, session: &mut dyn Session, chain: &Chain, choice: &Choice) -> Result<Adoption, Error> {
        self.check_unbegun(session, chain)?;
        let adoption = foreign::take_over(session, chain, choice, &self.history.tables()[0])?;
        let rows: Vec<Applied> = adoption.migrations.iter().map(|adopted| adopted.row.clone()).collect();
        self.history.ensure(session)?;
        self.history.import(session, &rows)?;
        if adoption.keep_writing {
            Mirror::begin(&self.history, session, chain.name(), &adoption.from)?;
        }
        Ok(adoption)
    }

    fn check_unbegun(&self, session: &mut dyn Session, chain: &Chain) -> Result<(), Error> {
        let rows = self.history.read(session, chain.name())?.len();
        if rows > 0 {
            return Err(AdoptError::Begun { chain: chain.name().to_owned(), rows }.into());
        }
        Ok(())
    }
}

/// Another tool knows one chain only, so one of several must be chosen.
fn one_chain(chains: &Chains) -> Result<&Chain, AdoptError> {
    let active: Vec<&Chain> = chains.active().collect();
    match active.as_slice() {
        [chain] => Ok(chain),
        chains => {
            Err(AdoptError::SeveralChains { chains: chains.iter().map(|chain| chain.name().to_owned()).collect() })
        }
    }
}
