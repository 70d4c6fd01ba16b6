//! What a manifest asks for and a policy gives, read strictly.

use std::fmt;

use serde::{Deserialize, Deserializer};

use super::Verb;

/// A table, and the columns of it where not all are meant: `customer(first_name, last_name)`.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(try_from = "String")]
pub struct TableGrant {
    /// Name of the table, or a prefix followed by `*`.
    pub table: String,
    /// The columns; empty means all.
    pub columns: Vec<String>,
}

impl TableGrant {
    /// Means a whole table, index or view.
    pub fn whole(table: impl Into<String>) -> Self {
        Self { table: table.into(), columns: Vec::new() }
    }

    /// Means some columns of a table.
    pub fn columns(table: impl Into<String>, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { table: table.into(), columns: columns.into_iter().map(Into::into).collect() }
    }

    /// Tells whether it ends with `*`.
    pub fn is_pattern(&self) -> bool {
        self.table.ends_with('*')
    }

    /// Tells whether a table of this name is meant, all of it or some columns.
    pub fn means_table(&self, table: &str) -> bool {
        match self.table.strip_suffix('*') {
            Some(prefix) => starts_with(table, prefix),
            None => self.table.eq_ignore_ascii_case(table),
        }
    }

    /// Tells whether this column of this table is meant.
    pub fn means_column(&self, table: &str, column: &str) -> bool {
        let listed = |column: &str| self.columns.iter().any(|own| own.eq_ignore_ascii_case(column));
        self.means_table(table) && (self.columns.is_empty() || listed(column))
    }

    /// Tells whether every table that `other` can mean is meant here.
    pub(super) fn means_tables_of(&self, other: &Self) -> bool {
        match (self.table.strip_suffix('*'), other.table.strip_suffix('*')) {
            (Some(prefix), Some(narrower)) => starts_with(narrower, prefix),
            (Some(prefix), None) => starts_with(&other.table, prefix),
            (None, Some(_)) => false,
            (None, None) => self.table.eq_ignore_ascii_case(&other.table),
        }
    }
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

impl TryFrom<String> for TableGrant {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let trimmed = text.trim();
        let (table, columns) = match trimmed.split_once('(') {
            None => (trimmed, Vec::new()),
            Some((table, rest)) => {
                let inside =
                    rest.strip_suffix(')').ok_or_else(|| format!("\"{text}\" lacks its closing parenthesis"))?;
                let columns: Vec<String> = inside.split(',').map(|column| column.trim().to_owned()).collect();
                if columns.iter().any(String::is_empty) {
                    return Err(format!("\"{text}\" has an empty column name"));
                }
                (table.trim_end(), columns)
            }
        };
        if table.is_empty() {
            return Err(format!("\"{text}\" names no table"));
        }
        if table.trim_end_matches('*').contains('*') || table.ends_with("**") {
            return Err(format!("\"{text}\": `*` may only stand once, at the end of a table's name"));
        }
        Ok(Self { table: table.to_owned(), columns })
    }
}

impl fmt::Display for TableGrant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.table)?;
        if !self.columns.is_empty() {
            write!(formatter, "({})", self.columns.join(", "))?;
        }
        Ok(())
    }
}

/// The `[grants]` of a manifest or a policy.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Grants {
    /// Tables and columns to read.
    pub read: Vec<TableGrant>,
    /// Tables to insert into.
    #[serde(deserialize_with = "whole")]
    pub insert: Vec<TableGrant>,
    /// Tables and columns to update.
    pub update: Vec<TableGrant>,
    /// Tables to delete from.
    #[serde(deserialize_with = "whole")]
    pub delete: Vec<TableGrant>,
    /// Tables and indexes to create.
    #[serde(deserialize_with = "whole")]
    pub create: Vec<TableGrant>,
    /// Tables and columns that foreign keys may refer to.
    pub reference: Vec<TableGrant>,
    /// Tables to alter.
    #[serde(deserialize_with = "whole")]
    pub alter: Vec<TableGrant>,
    /// Tables and indexes to drop.
    #[serde(deserialize_with = "whole")]
    pub drop: Vec<TableGrant>,
    /// Tables to put triggers on.
    #[serde(deserialize_with = "whole")]
    pub trigger: Vec<TableGrant>,
    /// Views to create or drop.
    #[serde(deserialize_with = "whole")]
    pub view: Vec<TableGrant>,
    /// SQL functions beyond the deterministic ones.
    pub functions: Vec<String>,
}

/// Reads grants that have no columns.
fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<TableGrant>, D::Error> {
    let grants = Vec::<TableGrant>::deserialize(deserializer)?;
    match grants.iter().find(|grant| !grant.columns.is_empty()) {
        None => Ok(grants),
        Some(grant) => Err(serde::de::Error::custom(format!(
            "\"{grant}\": only read, update and reference take columns, here it is \"{}\"",
            grant.table
        ))),
    }
}

