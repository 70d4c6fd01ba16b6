//! Tells the tables in which virtual tables keep their rows from others, by their names. `pragma_table_list` knows too, and
//! compiles every view of the database to say so, for however long its maker likes.

use super::catalog::module;
use crate::grants::{Schema, Table};
use crate::sql::{self, Token};

/// The virtual tables of a database.
#[derive(Debug, Default)]
pub(crate) struct Shadows(Schema);

impl Shadows {
    /// Adds what may be a virtual table, by its name and the text that made it.
    pub(crate) fn add(&mut self, name: &str, sql: &str) {
        let tokens: Vec<Token<'_>> = sql::tokens(sql).filter(Token::is_significant).collect();
        if let Some(module) = module(&tokens) {
            self.0.tables.insert(name.to_ascii_lowercase(), Table { module: Some(module), ..Table::default() });
        }
    }

    /// Tells whether one of them keeps its rows in this table.
    pub(crate) fn has(&self, table: &str) -> bool {
        self.0.owner_of_shadow(table).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_tables_behind_virtual_ones() {
        let mut shadows = Shadows::default();
        shadows.add("Docs", "CREATE VIRTUAL TABLE IF NOT EXISTS Docs USING fts5(x)");
        shadows.add("box", "CREATE TABLE box (x)");
        for (table, expected) in [("docs_data", true), ("DOCS_IDX", true), ("docs_parent", false), ("box_node", false)]
        {
            assert_eq!(shadows.has(table), expected, "{table}");
        }
    }
}
