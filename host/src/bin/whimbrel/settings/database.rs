//! Which database is meant. Shows nothing of a URL but its scheme: the rest may hold a password.

use std::io;
use std::path::{Path, PathBuf};

use super::config::Config;
use super::{Place, SettingsError};

/// The variable that names the database, in the environment and in `.env`.
const VARIABLE: &str = "DATABASE_URL";
const DOTENV: &str = ".env";

/// Finds the database: as typed, else from the environment of `whimbrel.toml` that is meant, else from
/// `DATABASE_URL`, else from `.env`, else from `whimbrel.toml`.
pub(super) fn find(typed: Option<&str>, environment: Option<&str>, config: &Config) -> Result<PathBuf, SettingsError> {
    if let Some(url) = typed {
        return parse(url).map_err(|wrong| wrong.found_in("--database"));
    }
    if let Some(url) = environment {
        let path = parse(url).map_err(|wrong| wrong.found_in(&config.file.display().to_string()))?;
        return Ok(config.folder.join(path));
    }
    if let Some(url) = from_environment()? {
        return parse(&url).map_err(|wrong| wrong.found_in(VARIABLE));
    }
    if let Some(url) = from_dotenv()? {
        return parse(&url).map_err(|wrong| wrong.found_in(".env"));
    }
    if let Some(url) = &config.database {
        let path = parse(url).map_err(|wrong| wrong.found_in(&config.file.display().to_string()))?;
        return Ok(config.folder.join(path));
    }
    Err(SettingsError::new(
        "no-database",
        "no database is named",
        "add `--database sqlite:app.db`, set DATABASE_URL, or write `database = \"sqlite:app.db\"` into whimbrel.toml",
    ))
}

/// Returns the file that a URL of `whimbrel.toml` names, if it names one.
pub(super) fn path(url: &str, config: &Config) -> Option<PathBuf> {
    parse(url).ok().map(|path| config.folder.join(path))
}

/// Refuses a name that no database could have.
pub(crate) fn check(url: &str) -> Result<(), SettingsError> {
    parse(url).map(drop).map_err(|wrong| wrong.found_in("--database"))
}

fn from_environment() -> Result<Option<String>, SettingsError> {
    match std::env::var_os(VARIABLE) {
        None => Ok(None),
        Some(value) if value.is_empty() => Ok(None),
        Some(value) => value.into_string().map(Some).map_err(|_| {
            SettingsError::new("settings", format!("{VARIABLE} is not UTF-8"), "use --database or whimbrel.toml")
        }),
    }
}

/// Reads the variable from `.env` in the current folder; the process's own environment stays as it is.
fn from_dotenv() -> Result<Option<String>, SettingsError> {
    let wrong = |message: String| SettingsError {
        code: "settings",
        message,
        hint: Some("correct it, or name the database with --database".to_owned()),
        place: Some(Place { file: DOTENV.to_owned(), position: None }),
    };
    let lines = match dotenvy::from_path_iter(Path::new(DOTENV)) {
        Ok(lines) => lines,
        Err(error) if error.not_found() => return Ok(None),
        Err(dotenvy::Error::Io(error)) if error.kind() == io::ErrorKind::NotADirectory => return Ok(None),
        Err(error) => return Err(wrong(format!("cannot be read: {}", redacted(&error)))),
    };
    for line in lines {
        let (name, value) = line.map_err(|error| wrong(redacted(&error)))?;
        if name == VARIABLE && !value.is_empty() {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// The line that is wrong may be the one with the password.
fn redacted(error: &dotenvy::Error) -> String {
    match error {
        dotenvy::Error::Io(error) => error.to_string(),
        _ => "has a line that is not NAME=value".to_owned(),
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

/// Reads `sqlite:path`, `sqlite://path`, `file:path` or a bare path.
fn parse(url: &str) -> Result<PathBuf, WrongUrl> {
    let wrong = |message: String| WrongUrl { code: "settings", message, hint: FORMS };
    let Some((scheme, rest)) = scheme(url) else {
        return if url.is_empty() { Err(wrong("the database's name is empty".to_owned())) } else { plain(url) };
    };
    if !["sqlite", "sqlite3", "file"].iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        let scheme = scheme.to_ascii_lowercase();
        return Err(WrongUrl {
            code: "unsupported-database",
            message: format!("this build opens SQLite databases only, not {scheme}:"),
            hint: FORMS,
        });
    }
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        // What other tools write to have the file created, which happens here anyway.
        if !matches!(parameter, "mode=rwc" | "mode=rw") {
            let name = parameter.split('=').next().unwrap_or_default().escape_debug();
            return Err(wrong(format!("the parameter `{name}` of the database's URL is not known")));
        }
    }
    if path.split('/').next().is_some_and(|host| host.contains('@') && host.contains(':')) {
        return Err(wrong("a SQLite database has no user and no password".to_owned()));
    }
    if path.is_empty() {
        return Err(wrong("the URL names no file".to_owned()));
    }
    plain(path)
}

fn plain(path: &str) -> Result<PathBuf, WrongUrl> {
    if path == ":memory:" || path.is_empty() {
        let message = "a database in memory would vanish with this program".to_owned();
        return Err(WrongUrl { code: "settings", message, hint: "name a file; `--dry-run` changes nothing in it" });
    }
    Ok(PathBuf::from(path))
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
            ("sqlite3://app.db", "app.db"),
            ("file:app.db", "app.db"),
            ("C:\\app.db", "C:\\app.db"),
            ("a/b:c.db", "a/b:c.db"),
            ("with?mark.db", "with?mark.db"),
        ];
        for (url, path) in cases {
            assert_eq!(parse(url), Ok(PathBuf::from(path)), "{url}");
        }
    }

    #[test]
    fn shows_no_secret_of_what_it_refuses() {
        let cases = [
            ("postgres://ann:s3cret@host/db?password=s3cret", "this build opens SQLite databases only, not postgres:"),
            ("MySQL://ann:s3cret@host", "this build opens SQLite databases only, not mysql:"),
            ("sqlite://ann:s3cret@host/db", "a SQLite database has no user and no password"),
            ("sqlite:app.db?key=s3cret", "the parameter `key` of the database's URL is not known"),
            ("sqlite::memory:", "a database in memory would vanish with this program"),
            ("sqlite:", "the URL names no file"),
            ("", "the database's name is empty"),
        ];
        for (url, message) in cases {
            assert_eq!(parse(url).map_err(|wrong| wrong.message), Err(message.to_owned()), "{url}");
        }
    }
}
