//! What `.env` in the current folder says of the database. The process's own environment stays as it is.

use std::collections::BTreeSet;
use std::env;
use std::path::Path;

use whimbrel::source::read_file;
use whimbrel::sql;

use super::database::VARIABLE;
use super::{Place, SettingsError};

const DOTENV: &str = ".env";
/// Stands before and after the number of a name that has no value.
const MARK: char = '\u{1a}';

/// A variable of nothing but blanks is as good as none.
pub(super) fn is_blank(value: &str) -> bool {
    value.trim().is_empty()
}

/// Reads the variable that names the database.
pub(super) fn database() -> Result<Option<String>, SettingsError> {
    match read_file(Path::new(DOTENV)) {
        Ok(Some(bytes)) => read(&bytes),
        Ok(None) => Ok(None),
        Err(problem) => {
            let wrong = wrong(problem.message, None);
            Err(SettingsError { hint: problem.hint.or(wrong.hint), ..wrong })
        }
    }
}

fn wrong(message: String, position: Option<(u32, u32)>) -> SettingsError {
    SettingsError {
        code: "settings",
        message,
        hint: Some("correct it, or name the database with --database".to_owned()),
        place: Some(Place { file: DOTENV.to_owned(), position }),
    }
}

/// Finds the variable. The line that is wrong may be the one with the password, so it is named by its number.
fn read(bytes: &[u8]) -> Result<Option<String>, SettingsError> {
    let text = str::from_utf8(bytes).map_err(|_| wrong("is not UTF-8".to_owned(), None))?;
    // Editors of Windows begin a file with it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // How often the variable was met: the first that is not blank counts.
    let mut met = 0;
    for line in dotenvy::from_read_iter(text.as_bytes()) {
        let (name, value) = line.map_err(|error| {
            let at = match &error {
                dotenvy::Error::LineParse(line, _) => {
                    let begins = |at: &usize| *at == 0 || text.as_bytes()[at - 1] == b'\n';
                    text.match_indices(line.trim_end()).map(|(at, _)| at).find(begins)
                }
                _ => None,
            };
            let position = at.map(|at| sql::locate(text, at)).map(|position| (position.line, position.column));
            let message =
                if position.is_some() { "this is not NAME=value" } else { "has a line that is not NAME=value" };
            wrong(message.to_owned(), position)
        })?;
        if name == VARIABLE {
            if let Some(name) = without_value(text, met) {
                return Err(unset(text, &name));
            }
            if !is_blank(&value) {
                return Ok(Some(value));
            }
            met += 1;
        }
    }
    Ok(None)
}

fn unset(text: &str, name: &str) -> SettingsError {
    let at = text.find(&format!("${{{name}}}")).or_else(|| text.find(&format!("${name}")));
    let position = at.map(|at| sql::locate(text, at)).map(|position| (position.line, position.column));
    let name = name.escape_debug();
    let hint = format!("set {name}, here above it or in the environment; a `$` that is meant stands in single quotes");
    let message = format!("{VARIABLE} is made of the variable {name}, which is not set");
    SettingsError { hint: Some(hint), ..wrong(message, position) }
}

/// Returns a name that has no value and is in that of the database, at the place `met` of those that it is given: it would
/// be left out, and another file be meant.
///
/// What is read has its own rules for quotes and names, so it is read once more, with a mark as the value of each such name.
fn without_value(text: &str, met: usize) -> Option<String> {
    let names: Vec<&str> = names(text).into_iter().filter(|name| env::var(name).is_err()).collect();
    let mut marked: String = names
        .iter()
        .enumerate()
        .filter(|(_, name)| is_key(name))
        .map(|(number, name)| format!("{name}={MARK}{number}{MARK}\n"))
        .collect();
    let mut text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
    for (number, name) in names.iter().enumerate().filter(|(_, name)| !is_key(name)) {
        // Nothing can be set by such a name, such as `X:-value`.
        marked.push_str(&format!("WHIMBREL_UNSET{number}={MARK}{number}{MARK}\n"));
        text = text.replace(&format!("${{{name}}}"), &format!("${{WHIMBREL_UNSET{number}}}"));
    }
    marked.push_str(&text);
    let mut values = dotenvy::from_read_iter(marked.as_bytes()).flatten().filter(|(name, _)| name == VARIABLE);
    let (_, value) = values.nth(met)?;
    let number = value.split(MARK).nth(1)?;
    names.get(number.parse::<usize>().ok()?).map(|name| (*name).to_owned())
}

