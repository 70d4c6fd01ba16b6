//! `[placeholders]`, `[chains.<name>.placeholders]`, `[env.<name>.placeholders]` and `--set`: the values for names in
//! scripts. Reads a variable of the environment only where a table names it.

use std::collections::BTreeMap;
use std::env;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};
use whimbrel::model::Placeholders;
use whimbrel::sql;

use super::config::Config;

/// Values by their names.
pub(super) type Table = BTreeMap<Name, Value>;

/// What names stand between, and whether they are replaced.
#[derive(Clone, Default)]
pub(super) struct Marks {
    pub(super) replacement: Option<bool>,
    pub(super) prefix: Option<String>,
    pub(super) suffix: Option<String>,
}

/// A name as the key of a table.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        check(&name).map_err(serde::de::Error::custom)?;
        Ok(Self(name))
    }
}

/// A value, or where it comes from.
#[derive(Clone, Deserialize)]
#[serde(untagged, expecting = "a text, a number, true or false, or `{ env = \"VARIABLE\" }`")]
pub(super) enum Value {
    Text(String),
    Whole(i64),
    Number(f64),
    Whether(bool),
    Variable(Variable),
}

/// A variable of the environment.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Variable {
    env: String,
    default: Option<String>,
}

/// Reads `NAME=VALUE`.
pub(crate) fn parse_set(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    check(name)?;
    Ok((name.to_owned(), value.to_owned()))
}

fn check(name: &str) -> Result<(), String> {
    if sql::is_name(name) {
        return Ok(());
    }
    Err(format!("\"{}\" cannot be a placeholder: write letters, digits and `_ - . :`", name.escape_debug()))
}

/// Puts together what a chain is given; the later table comes first, and what was typed before all. Without `chain` it
/// is what all chains of the operator's own are given.
pub(super) fn of(
    config: &Config,
    chain: Option<&str>,
    environment: Option<(&str, &Table)>,
    typed: &[(String, String)],
) -> Placeholders {
    let own = chain.and_then(|chain| config.chains.get(chain)).map(toml::Spanned::get_ref);
    let is_stranger = own.is_some_and(super::policy::ChainTable::is_untrusted);
    let mut placeholders = marked(&config.marks);
    if is_stranger {
        return own.map_or(placeholders.clone(), |own| add(placeholders, &own.placeholders));
    }
    placeholders = add(placeholders, &config.placeholders);
    if let Some(own) = own {
        placeholders = add(placeholders, &own.placeholders);
    }
    if let Some((name, table)) = environment {
        placeholders = add(placeholders, table).environment_name(name);
    }
    placeholders = typed.iter().fold(placeholders, |all, (name, value)| all.set(name, value));
    placeholders.environment(Arc::new(|name| env::var(name).ok()))
}

fn marked(marks: &Marks) -> Placeholders {
    let placeholders = Placeholders::new().marks(
        marks.prefix.clone().unwrap_or_else(|| "${".to_owned()),
        marks.suffix.clone().unwrap_or_else(|| "}".to_owned()),
    );
    match marks.replacement {
        Some(on) => placeholders.replacement(on),
        None => placeholders,
    }
}

fn add(placeholders: Placeholders, table: &Table) -> Placeholders {
    table.iter().fold(placeholders, |all, (Name(name), value)| match value {
        Value::Text(text) => all.set(name, text),
        Value::Whole(number) => all.set(name, number.to_string()),
        Value::Number(number) => all.set(name, number.to_string()),
        Value::Whether(whether) => all.set(name, whether.to_string()),
        Value::Variable(Variable { env: variable, default }) => {
            match env::var(variable).ok().or_else(|| default.clone()) {
                Some(value) => all.set(name, value),
                None => all.unset(name, variable),
            }
        }
    })
}
