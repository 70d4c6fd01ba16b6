//! `[env.<name>]`: what is different in one environment, and how it is protected.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::config::{Config, time};
use super::{SettingsError, database, placeholders};

/// One `[env.<name>]`.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Environment {
    /// The database, as `--database` takes it.
    pub(super) database: Option<String>,
    /// Name of the history table.
    pub(super) history_table: Option<String>,
    /// How long to wait for another process.
    #[serde(deserialize_with = "time")]
    pub(super) lock_timeout: Option<Duration>,
    /// Values for names in scripts.
    pub(super) placeholders: placeholders::Table,
    /// What verbs that destroy may do.
    pub(super) protected: Protection,
}

/// What verbs that destroy may do in an environment; the strictest last.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Protection {
    /// Everything.
    #[default]
    None,
    /// Revert when they have asked; never reset or redo.
    Confirm,
    /// Nothing.
    Refuse,
}

impl<'de> Deserialize<'de> for Protection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Said {
            Whether(bool),
            Word(String),
        }
        match Said::deserialize(deserializer)? {
            Said::Whether(true) => Ok(Self::Confirm),
            Said::Whether(false) => Ok(Self::None),
            Said::Word(word) if word == "confirm" => Ok(Self::Confirm),
            Said::Word(word) if word == "refuse" => Ok(Self::Refuse),
            Said::Word(_) => Err(serde::de::Error::custom("`protected` is true, false, \"confirm\" or \"refuse\"")),
        }
    }
}

/// Finds the environment that is meant: as typed, else as `WHIMBREL_ENV` says.
pub(super) fn find(typed: Option<&str>, config: &Config) -> Result<Option<(String, Environment)>, SettingsError> {
    let variable = std::env::var("WHIMBREL_ENV").ok().filter(|name| !name.trim().is_empty());
    let Some(name) = typed.map(str::to_owned).or(variable) else { return Ok(None) };
    match config.env.get(&name) {
        Some(environment) => Ok(Some((name, environment.clone()))),
        None => {
            let known: Vec<&str> = config.env.keys().map(String::as_str).collect();
            let hint = match known.as_slice() {
                [] => format!("write `[env.{}]` into whimbrel.toml", name.escape_debug()),
                known => format!("known are {}", known.join(", ")),
            };
            Err(SettingsError::new("settings", format!("there is no environment {}", name.escape_debug()), hint))
        }
    }
}

/// Finds the environments whose database this is, so that it is protected also when it was reached in another way.
pub(super) fn of_database(path: &std::path::Path, config: &Config) -> impl Iterator<Item = (String, Protection)> {
    let same = |environment: &Environment| {
        let named = environment.database.as_deref().and_then(|url| database::path(url, config));
        named.is_some_and(|named| absolute(&named) == absolute(path) || is_same_file(&named, path))
    };
    let of_it = config.env.iter().filter(move |(_, environment)| same(environment));
    of_it.map(|(name, found)| (name.clone(), found.protected))
}

fn absolute(path: &std::path::Path) -> std::path::PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

/// Tells whether two paths are names of one file, as hard links are.
#[cfg(unix)]
fn is_same_file(one: &std::path::Path, other: &std::path::Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let file = |path: &std::path::Path| path.metadata().map(|found| (found.dev(), found.ino())).ok();
    file(one).is_some_and(|found| file(other) == Some(found))
}

#[cfg(not(unix))]
fn is_same_file(_: &std::path::Path, _: &std::path::Path) -> bool {
    false
}
