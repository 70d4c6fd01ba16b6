//! Where the migrations of a chain are: folders, archives, addresses. Reads none of them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use whimbrel::source::{Archive, Authorization, Combined, Directory, Http, Layout, Source};

use super::{SettingsError, config};

/// The variable that holds the authorization for addresses that were typed.
const AUTHORIZATION_VARIABLE: &str = "WHIMBREL_SOURCE_AUTHORIZATION";

/// One place where migrations are.
#[derive(Clone)]
pub(super) enum Location {
    /// A folder or an archive.
    Path(PathBuf),
    /// An archive on another machine.
    Address(Address),
}

/// `{ url = "…", sha256 = "…" }`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Address {
    url: String,
    sha256: String,
    authorization: Option<Secret>,
    #[serde(default, deserialize_with = "config::time")]
    timeout: Option<Duration>,
}

/// A value of the header `Authorization`, or where it is.
#[derive(Clone, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Secret {
    Written(String),
    Variable { env: String },
}

/// What all places of a chain are read with.
pub(super) struct Reading {
    pub(super) layout: Layout,
    pub(super) recursive: bool,
    pub(super) endings: Vec<String>,
    /// Where archives that were fetched are kept.
    pub(super) cache: Option<PathBuf>,
}

impl Location {
    /// Takes a path.
    pub(super) fn of(path: &str) -> Self {
        Self::Path(PathBuf::from(path))
    }

    fn typed(path: &Path) -> Result<Self, SettingsError> {
        let wrong = |message: String| SettingsError::new("usage", message, "--dir https://host/bundle.zip#sha256=…");
        let Some(text) = path.to_str().filter(|text| Http::is_address(text)) else {
            return Ok(Self::Path(path.to_owned()));
        };
        Http::pinned(text).map_err(|error| wrong(error.to_string()))?;
        let authorization = std::env::var_os(AUTHORIZATION_VARIABLE).filter(|value| !value.is_empty());
        let authorization = authorization.map(|_| Secret::Variable { env: AUTHORIZATION_VARIABLE.to_owned() });
        let (url, digest) = text.split_once("#sha256=").unwrap_or_default();
        Ok(Self::Address(Address { url: url.to_owned(), sha256: digest.to_owned(), authorization, timeout: None }))
    }

    fn written(text: &str) -> Result<Self, String> {
        if !Http::is_address(text) {
            return Ok(Self::of(text));
        }
        Http::pinned(text).map_err(|error| format!("{error}: {{ url = \"https://…\", sha256 = \"…\" }}"))?;
        let (url, digest) = text.split_once("#sha256=").unwrap_or_default();
        Ok(Self::Address(Address {
            url: url.to_owned(),
            sha256: digest.to_owned(),
            authorization: None,
            timeout: None,
        }))
    }

    /// Makes a path begin at a folder.
    pub(super) fn below(self, folder: &Path) -> Self {
        match self {
            Self::Path(path) => Self::Path(folder.join(path)),
            Self::Address(address) => Self::Address(address),
        }
    }

    fn folder(&self) -> Result<&Path, SettingsError> {
        let place = match self {
            Self::Path(path) if !Archive::is_archive(path) => return Ok(path),
            Self::Path(path) => path.display().to_string(),
            Self::Address(address) => address.source()?.describe(),
        };
        let message = format!("the migrations are in {place}, where nothing can be written");
        Err(SettingsError::new("settings", message, "name the folder that it is made of: `--dir FOLDER`"))
    }
}

impl Address {
    fn source(&self) -> Result<Http, SettingsError> {
        let wrong = |error: whimbrel::source::AddressError| {
            SettingsError::new("settings", error.to_string(), "dir = { url = \"https://…\", sha256 = \"…\" }")
        };
        let mut source = Http::new(&self.url, &self.sha256).map_err(wrong)?.proxy_of_environment();
        if let Some(timeout) = self.timeout {
            source = source.timeout(timeout);
        }
        let value = match &self.authorization {
            None => return Ok(source),
            Some(Secret::Written(value)) => value.clone(),
            Some(Secret::Variable { env }) => std::env::var(env).map_err(|_| {
                let message = format!("the variable {} with the authorization is not set", env.escape_debug());
                SettingsError::new("settings", message, "set it to the whole value, such as `Bearer …`")
            })?,
        };
        Ok(source.authorization(Authorization::new(value).map_err(wrong)?))
    }
}

