//! The folders of the chains, for verbs that write files into them. An archive, or one on another machine, is none.

use std::path::PathBuf;

use whimbrel::Error;
use whimbrel::model::ChainError;
use whimbrel::source::{Directory, Source};

use super::{Location, Settings, SettingsError, locations};

/// A chain whose migrations lie in a folder.
pub(crate) struct ChainFolder {
    /// Its name.
    pub(crate) chain: String,
    /// The folder, the first of several, to write files into.
    pub(crate) folder: PathBuf,
    /// Everything that the chain is made of.
    pub(crate) source: Box<dyn Source>,
}

impl Settings {
    /// Returns the chains that are meant: those that were named, else all. One that is in no folder is left out, unless
    /// it was named, or there are no others.
    pub(crate) fn chain_folders(&self) -> anyhow::Result<Vec<ChainFolder>> {
        let mut all = self.chains();
        let known: Vec<String> = all.iter().map(|(name, _)| name.clone()).collect();
        if let Some(name) = self.only.iter().find(|name| !known.contains(name)) {
            return Err(Error::from(ChainError::Unknown { name: name.clone(), known }).into());
        }
        if self.only.is_empty() {
            let is_folder = |locations: &[Location]| locations::folder(locations).is_ok();
            if all.iter().any(|(_, locations)| is_folder(locations)) {
                all.retain(|(_, locations)| is_folder(locations));
            }
        } else {
            all.retain(|(name, _)| self.only.contains(name));
        }
        let of = |(chain, locations): (String, Vec<Location>)| {
            let folder = locations::folder(&locations)?;
            let source = self.source_of(&chain, &locations)?;
            Ok(ChainFolder { chain, folder, source })
        };
        all.into_iter().map(of).collect()
    }

    /// Returns the folder of a chain, the first of several, to write files into.
    pub(crate) fn folder_of(&self, chain: &str) -> Result<PathBuf, SettingsError> {
        locations::folder(&self.locations_of(chain))
    }

    /// Returns the folders of a chain, to change files in; refuses an archive.
    pub(crate) fn directory_of(&self, chain: &str) -> Result<Directory, SettingsError> {
        let locations = self.locations_of(chain);
        let first = locations::folder(&locations)?;
        Ok(locations::directory(&locations, &self.reading(chain)).unwrap_or_else(|| Directory::new(first)))
    }

    /// Returns the folders of all chains that have some, the default one first.
    pub(crate) fn directories(&self) -> Vec<(String, Directory)> {
        let folders = |(name, locations): (String, Vec<Location>)| {
            let folders = locations::directory(&locations, &self.reading(&name));
            (name, folders)
        };
        let all = self.chains().into_iter().map(folders);
        all.filter_map(|(name, folders)| Some((name, folders?))).collect()
    }

    /// Returns where a chain is; that of the default chain for one that is nowhere yet.
    fn locations_of(&self, chain: &str) -> Vec<Location> {
        let found = self.chains().into_iter().find(|(name, _)| name == chain);
        found.map_or_else(|| self.locations.clone(), |(_, locations)| locations)
    }
}