impl Grants {
    /// Counts the grants, one on columns as often as it names one.
    pub(crate) fn amount(&self) -> usize {
        let on = |verb| self.of(verb).iter().map(|grant| grant.columns.len().max(1)).sum::<usize>();
        Verb::ALL.into_iter().map(on).sum::<usize>() + self.functions.len()
    }

    /// Returns the grants of one kind.
    pub fn of(&self, verb: Verb) -> &[TableGrant] {
        match verb {
            Verb::Read => &self.read,
            Verb::Insert => &self.insert,
            Verb::Update => &self.update,
            Verb::Delete => &self.delete,
            Verb::Create => &self.create,
            Verb::Reference => &self.reference,
            Verb::Alter => &self.alter,
            Verb::Drop => &self.drop,
            Verb::Trigger => &self.trigger,
            Verb::View => &self.view,
        }
    }

    /// Returns the grants of one kind, to be changed.
    pub fn of_mut(&mut self, verb: Verb) -> &mut Vec<TableGrant> {
        match verb {
            Verb::Read => &mut self.read,
            Verb::Insert => &mut self.insert,
            Verb::Update => &mut self.update,
            Verb::Delete => &mut self.delete,
            Verb::Create => &mut self.create,
            Verb::Reference => &mut self.reference,
            Verb::Alter => &mut self.alter,
            Verb::Drop => &mut self.drop,
            Verb::Trigger => &mut self.trigger,
            Verb::View => &mut self.view,
        }
    }

    /// Tells whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the kinds of grant with what is in it under each, in a fixed order, empty kinds left out.
    pub fn lines(&self) -> Vec<(&'static str, Vec<String>)> {
        let mut lines: Vec<(&'static str, Vec<String>)> = Verb::ALL
            .into_iter()
            .filter(|verb| !self.of(*verb).is_empty())
            .map(|verb| (verb.as_str(), self.of(verb).iter().map(TableGrant::to_string).collect()))
            .collect();
        if !self.functions.is_empty() {
            lines.push(("functions", self.functions.clone()));
        }
        lines
    }

    /// Writes the lines of a TOML table, without its head, ready to paste.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        for (key, objects) in self.lines() {
            let quoted: Vec<String> = objects.iter().map(|object| quoted(object)).collect();
            text.push_str(&format!("{key} = [{}]\n", quoted.join(", ")));
        }
        text
    }
}

/// Tells whether a character is told by its number: whatever shows the text would do so too, and not as TOML does.
fn is_shown_escaped(character: char) -> bool {
    character.is_control() || (!character.is_ascii() && character.escape_debug().len() > 1)
}

/// Writes a text as TOML does.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            _ if is_shown_escaped(character) => match u32::from(character) {
                code @ ..=0xFFFF => quoted.push_str(&format!("\\u{code:04X}")),
                code => quoted.push_str(&format!("\\U{code:08X}")),
            },
            _ => quoted.push(character),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_tables_columns_and_prefixes() {
        let cases = [("customer", "customer", 0), (" customer ( a , b ) ", "customer", 2), ("acme_*", "acme_*", 0)];
        for (text, table, columns) in cases {
            let grant = TableGrant::try_from(text.to_owned()).expect(text);
            assert_eq!((grant.table.as_str(), grant.columns.len()), (table, columns));
        }
    }

    #[test]
    fn refuses_what_cannot_be_meant() {
        for text in ["", "(a)", "t(", "t(a,)", "t()", "*_x", "a**"] {
            assert!(TableGrant::try_from(text.to_owned()).is_err(), "{text}");
        }
        for text in ["insert = ['t(a)']", "delete = ['t(a)']", "trigger = ['t(a)']"] {
            assert!(
                toml::from_str::<Grants>(text).unwrap_err().message().contains("only read, update and reference"),
                "{text}"
            );
        }
    }

    #[test]
    fn means_names_whatever_their_case() {
        let cases = [
            ("customer", "CUSTOMER", "x", true),
            ("customer", "customers", "x", false),
            ("customer(a)", "customer", "A", true),
            ("customer(a)", "customer", "b", false),
            ("acme_*", "ACME_order", "x", true),
            ("acme_*(a)", "acme_order", "b", false),
            ("acme_*", "acme", "x", false),
            ("*", "", "x", true),
            ("é*", "e", "x", false),
        ];
        for (grant, table, column, meant) in cases {
            let parsed = TableGrant::try_from(grant.to_owned()).expect(grant);
            assert_eq!(parsed.means_column(table, column), meant, "{grant} {table} {column}");
        }
    }

    #[test]
    fn writes_what_it_reads() {
        let text =
            "read = [\"a(b, c)\", \"d\"]\ndrop = [\"x\\\"\\\\\\u001B\\u202E\\U000E0041é_*\"]\nfunctions = [\"now\"]\n";
        let grants: Grants = toml::from_str(text).expect("grants");
        assert_eq!(grants.to_toml(), text);
    }
}
