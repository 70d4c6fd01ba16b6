//! Whose a file is: the chain in whose folder it lies, so that it runs with what that chain is given. Reads no file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use whimbrel::Error;
use whimbrel::model::ChainError;

use super::{DEFAULT_CHAIN, Settings, SettingsError, locations};

impl Settings {
    /// Returns the chain that was named, or else the one in whose folder a file lies, by whatever way its path leads there.
    /// Where that is not clear, nobody's rights are taken for granted.
    pub(crate) fn chain_of(&self, file: &Path) -> anyhow::Result<String> {
        match self.only.as_slice() {
            [] => Ok(self.chain_around(file)?),
            [only] if self.knows(only) => Ok(only.clone()),
            [only] => {
                let known = self.chains().into_iter().map(|(name, _)| name).collect();
                Err(Error::from(ChainError::Unknown { name: only.clone(), known }).into())
            }
            _ => Err(unclear(file, "a script is of one chain").into()),
        }
    }

    fn knows(&self, chain: &str) -> bool {
        chain == self.default_chain()
            || self.config.chains.contains_key(chain)
            || self.chains().iter().any(|(name, _)| name == chain)
    }

    fn default_chain(&self) -> &str {
        self.chain.as_deref().unwrap_or(DEFAULT_CHAIN)
    }

    fn chain_around(&self, file: &Path) -> Result<String, SettingsError> {
        let folders = self.all_folders();
        // Where the file is, and where it leads to if it is a link.
        let places: BTreeSet<PathBuf> = [beside(file), file.canonicalize().ok()].into_iter().flatten().collect();
        let chains: BTreeSet<Option<&str>> = places.iter().map(|place| innermost(&folders, place)).collect();
        let chains: Vec<Option<&str>> = chains.into_iter().collect();
        match chains.as_slice() {
            [Some(chain)] => Ok((*chain).to_owned()),
            [None] | [] => {
                let default = self.default_chain();
                let others = self.config.chains.iter().filter(|(name, _)| name.as_str() != default);
                match others.map(|(name, table)| (name, table.get_ref())).find(|(_, table)| table.is_untrusted()) {
                    None => Ok(default.to_owned()),
                    Some((name, _)) => {
                        let why =
                            format!("it lies in the folder of no chain, and {} is not trusted", name.escape_debug());
                        Err(unclear(file, &why))
                    }
                }
            }
            several => {
                let names =
                    several.iter().map(|name| name.map_or("none".to_owned(), |name| name.escape_debug().to_string()));
                let names = names.collect::<Vec<_>>().join(" and ");
                Err(unclear(file, &format!("it is a link between the folders of {names}")))
            }
        }
    }

    /// Returns the folders of all chains as the system knows them.
    fn all_folders(&self) -> Vec<(PathBuf, String)> {
        let mut all = Vec::new();
        for (name, places) in self.chains() {
            let found = places.iter().filter_map(|place| locations::folder(std::slice::from_ref(place)).ok());
            all.extend(found.filter_map(|folder| folder.canonicalize().ok()).map(|folder| (folder, name.clone())));
        }
        all
    }
}

/// Returns the path of a file in the folder that it is listed in.
fn beside(file: &Path) -> Option<PathBuf> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(folder.canonicalize().ok()?.join(file.file_name()?))
}

/// Returns the chain of the innermost folder around a file.
fn innermost<'f>(folders: &'f [(PathBuf, String)], file: &Path) -> Option<&'f str> {
    let around = folders.iter().filter(|(folder, _)| file.starts_with(folder));
    around.max_by_key(|(folder, _)| folder.components().count()).map(|(_, chain)| chain.as_str())
}

fn unclear(file: &Path, why: &str) -> SettingsError {
    let file = file.display().to_string();
    let message = format!("whose {} is, is not clear: {why}", file.escape_debug());
    SettingsError::new("usage", message, "say whose rights it has: `--chain NAME`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_folder_counts() {
        let folders = [("/a", "main"), ("/a/vendor", "acme"), ("/b", "other")];
        let folders = folders.map(|(folder, chain)| (PathBuf::from(folder), chain.to_owned()));
        let cases = [
            ("/a/1.js", Some("main")),
            ("/a/vendor/1.js", Some("acme")),
            ("/a/vendor/deep/1.js", Some("acme")),
            ("/a/vendors/1.js", Some("main")),
            ("/ab/1.js", None),
        ];
        for (file, expected) in cases {
            assert_eq!(innermost(&folders, Path::new(file)), expected, "{file}");
        }
    }
}