/// Finds the names after `$`, as they are told by who reads them: letters and digits, or anything between braces.
fn names(text: &str) -> BTreeSet<&str> {
    let after = text.match_indices('$').map(|(at, _)| &text[at + 1..]);
    let name = |rest: &'_ str| match rest.strip_prefix('{') {
        Some(braced) => braced.find(['}', '\n']).map(|end| end + 1),
        None => Some(rest.find(|character: char| !character.is_alphanumeric()).unwrap_or(rest.len())),
    };
    let found = after.filter_map(|rest| Some((rest, name(rest)?)));
    found.map(|(rest, end)| rest[..end].trim_start_matches('{')).filter(|name| !name.is_empty()).collect()
}

fn is_key(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_line_that_is_wrong() {
        let cases = [
            ("DATABASE_URL=app.db\nA B C\n", Ok(Some("app.db"))),
            ("# words\n\nA=1\nnot a variable s3cret\nDATABASE_URL=app.db\n", Err(Some((4, 1)))),
            ("A='open\n  until here\n", Err(Some((1, 1)))),
            ("A=1\r\n  =x\r\n", Err(Some((2, 1)))),
            ("# not a variable\nnot a variable\n", Err(Some((2, 1)))),
            ("\u{feff}DATABASE_URL=app.db\n", Ok(Some("app.db"))),
            ("DATABASE_URL=\"  \"\n", Ok(None)),
            ("DATABASE_URL=\nDATABASE_URL=b.db", Ok(Some("b.db"))),
        ];
        for (text, expected) in cases {
            let found = read(text.as_bytes());
            assert!(found.as_ref().err().is_none_or(|error| !error.message.contains("s3cret")));
            let found = found.map_err(|error| error.place.and_then(|place| place.position));
            assert_eq!(found.as_ref().map(|found| found.as_deref()), expected.as_ref().map(|url| *url), "{text}");
        }
    }

    #[test]
    fn a_name_without_a_value_is_refused_where_it_counts() {
        let cases = [
            ("DATABASE_URL=sqlite:${UNSET_1}/app.db", Err(("UNSET_1", (1, 21)))),
            ("A=1\nDATABASE_URL=\"${UNSET_1}/app.db\"", Err(("UNSET_1", (2, 15)))),
            ("DATABASE_URL=$UNSET1", Err(("UNSET1", (1, 14)))),
            ("A=${UNSET_1}\nDATABASE_URL=$A/app.db", Err(("UNSET_1", (1, 3)))),
            ("DATABASE_URL=\nDATABASE_URL=${UNSET_1}app.db", Err(("UNSET_1", (2, 14)))),
            ("DATABASE_URL=\nDATABASE_URL=a.db\nDATABASE_URL=${UNSET_1}", Ok("a.db")),
            ("DATABASE_URL=${UNSET_1:-x}/app.db", Err(("UNSET_1:-x", (1, 14)))),
            ("UNSET_1=x\nDATABASE_URL=${UNSET_1}/app.db", Ok("x/app.db")),
            ("UNSET_1=\nDATABASE_URL=${UNSET_1}app.db", Ok("app.db")),
            ("OTHER=${UNSET_1}\nDATABASE_URL=app.db", Ok("app.db")),
            ("DATABASE_URL='${UNSET_1}.db'", Ok("${UNSET_1}.db")),
            ("DATABASE_URL='${UNSET_1:-x}.db'", Ok("${UNSET_1:-x}.db")),
            ("DATABASE_URL=\\$UNSET1.db", Ok("$UNSET1.db")),
        ];
        for (text, expected) in cases {
            let found = read(text.as_bytes());
            match expected {
                Ok(url) => assert_eq!(found.ok().flatten().as_deref(), Some(url), "{text}"),
                Err((name, position)) => {
                    let error = found.expect_err(text);
                    let message = format!("DATABASE_URL is made of the variable {name}, which is not set");
                    assert_eq!(error.message, message, "{text}");
                    assert_eq!(error.place.and_then(|place| place.position), Some(position), "{text}");
                }
            }
        }
    }
}
