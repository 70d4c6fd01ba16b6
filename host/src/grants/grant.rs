//! What a manifest asks for, read strictly.

use std::fmt;

use serde::Deserialize;

/// A table, and the columns of it where not all are meant: `customer(first_name, last_name)`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct TableGrant {
    /// Name of the table, or a prefix followed by `*`.
    pub table: String,
    /// The columns; empty means all.
    pub columns: Vec<String>,
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

/// The `[grants]` of a manifest.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Grants {
    /// Tables and columns to read.
    pub read: Vec<TableGrant>,
    /// Tables to insert into.
    pub insert: Vec<TableGrant>,
    /// Tables and columns to update.
    pub update: Vec<TableGrant>,
    /// Tables to delete from.
    pub delete: Vec<TableGrant>,
    /// Tables and indexes to create.
    pub create: Vec<TableGrant>,
    /// Tables to alter.
    pub alter: Vec<TableGrant>,
    /// Tables and indexes to drop.
    pub drop: Vec<TableGrant>,
    /// Tables to put triggers on.
    pub trigger: Vec<TableGrant>,
    /// Views to create or drop.
    pub view: Vec<TableGrant>,
    /// SQL functions beyond the deterministic ones.
    pub functions: Vec<String>,
}

impl Grants {
    /// Returns the kinds of grant with what was asked for under each, in a fixed order, empty kinds left out.
    pub fn lines(&self) -> Vec<(&'static str, Vec<String>)> {
        let tables = [
            ("read", &self.read),
            ("insert", &self.insert),
            ("update", &self.update),
            ("delete", &self.delete),
            ("create", &self.create),
            ("alter", &self.alter),
            ("drop", &self.drop),
            ("trigger", &self.trigger),
            ("view", &self.view),
        ];
        let mut lines: Vec<(&'static str, Vec<String>)> = tables
            .into_iter()
            .filter(|(_, grants)| !grants.is_empty())
            .map(|(kind, grants)| (kind, grants.iter().map(TableGrant::to_string).collect()))
            .collect();
        if !self.functions.is_empty() {
            lines.push(("functions", self.functions.clone()));
        }
        lines
    }
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
    }
}
