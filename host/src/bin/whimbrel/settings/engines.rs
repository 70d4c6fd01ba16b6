//! The script engines that `whimbrel.toml` names, read strictly.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use toml::Spanned;
use whimbrel::engines::{EngineSource, Engines};
use whimbrel::model::Checksum;

/// The table `[engines]`: what the operator calls each, and where it is.
pub(super) type Table = BTreeMap<String, Spanned<Entry>>;

/// A path, or a table with more.
#[derive(Clone)]
pub(super) struct Entry {
    path: PathBuf,
    sha256: Option<Checksum>,
    extensions: Option<Vec<String>>,
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Long {
            path: PathBuf,
            sha256: Option<String>,
            extensions: Option<Vec<String>>,
        }
        let value = toml::Value::deserialize(deserializer)?;
        let wrong = |error: toml::de::Error| serde::de::Error::custom(error.message());
        if let toml::Value::String(path) = value {
            return Ok(Self { path: path.into(), sha256: None, extensions: None });
        }
        let Long { path, sha256, extensions } = value.try_into().map_err(wrong)?;
        let sha256 = sha256.map(|text| Checksum::from_str(&text)).transpose().map_err(serde::de::Error::custom)?;
        Ok(Self { path, sha256, extensions })
    }
}

/// What is wrong with an engine, and the byte where it is named.
pub(super) struct WrongEngine {
    pub(super) offset: usize,
    pub(super) message: String,
}

/// Puts the engines together: those of the table, whose paths begin at `folder`, before those of the program.
pub(super) fn of(table: &Table, folder: &Path) -> Result<Engines, WrongEngine> {
    let mut engines = Engines::default();
    for (name, entry) in table {
        let Entry { path, sha256, extensions } = entry.get_ref();
        let mut source = EngineSource::file(name, folder.join(path));
        if let Some(extensions) = extensions {
            source = source.extensions(extensions.iter().map(|extension| extension.trim_start_matches('.')));
        }
        if let Some(checksum) = sha256 {
            source = source.pinned(*checksum);
        }
        let wrong = |error: whimbrel::engines::EngineError| WrongEngine {
            offset: entry.span().start,
            message: error.to_string(),
        };
        engines = engines.with(source).map_err(wrong)?;
    }
    Ok(engines)
}
