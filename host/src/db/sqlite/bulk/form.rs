//! Finds the statement that does for all rows of a batch at once what a statement does for each. Text only.

use super::source::{CELL, COLUMNS, ROW, ROWS};
use crate::db::quote_identifier;
use crate::sql::{self, Token, TokenKind};

/// A statement that can be run for many rows at once, should its table allow it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Form {
    /// The table that it writes, without quotes.
    pub(super) table: String,
    /// Parameters of the statement for one row.
    pub(super) parameters: usize,
    /// The statement for many rows.
    pub(super) sql: String,
    pub(super) kind: Kind,
}

/// What it does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// Adds the rows.
    Insert,
    /// Updates the rows that these keys have.
    Update {
        /// The column that the last parameter is compared with, without quotes.
        key: String,
        /// The columns written, without quotes.
        written: Vec<String>,
    },
}

impl Form {
    /// Reads a statement for one row; `None` if it is any other.
    pub(super) fn of(sql: &str) -> Option<Self> {
        let tokens: Vec<Token<'_>> = sql::tokens(sql).filter(Token::is_significant).collect();
        let end = tokens.iter().rev().take_while(|token| token.kind == TokenKind::Semicolon).count();
        let mut text = Text { sql, left: &tokens[..tokens.len() - end] };
        let form = if text.word("INSERT") { text.insert() } else { text.word("UPDATE").then(|| text.update())? };
        form.filter(|form| text.left.is_empty() && form.parameters <= COLUMNS)
    }
}

/// What is left to read.
struct Text<'s, 't> {
    sql: &'s str,
    left: &'t [Token<'s>],
}

