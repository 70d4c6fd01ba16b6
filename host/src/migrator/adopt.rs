//! Takes the history of another tool over, in one transaction.

use super::Migrator;
use super::baseline::check_not_above;
use super::sources::Sound;
use crate::db::{Access, Session};
use crate::error::Error;
use crate::history::foreign::{self, AdoptError, Adoption, Choice, Mirror, Tool};
use crate::model::{Applied, Chain, Chains};
use crate::source::Layout;

impl Migrator {
    /// Shows what [`Self::adopt`] would write. Changes nothing.
    pub fn plan_adoption(&self, choice: &Choice) -> Result<Adoption, Error> {
        self.timed(|timed| timed.decide_adoption(choice))
    }

    fn decide_adoption(&self, choice: &Choice) -> Result<Adoption, Error> {
        self.decide_adoption_in(self.existing(Access::Read, &self.interrupt)?.as_mut(), choice)
    }

    fn decide_adoption_in(&self, session: &mut dyn Session, choice: &Choice) -> Result<Adoption, Error> {
        let (chains, assumed_layout) = self.chains_of_tool(session, choice)?;
        let chain = one_chain(&chains)?;
        self.check_unbegun(session, chain)?;
        let adoption = self.take_over(session, chain, choice)?;
        Ok(Adoption { dry_run: true, assumed_layout, ..adoption })
    }

    /// Shows what [`Self::adopt`] would write of each history of another tool where ours has no row, with files that were changed
    /// since taken as they are; nothing of those that cannot be taken over. Changes nothing.
    pub fn other_histories(&self) -> Result<Vec<Adoption>, Error> {
        self.timed(Self::find_other_histories)
    }

    fn find_other_histories(&self) -> Result<Vec<Adoption>, Error> {
        match self.applied()?.is_empty() {
            true => self.other_histories_in(self.existing(Access::Read, &self.interrupt)?.as_mut()),
            false => Ok(Vec::new()),
        }
    }

    /// Does the same in a database whose history has no row.
    pub(super) fn other_histories_in(&self, session: &mut dyn Session) -> Result<Vec<Adoption>, Error> {
        let found = match foreign::choose(session, &Choice::default(), self.history.table()) {
            Ok(one) => vec![one],
            Err(AdoptError::Several { found }) => found,
            Err(AdoptError::NotFound { .. }) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let choices = found.into_iter().map(|found| Choice {
            tool: Some(found.tool),
            table: Some(found.table),
            accept_changed: true,
            ..Choice::default()
        });
        Ok(choices.filter_map(|choice| self.decide_adoption_in(session, &choice).ok()).collect())
    }

    /// Writes the history of another tool into ours; the other tool's tables stay as they are.
    ///
    /// The chain is read in that tool's layout, unless its source names another or holds what tells of one. Reading and
    /// writing is one transaction, which keeps every other writer out, the other tool as well.
    pub fn adopt(&self, choice: &Choice) -> Result<Adoption, Error> {
        self.timed(|timed| timed.write_adoption(choice))
    }

    fn write_adoption(&self, choice: &Choice) -> Result<Adoption, Error> {
        let mut session = self.existing(Access::Write, &self.interrupt)?;
        let session = session.as_mut();
        let (chains, assumed_layout) = self.chains_of_tool(session, choice)?;
        let chain = one_chain(&chains)?;
        let database = |error| self.database_error(error);
        session.begin().map_err(database)?;
        match self.adopt_inside(session, chain, choice) {
            Ok(adoption) => {
                session.commit().map_err(database)?;
                Ok(Adoption { assumed_layout, ..adoption })
            }
            Err(error) => {
                // The first error tells more than one of undoing nothing.
                let _ = session.rollback();
                Err(error)
            }
        }
    }

    /// Loads the chains as the tool lays them out whose history is to be taken over, and tells whether nothing but that history
    /// tells of the layout. Where none is found, the files are looked at all the same: what is wrong with them may be why.
    fn chains_of_tool(&self, session: &mut dyn Session, choice: &Choice) -> Result<(Chains, bool), Error> {
        let from = match foreign::choose(session, choice, &self.history.tables()[0]) {
            Ok(from) => Some(from),
            Err(AdoptError::NotFound { .. } | AdoptError::Several { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let found = self.look_into_sources_of(from.and_then(|from| layout(from.tool)), Sound::All, &self.interrupt)?;
        Ok((found.chains, found.assumed.is_some()))
    }

    fn adopt_inside(&self, session: &mut dyn Session, chain: &Chain, choice: &Choice) -> Result<Adoption, Error> {
        self.check_unbegun(session, chain)?;
        let adoption = self.take_over(session, chain, choice)?;
        let rows: Vec<Applied> = adoption.migrations.iter().map(|adopted| adopted.row.clone()).collect();
        self.history.ensure(session)?;
        self.history.import(session, &rows)?;
        if adoption.keep_writing {
            Mirror::begin(&self.history, session, chain.name(), &adoption.from)?;
        }
        Ok(adoption)
    }

    fn take_over(&self, session: &mut dyn Session, chain: &Chain, choice: &Choice) -> Result<Adoption, Error> {
        let adoption = foreign::take_over(session, chain, choice, self.history.table())?;
        choice.baseline.map_or(Ok(()), |version| check_not_above(chain, version))?;
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

/// Returns the way in which a tool's folders are laid out, if it has one of its own: both are called alike.
fn layout(tool: Tool) -> Option<Layout> {
    tool.as_str().parse().ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_of_a_tool_is_found() {
        let found = Tool::ALL.into_iter().filter_map(layout).collect::<Vec<_>>();
        let tools = Layout::ALL.into_iter().filter(|layout| !matches!(layout, Layout::Auto | Layout::Whimbrel));
        assert!(
            tools.clone().count() == found.len() && tools.clone().all(|layout| found.contains(&layout)),
            "{found:?}"
        );
    }
}
