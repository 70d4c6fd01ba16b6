//! Which database is meant. Shows nothing of a URL but its scheme: the rest may hold a password.

use std::path::PathBuf;

use whimbrel::db::sqlite::Opening;

use super::SettingsError;
use super::config::Config;
use super::dotenv::{self, is_blank};

/// The variable that names the database, in the environment and in `.env`.
pub(super) const VARIABLE: &str = "DATABASE_URL";

/// A database file that was named, and how it is opened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Named {
    pub(super) path: PathBuf,
    pub(super) opening: Opening,
}

impl Named {
    /// Puts it where the settings are.
    fn below(self, config: &Config) -> Self {
        Self { path: config.folder.join(self.path), ..self }
    }
}

/// Finds the database: as typed, else from the environment of `whimbrel.toml` that is meant, else from
/// `DATABASE_URL`, else from `.env`, else from `whimbrel.toml`.
pub(super) fn find(typed: Option<&str>, environment: Option<&str>, config: &Config) -> Result<Named, SettingsError> {
    if let Some(url) = typed {
        return parse(url).map_err(|wrong| wrong.found_in("--database"));
    }
    if let Some(url) = environment {
        let named = parse(url).map_err(|wrong| wrong.found_in(&config.file.display().to_string()))?;
        return Ok(named.below(config));
    }
    if let Some(url) = from_environment()? {
        return parse(&url).map_err(|wrong| wrong.found_in(VARIABLE));
    }
    if let Some(url) = dotenv::database()? {
        return parse(&url).map_err(|wrong| wrong.found_in(".env"));
    }
    if let Some(url) = &config.database {
        let named = parse(url).map_err(|wrong| wrong.found_in(&config.file.display().to_string()))?;
        return Ok(named.below(config));
    }
    Err(SettingsError::new(
        "no-database",
        "no database is named",
        "add `--database sqlite:app.db`, set DATABASE_URL, or write `database = \"sqlite:app.db\"` into whimbrel.toml",
    ))
}

/// Returns the file that a URL of `whimbrel.toml` names, if it names one.
pub(super) fn path(url: &str, config: &Config) -> Option<PathBuf> {
    parse(url).ok().map(|named| named.below(config).path)
}

/// Refuses a name that no database could have.
pub(crate) fn check(url: &str) -> Result<(), SettingsError> {
    parse(url).map(drop).map_err(|wrong| wrong.found_in("--database"))
}

fn from_environment() -> Result<Option<String>, SettingsError> {
    match std::env::var_os(VARIABLE) {
        None => Ok(None),
        Some(value) => value.into_string().map(|value| Some(value).filter(|value| !is_blank(value))).map_err(|_| {
            SettingsError::new("settings", format!("{VARIABLE} is not UTF-8"), "use --database or whimbrel.toml")
        }),
    }
}

/// What is wrong with a database's URL, without the URL.
#[derive(Debug, Eq, PartialEq)]
struct WrongUrl {
    code: &'static str,
    message: String,
    hint: &'static str,
}

impl WrongUrl {
    fn found_in(self, place: &str) -> SettingsError {
        SettingsError::new(self.code, format!("{} (from {place})", self.message), self.hint)
    }
}

const FORMS: &str = "write sqlite:app.db, sqlite:///var/lib/app.db or a path";

/// Reads `sqlite:path`, `sqlite://path`, `file:path`, `file://localhost/path` or a bare path, which is taken as it stands.
fn parse(url: &str) -> Result<Named, WrongUrl> {
    let wrong = |message: String| WrongUrl { code: "settings", message, hint: FORMS };
    let Some((scheme, rest)) = scheme(url) else {
        return if is_blank(url) { Err(wrong("the database's name is empty".to_owned())) } else { plain(url) };
    };
    if !["sqlite", "sqlite3", "file"].iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        let scheme = scheme.to_ascii_lowercase();
        return Err(WrongUrl {
            code: "unsupported-database",
            message: format!("this build opens SQLite databases only, not {scheme}:"),
            hint: FORMS,
        });
    }
    let named = rest.strip_prefix("//").unwrap_or(rest);
    // The host that stands for this machine; in other schemes it is the first folder of a relative path.
    let is_file = scheme.eq_ignore_ascii_case("file") && named.len() < rest.len();
    let local = named.strip_prefix("localhost").filter(|path| is_file && path.starts_with('/'));
    let named = local.unwrap_or(named);
    let (path, query) = named.split_once('?').unwrap_or((named, ""));
    let mut opening = Opening::Create;
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        // As SQLite means them.
        opening = match parameter {
            "mode=rwc" => Opening::Create,
            "mode=rw" => Opening::Existing,
            "mode=ro" => Opening::ReadOnly,
            "mode=memory" => return Err(in_memory()),
            _ => return Err(wrong(unknown(parameter))),
        };
    }
    if path.split('/').next().is_some_and(|host| host.contains('@') && host.contains(':')) {
        return Err(wrong("a SQLite database has no user and no password".to_owned()));
    }
    if path.is_empty() {
        return Err(wrong("the URL names no file".to_owned()));
    }
    Ok(Named { opening, ..plain(&decoded(path).map_err(wrong)?)? })
}