impl<'s> Text<'s, '_> {
    fn next(&mut self) -> Option<Token<'s>> {
        let (first, left) = self.left.split_first()?;
        self.left = left;
        Some(*first)
    }

    fn word(&mut self, word: &str) -> bool {
        let is_next = self.left.first().is_some_and(|token| token.is_word(word));
        if is_next {
            self.next();
        }
        is_next
    }

    fn mark(&mut self, mark: &str) -> bool {
        let is_next = self.left.first().is_some_and(|token| token.kind == TokenKind::Other && token.text == mark);
        if is_next {
            self.next();
        }
        is_next
    }

    /// Reads a name. Strings are none: SQLite takes them for one here and for a value there.
    fn name(&mut self) -> Option<String> {
        let token = self.next()?;
        if token.kind == TokenKind::String { None } else { token.name() }
    }

    /// Reads `table` or `main.table`.
    fn table(&mut self) -> Option<String> {
        let first = self.name()?;
        if !self.mark(".") {
            return Some(first);
        }
        if first.eq_ignore_ascii_case("main") { self.name() } else { None }
    }

    /// Reads `INTO table [(column, …)] VALUES (?, …)`.
    fn insert(&mut self) -> Option<Form> {
        if !self.word("INTO") {
            return None;
        }
        let table = self.table()?;
        if self.mark("(") {
            loop {
                self.name()?;
                if self.mark(")") {
                    break;
                }
                if !self.mark(",") {
                    return None;
                }
            }
        }
        let values = self.left.first()?.start;
        if !self.word("VALUES") || !self.mark("(") {
            return None;
        }
        let mut parameters = 0;
        loop {
            if !self.mark("?") {
                return None;
            }
            parameters += 1;
            if self.mark(")") {
                break;
            }
            if !self.mark(",") {
                return None;
            }
        }
        let cells: Vec<String> = (0..parameters).map(|column| format!("c{column}")).collect();
        let sql = format!("{}SELECT {} FROM {ROWS}(?1)", &self.sql[..values], cells.join(", "));
        Some(Form { table, parameters, sql, kind: Kind::Insert })
    }

    /// Reads `table SET column = ?, … WHERE key = ?`.
    fn update(&mut self) -> Option<Form> {
        let table = self.table()?;
        if !self.word("SET") {
            return None;
        }
        let mut written = Vec::new();
        loop {
            written.push(self.name()?);
            if !self.mark("=") || !self.mark("?") {
                return None;
            }
            if self.word("WHERE") {
                break;
            }
            if !self.mark(",") {
                return None;
            }
        }
        let key = self.name()?;
        if !self.mark("=") || !self.mark("?") {
            return None;
        }
        let by = quote_identifier(&key);
        let cell =
            |(number, column): (usize, &String)| format!("{} = {CELL}(?1, {number}, {by})", quote_identifier(column));
        let set: Vec<String> = written.iter().enumerate().map(cell).collect();
        let sql = format!(
            "UPDATE main.{} SET {} WHERE {by} BETWEEN ?2 AND ?3 AND (?4 OR {ROW}(?1, {by}))",
            quote_identifier(&table),
            set.join(", ")
        );
        let parameters = written.len() + 1;
        Some(Form { table, parameters, sql, kind: Kind::Update { key, written } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_statement_for_many_rows() {
        let sql = |text| Form::of(text).map(|form| form.sql);
        let insert = "INSERT INTO \"a b\" (x, [y]) -- why\n SELECT c0, c1 FROM _whimbrel_rows(?1)";
        assert_eq!(sql("INSERT INTO \"a b\" (x, [y]) -- why\n VALUES (?, ?);").unwrap(), insert);
        assert_eq!(
            sql("insert into main.t values(?)").unwrap(),
            "insert into main.t SELECT c0 FROM _whimbrel_rows(?1)"
        );
        let update = Form::of("UPDATE t SET a = ?, \"b\" = ? WHERE id = ?").unwrap();
        assert_eq!(
            update.sql,
            "UPDATE main.\"t\" SET \"a\" = _whimbrel_cell(?1, 0, \"id\"), \"b\" = _whimbrel_cell(?1, 1, \"id\") WHERE \
             \"id\" BETWEEN ?2 AND ?3 AND (?4 OR _whimbrel_row(?1, \"id\"))"
        );
        assert_eq!((update.table.as_str(), update.parameters), ("t", 3));
        assert_eq!(update.kind, Kind::Update { key: "id".into(), written: vec!["a".into(), "b".into()] });
    }

    #[test]
    fn leaves_every_other_statement_alone() {
        let many = format!("INSERT INTO t VALUES ({})", vec!["?"; COLUMNS + 1].join(", "));
        for text in [
            "",
            "INSERT",
            "SELECT 1",
            "DELETE FROM t WHERE id = ?",
            "INSERT OR IGNORE INTO t VALUES (?)",
            "REPLACE INTO t VALUES (?)",
            "INSERT INTO temp.t VALUES (?)",
            "INSERT INTO 't' VALUES (?)",
            "INSERT INTO t AS u VALUES (?)",
            "INSERT INTO t VALUES (?), (?)",
            "INSERT INTO t VALUES (?1)",
            "INSERT INTO t VALUES (:a)",
            "INSERT INTO t VALUES (? + 1)",
            "INSERT INTO t VALUES (?) RETURNING a",
            "INSERT INTO t VALUES (?) ON CONFLICT DO NOTHING",
            "INSERT INTO t VALUES (?); SELECT 1",
            "INSERT INTO t DEFAULT VALUES",
            "WITH x AS (SELECT 1) INSERT INTO t VALUES (?)",
            "UPDATE OR IGNORE t SET a = ? WHERE id = ?",
            "UPDATE t SET a = ?",
            "UPDATE t SET a = ? WHERE id = ? AND b = ?",
            "UPDATE t SET a = ? WHERE id > ?",
            "UPDATE t SET a = ? + 1 WHERE id = ?",
            "UPDATE t SET (a, b) = (?, ?) WHERE id = ?",
            "UPDATE t SET a = ? WHERE t.id = ?",
            "UPDATE t SET a = ? WHERE id = ? RETURNING a",
            many.as_str(),
        ] {
            assert_eq!(Form::of(text), None, "{text}");
        }
    }
}
