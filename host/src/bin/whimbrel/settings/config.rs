//! `whimbrel.toml`, read strictly.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use whimbrel::source::{Layout, read_file};
use whimbrel::sql;

use super::environment::Environment;
use super::locations::{self, Location};
use super::{CONFIG_FILE, Place, SettingsError, chain_name, duration, engines, hooks, placeholders, policy};
use crate::failure::hint;

/// What `whimbrel.toml` says.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// The database, as `--database` takes it.
    pub(super) database: Option<String>,
    /// Where the migrations are.
    #[serde(deserialize_with = "locations::one_or_several")]
    pub(super) dir: Vec<Location>,
    /// Whose way the folder is laid out.
    #[serde(deserialize_with = "layout")]
    pub(super) layout: Option<Layout>,
    /// Whether the folders in the folder are read as well.
    pub(super) recursive: Option<bool>,
    /// Name of the chain.
    #[serde(deserialize_with = "chain_name::read")]
    pub(super) chain: Option<String>,
    /// Chains of the database that other settings have.
    pub(super) other_chains: Vec<String>,
    /// Name of the history table.
    pub(super) history_table: Option<String>,
    /// Whether the history keeps the bytes of what is applied.
    pub(super) keep_bodies: Option<bool>,
    /// How long to wait for another process.
    #[serde(deserialize_with = "time")]
    pub(super) lock_timeout: Option<Duration>,
    /// How long a whole run may take.
    #[serde(deserialize_with = "positive")]
    pub(super) timeout: Option<Duration>,
    /// Whether foreign keys are enforced while migrations run.
    pub(super) foreign_keys: Option<bool>,
    /// Where compiled components are kept.
    pub(super) cache: Option<PathBuf>,
    /// What the migrations of each chain are given, and where they are.
    pub(super) chains: policy::Chains,
    /// What is different in each environment.
    pub(super) env: BTreeMap<String, Environment>,
    /// Values for names in scripts.
    pub(super) placeholders: placeholders::Table,
    placeholder_replacement: Option<bool>,
    placeholder_prefix: Option<String>,
    placeholder_suffix: Option<String>,
    /// What is run at the moments of a run.
    pub(super) hooks: hooks::Table,
    /// What runs scripts beside the engines that come with the program.
    pub(super) engines: engines::Table,
    /// What names in scripts stand between, as the keys above say.
    #[serde(skip)]
    pub(super) marks: placeholders::Marks,
    /// Where the table of each chain begins, line and column.
    #[serde(skip)]
    pub(super) places: BTreeMap<String, (u32, u32)>,
    /// The folder that relative paths begin at.
    #[serde(skip)]
    pub(super) folder: PathBuf,
    /// The file.
    #[serde(skip)]
    pub(super) file: PathBuf,
}

pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    duration::parse(&text).map(Some).map_err(serde::de::Error::custom)
}

fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    duration::positive(&text).map(Some).map_err(serde::de::Error::custom)
}

pub(super) fn layout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Layout>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(serde::de::Error::custom)
}

impl Config {
    /// Reads the file that was named, or else `whimbrel.toml` if there is one.
    pub(super) fn read(named: Option<&Path>) -> Result<Self, SettingsError> {
        let Some(path) = named else {
            let path = Path::new(CONFIG_FILE);
            let found = read_file(path).map_err(|problem| SettingsError {
                code: "settings",
                message: problem.message,
                hint: problem.hint.or_else(|| Some("name another file with --config".to_owned())),
                place: Some(Place { file: problem.file, position: None }),
            })?;
            return found.map_or_else(|| Ok(Self::default()), |bytes| Self::parse(path, &bytes));
        };
        // What somebody has named may also be a pipe of the shell's.
        match std::fs::read(path) {
            Ok(bytes) => Self::parse(path, &bytes),
            Err(error) => Err(SettingsError {
                code: "settings",
                message: format!("cannot read {}: {error}", path.display()),
                hint: hint::file(&error).map(str::to_owned),
                place: None,
            }),
        }
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Self, SettingsError> {
        let file = path.display().to_string();
        let wrong = |message: String, hint, position| SettingsError {
            code: "settings",
            message,
            hint,
            place: Some(Place { file: file.clone(), position }),
        };
        let text = str::from_utf8(bytes).map_err(|_| wrong("is not UTF-8".to_owned(), None, None))?;
        let mut config: Self = toml::from_str(text).map_err(|error| {
            let position = error.span().map(|span| sql::locate(text, span.start));
            let (message, hint) = explain(error.message());
            wrong(message, hint, position.map(|position| (position.line, position.column)))
        })?;
        policy::check(&config.chains).map_err(|found| {
            let position = sql::locate(text, found.offset);
            wrong(found.message, found.hint, Some((position.line, position.column)))
        })?;
        let place = |offset| sql::locate(text, offset);
        let places = config.chains.iter().map(|(name, table)| (name.clone(), place(table.span().start)));
        config.places = places.map(|(name, position)| (name, (position.line, position.column))).collect();
        config.folder = path.parent().map(Path::to_owned).unwrap_or_default();
        config.file = path.to_owned();
        engines::of(&config.engines, &config.folder).map_err(|found| {
            let position = sql::locate(text, found.offset);
            wrong(found.message, None, Some((position.line, position.column)))
        })?;
        config.marks = placeholders::Marks {
            replacement: config.placeholder_replacement,
            prefix: config.placeholder_prefix.take(),
            suffix: config.placeholder_suffix.take(),
        };
        config.dir = config.dir.drain(..).map(|dir| dir.below(&config.folder)).collect();
        config.cache =
            config.cache.take().map(|cache| if cache == Path::new("off") { cache } else { config.folder.join(cache) });
        Ok(config)
    }
}

/// Turns serde's "unknown field `x`, expected one of `a`, `b`" into words with the nearest key.
fn explain(message: &str) -> (String, Option<String>) {
    let message = message.trim_end().replace('\n', ", ");
    let Some((key, rest)) = message.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`')) else {
        return (message, None);
    };
    let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    let hint = match sql::nearest(key, known.iter().copied()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("known are {}", known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")),
    };
    (format!("unknown key `{}`", key.escape_debug()), Some(hint))
}