/// Takes what was typed.
pub(super) fn typed(paths: &[PathBuf]) -> Result<Vec<Location>, SettingsError> {
    paths.iter().map(|path| Location::typed(path)).collect()
}

/// Returns the folder that files can be written into, which is the first place.
pub(super) fn folder(locations: &[Location]) -> Result<PathBuf, SettingsError> {
    locations.first().map_or(Ok(PathBuf::new()), |first| first.folder().map(Path::to_owned))
}

/// Returns the folders among the places of a chain, if there are some.
pub(super) fn directory(locations: &[Location], reading: &Reading) -> Option<Directory> {
    let mut folders = locations.iter().filter_map(|location| location.folder().ok());
    let first =
        Directory::new(folders.next()?).scripts(&reading.endings).layout(reading.layout).recursive(reading.recursive);
    Some(folders.fold(first, Directory::and))
}

/// Makes one source of the places of a chain.
pub(super) fn source(locations: &[Location], reading: &Reading) -> Result<Box<dyn Source>, SettingsError> {
    let mut others: Vec<Box<dyn Source>> = Vec::new();
    for location in locations {
        match location {
            Location::Path(path) if Archive::is_archive(path) => others.push(Box::new(
                Archive::new(path).scripts(&reading.endings).layout(reading.layout).recursive(reading.recursive),
            )),
            Location::Path(_) => {}
            Location::Address(address) => {
                let source =
                    address.source()?.scripts(&reading.endings).layout(reading.layout).recursive(reading.recursive);
                others.push(Box::new(match &reading.cache {
                    Some(cache) => source.cache(cache),
                    None => source,
                }));
            }
        }
    }
    Ok(match (directory(locations, reading), others.len()) {
        (Some(folders), 0) => Box::new(folders),
        (None, 1) => others.remove(0),
        (folders, _) => {
            let all = folders.into_iter().fold(Combined::new(), Combined::with);
            Box::new(others.into_iter().fold(all, Combined::with))
        }
    })
}

/// Reads `dir`: a path, an address, or a list of them.
pub(super) fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Location>, D::Error> {
    struct Several;

    impl<'de> Visitor<'de> for Several {
        type Value = Vec<Location>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a folder such as \"migrations\", an archive, { url, sha256 }, or a list of them")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
            if text.is_empty() {
                return Err(E::custom(NOWHERE));
            }
            Location::written(text).map(|location| vec![location]).map_err(E::custom)
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            let address = Address::deserialize(MapAccessDeserializer::new(map))?;
            Http::new(&address.url, &address.sha256).map_err(serde::de::Error::custom)?;
            Ok(vec![Location::Address(address)])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while let Some(One(mut locations)) = list.next_element()? {
                all.append(&mut locations);
            }
            if all.is_empty() {
                return Err(serde::de::Error::custom(NOWHERE));
            }
            Ok(all)
        }
    }

    /// An empty path would be the folder of the settings, and an empty list what is meant where `dir` is left out.
    const NOWHERE: &str = "`dir` names no folder: write one such as \"migrations\", or leave it out";

    struct One(Vec<Location>);

    impl<'de> Deserialize<'de> for One {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            one_or_several(deserializer).map(Self)
        }
    }

    deserializer.deserialize_any(Several)
}

/// Returns where fetched archives are kept: below the folder that keeps components, else in the user's.
pub(super) fn cache(configured: Option<&Path>) -> Option<PathBuf> {
    const NAME: &str = "sources";
    // A relative one would be another folder wherever the program is started.
    let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    match configured {
        Some(word) if word == Path::new("off") => None,
        Some(folder) => Some(folder.join(NAME)),
        None if cfg!(windows) => variable("LOCALAPPDATA").map(|folder| folder.join("whimbrel").join(NAME)),
        None if cfg!(target_os = "macos") => {
            variable("HOME").map(|home| home.join("Library/Caches/whimbrel").join(NAME))
        }
        None => variable("XDG_CACHE_HOME")
            .or_else(|| variable("HOME").map(|home| home.join(".cache")))
            .map(|folder| folder.join("whimbrel").join(NAME)),
    }
}