/// Replaces `%20` and the like by what it stands for, as SQLite and sqlx do; a `%` without two digits behind it stands for itself.
fn decoded(path: &str) -> Result<String, String> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let bytes = path.as_bytes();
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        match (byte, digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    let decoded = String::from_utf8(decoded).map_err(|_| "what stands for `%` in the URL is not UTF-8".to_owned())?;
    if decoded.contains('\0') {
        return Err("`%00` in the URL is in no file's name".to_owned());
    }
    Ok(decoded)
}

/// Says what of a parameter is not known. Only a mode is shown with its value, which is no secret.
fn unknown(parameter: &str) -> String {
    match parameter.split_once('=') {
        Some(("mode", mode)) => {
            format!("the mode `{}` of the database's URL is not known: it is `rwc`, `rw` or `ro`", mode.escape_debug())
        }
        named => {
            let name = named.map_or(parameter, |(name, _)| name).escape_debug();
            format!("the parameter `{name}` of the database's URL is not known: there is only `mode`")
        }
    }
}

fn in_memory() -> WrongUrl {
    let message = "a database in memory would vanish with this program".to_owned();
    WrongUrl { code: "settings", message, hint: "name a file; `--dry-run` changes nothing in it" }
}

fn plain(path: &str) -> Result<Named, WrongUrl> {
    if path == ":memory:" || path.is_empty() {
        return Err(in_memory());
    }
    Ok(Named { path: PathBuf::from(path), opening: Opening::Create })
}

/// Splits a scheme off; one letter is a drive of Windows, and what holds a slash is a path.
fn scheme(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once(':')?;
    let letters = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    let begins = scheme.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    (letters && begins && scheme.len() > 1).then_some((scheme, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_way_to_name_a_file() {
        let cases = [
            ("app.db", "app.db"),
            ("./db/app.db", "./db/app.db"),
            ("sqlite:app.db", "app.db"),
            ("sqlite:./app.db", "./app.db"),
            ("sqlite://app.db", "app.db"),
            ("sqlite:///var/app.db", "/var/app.db"),
            ("sqlite:/var/app.db", "/var/app.db"),
            ("SQLite:app.db?mode=rwc", "app.db"),
            ("sqlite:app.db?mode=rw", "app.db"),
            ("sqlite:app.db?mode=ro", "app.db"),
            ("sqlite3://app.db", "app.db"),
            ("file:app.db", "app.db"),
            ("C:\\app.db", "C:\\app.db"),
            ("a/b:c.db", "a/b:c.db"),
            ("with?mark.db", "with?mark.db"),
            ("my%20app.db", "my%20app.db"),
            ("file:my%20app.db", "my app.db"),
            ("sqlite:my%20%C3%A9%2f.db?mode=rw", "my \u{e9}/.db"),
            ("sqlite:a%3Fb%23c#d.db", "a?b#c#d.db"),
            ("sqlite:100%.db", "100%.db"),
            ("sqlite:%2", "%2"),
            ("file://localhost/var/app.db", "/var/app.db"),
            ("file:///var/app.db", "/var/app.db"),
            ("file://app.db", "app.db"),
            ("sqlite://localhost/app.db", "localhost/app.db"),
            ("file:localhost/app.db", "localhost/app.db"),
        ];
        for (url, path) in cases {
            let named = parse(url).expect(url);
            assert_eq!(named.path, PathBuf::from(path), "{url}");
            let opening = match url.rsplit_once("?mode=") {
                Some((_, "rw")) => Opening::Existing,
                Some((_, "ro")) => Opening::ReadOnly,
                _ => Opening::Create,
            };
            assert_eq!(named.opening, opening, "{url}");
        }
    }

    #[test]
    fn shows_no_secret_of_what_it_refuses() {
        let cases = [
            ("postgres://ann:s3cret@host/db?password=s3cret", "this build opens SQLite databases only, not postgres:"),
            ("MySQL://ann:s3cret@host", "this build opens SQLite databases only, not mysql:"),
            ("sqlite://ann:s3cret@host/db", "a SQLite database has no user and no password"),
            (
                "sqlite:app.db?key=s3cret",
                "the parameter `key` of the database's URL is not known: there is only `mode`",
            ),
            ("sqlite:app.db?s3", "the parameter `s3` of the database's URL is not known: there is only `mode`"),
            ("sqlite:app.db?mode=r", "the mode `r` of the database's URL is not known: it is `rwc`, `rw` or `ro`"),
            ("file:app.db?mode=memory", "a database in memory would vanish with this program"),
            ("sqlite::memory:", "a database in memory would vanish with this program"),
            ("sqlite:%3amemory:", "a database in memory would vanish with this program"),
            ("sqlite:a%00.db", "`%00` in the URL is in no file's name"),
            ("sqlite:%ff.db", "what stands for `%` in the URL is not UTF-8"),
            ("sqlite:", "the URL names no file"),
            ("", "the database's name is empty"),
            (" ", "the database's name is empty"),
        ];
        for (url, message) in cases {
            assert_eq!(parse(url).map_err(|wrong| wrong.message), Err(message.to_owned()), "{url}");
        }
    }
}
