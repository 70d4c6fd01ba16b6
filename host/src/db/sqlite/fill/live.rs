//! Reads from the live schema what rows of a table have to be like.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Statement};

use super::values::LONGEST;
use super::{Checks, FillError, Kind, nearest};
use crate::db::quote_identifier;
use crate::sql::{self, Token, TokenKind};

const WHAT: &str = "SELECT l.name, l.type, l.wr, s.sql FROM pragma_table_list l \
    LEFT JOIN sqlite_schema s ON s.name = l.name AND s.type = 'table' \
    WHERE l.schema = 'main' AND l.name = ? COLLATE NOCASE";
const TABLES: &str = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite^_%' ESCAPE '^'";
const COLUMNS: &str = "SELECT name, type, \"notnull\", pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid";
const KEYS: &str = "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq";
const PRIMARY: &str = "SELECT name FROM pragma_table_xinfo(?) WHERE pk > 0 ORDER BY pk";

/// A column that is given a value.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The most characters, as `VARCHAR(20)` says.
    pub(super) longest: Option<usize>,
    /// Values that stand in checks on it, and those beside them.
    pub(super) words: Vec<Value>,
    /// Lengths that checks on it speak of.
    pub(super) lengths: Vec<usize>,
    not_null: bool,
    in_key: bool,
}

impl Column {
    pub(super) fn is_nullable(&self) -> bool {
        !self.not_null && !self.in_key
    }
}

/// A table as it is.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    keys: Vec<ForeignKey>,
    /// Conditions on one column only: which, and the expression.
    conditions: Vec<(usize, String)>,
    without_rowid: bool,
}

/// Columns that refer to another table, or to this one.
#[derive(Debug)]
struct ForeignKey {
    parent: String,
    /// Which columns of the table.
    columns: Vec<usize>,
    /// Columns of the parent.
    to: Vec<String>,
}

/// What a foreign key may refer to.
pub(super) struct Parents {
    pub(super) table: String,
    /// Which columns of the table refer to them.
    pub(super) columns: Vec<usize>,
    pub(super) rows: Vec<Vec<Value>>,
}

impl Live {
    pub(super) fn read(connection: &Connection, table: &str) -> Result<Self, FillError> {
        let failed = |source| FillError::Database { table: table.to_owned(), source };
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        let found = connection.query_row(WHAT, [table], row).optional().map_err(failed)?;
        let Some((name, kind, without_rowid, sql)) = found else {
            return Err(FillError::NoTable { table: table.to_owned(), nearest: like(connection, table) });
        };
        let (name, kind): (String, String) = (name, kind);
        let what = match kind.as_str() {
            "table" => None,
            "view" => Some("view"),
            _ => Some("virtual table"),
        };
        if let Some(what) = what {
            return Err(FillError::NotATable { table: name, what });
        }
        let sql: Option<String> = sql;
        Self::of(connection, name, without_rowid, &sql.unwrap_or_default()).map_err(failed)
    }

    fn of(connection: &Connection, name: String, without_rowid: bool, sql: &str) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare(COLUMNS)?;
        let rows = statement.query_map([&name], |row| {
            let declared: String = row.get(1)?;
            let hidden: i64 = row.get(4)?;
            let column = Column {
                name: row.get(0)?,
                kind: Kind::of(&declared),
                longest: longest(&declared),
                words: Vec::new(),
                lengths: Vec::new(),
                not_null: row.get(2)?,
                in_key: row.get::<_, i64>(3)? > 0,
            };
            Ok((column, declared.eq_ignore_ascii_case("INTEGER"), hidden != 0))
        })?;
        let all: Vec<(Column, bool, bool)> = rows.collect::<rusqlite::Result<_>>()?;
        let mut statement = connection.prepare("SELECT \"from\" FROM pragma_foreign_key_list(?)")?;
        let refers = statement.query_map([&name], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
        let refers = |column: &Column| refers.iter().any(|name| name.eq_ignore_ascii_case(&column.name));
        // SQLite numbers the rows itself where the key is one whole number.
        let is_numbered = !without_rowid && all.iter().filter(|(column, ..)| column.in_key).count() == 1;
        let is_left = |column: &Column, is_integer: bool| is_numbered && is_integer && column.in_key && !refers(column);
        let given =
            all.into_iter().filter(|(column, is_integer, is_generated)| !is_generated && !is_left(column, *is_integer));
        let columns = given.map(|(column, ..)| column).collect();
        let mut live = Self { name, columns, keys: Vec::new(), conditions: Vec::new(), without_rowid };
        live.keys = live.foreign_keys(connection)?;
        live.read_checks(sql);
        Ok(live)
    }

    fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|own| own.name.eq_ignore_ascii_case(column))
    }

    fn foreign_keys(&self, connection: &Connection) -> rusqlite::Result<Vec<ForeignKey>> {
        let mut statement = connection.prepare(KEYS)?;
        let rows = statement.query_map([&self.name], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?, row.get(3)?))
        })?;
        let mut keys: Vec<(i64, ForeignKey)> = Vec::new();
        for row in rows {
            let (id, parent, from, to): (i64, String, String, Option<String>) = row?;
            // A key of which a column is not ours to give, such as the row's own number, is left to SQLite.
            let Some(column) = self.place(&from) else { continue };
            match keys.last_mut().filter(|(last, _)| *last == id) {
                Some((_, key)) => {
                    key.columns.push(column);
                    key.to.extend(to);
                }
                None => keys.push((id, ForeignKey { parent, columns: vec![column], to: to.into_iter().collect() })),
            }
        }
        let mut primary = connection.prepare(PRIMARY)?;
        for (_, key) in keys.iter_mut().filter(|(_, key)| key.to.is_empty()) {
            key.to = primary.query_map([&key.parent], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        }
        // One that fits no key of its parent fails when a row comes, and SQLite says how.
        keys.retain(|(_, key)| key.to.len() == key.columns.len());
        Ok(keys.into_iter().map(|(_, key)| key).collect())
    }

    /// Reads the rows that the foreign keys may refer to.
    pub(super) fn parents(&self, connection: &Connection) -> rusqlite::Result<Vec<Parents>> {
        let read = |key: &ForeignKey| {
            let exists = connection.prepare(&format!("SELECT 1 FROM main.{}", quote_identifier(&key.parent))).is_ok();
            let rows = match exists {
                true => key.read(connection, "")?,
                // Without the table nothing can be referred to.
                false => Vec::new(),
            };
            Ok(Parents { table: key.parent.clone(), columns: key.columns.clone(), rows })
        };
        self.keys.iter().map(read).collect()
    }

    /// Lets later rows refer to the one that was just added, where a table refers to itself.
    pub(super) fn add_own(&self, connection: &Connection, parents: &mut [Parents]) -> rusqlite::Result<()> {
        if self.without_rowid {
            return Ok(());
        }
        for (key, parents) in self.keys.iter().zip(parents) {
            if key.parent.eq_ignore_ascii_case(&self.name) {
                parents.rows.extend(key.read(connection, "AND rowid = last_insert_rowid()")?);
            }
        }
        Ok(())
    }

    /// Prepares the checks on each column.
    pub(super) fn checks<'c>(&self, connection: &'c Connection) -> Checks<'c> {
        let of = |place: usize| {
            let own = self.conditions.iter().filter(move |(column, _)| *column == place);
            let prepared = own.filter_map(|(column, condition)| {
                let name = quote_identifier(&self.columns[*column].name);
                connection.prepare(&format!("SELECT ({condition}) FROM (SELECT ? AS {name})")).ok()
            });
            prepared.collect::<Vec<Statement<'c>>>()
        };
        (0..self.columns.len()).map(of).collect()
    }

    /// Takes from each CHECK the values it speaks of, and the whole of it where it is about one column.
    fn read_checks(&mut self, sql: &str) {
        let tokens: Vec<Token<'_>> = sql::tokens(sql).filter(Token::is_significant).collect();
        for (index, token) in tokens.iter().enumerate() {
            if !token.is_word("CHECK") || tokens.get(index + 1).is_none_or(|next| next.text != "(") {
                continue;
            }
            let inside = inside(&tokens[index + 2..]);
            let mut columns: Vec<usize> = Vec::new();
            for token in inside {
                if let Some(place) =
                    token.name().filter(|_| token.kind != TokenKind::String).and_then(|name| self.place(&name))
                    && !columns.contains(&place)
                {
                    columns.push(place);
                }
            }
            let speaks_of_length = inside.iter().any(|token| token.is_word("length"));
            for place in &columns {
                let column = &mut self.columns[*place];
                for (index, token) in inside.iter().enumerate() {
                    let pattern = index > 0 && ["LIKE", "GLOB"].iter().any(|word| inside[index - 1].is_word(word));
                    column.learn(token, speaks_of_length, pattern);
                }
                if inside.iter().any(|token| token.is_word("json_valid")) {
                    let json = ["{}", "[]", "{\"a\": 1}", "[1, \"two\", null]", "\"text\"", "7"];
                    column.words.extend(json.map(|text| Value::Text(text.to_owned())));
                }
            }
            if let ([only], [first, .., last] | [first @ last]) = (columns.as_slice(), inside) {
                self.conditions.push((*only, sql[first.start..last.end()].to_owned()));
            }
        }
    }
}

impl ForeignKey {
    /// Reads what can be referred to, in one order whatever order it came in.
    fn read(&self, connection: &Connection, and: &str) -> rusqlite::Result<Vec<Vec<Value>>> {
        let columns: Vec<String> = self.to.iter().map(|column| quote_identifier(column)).collect();
        let is_there: Vec<String> = columns.iter().map(|column| format!("{column} IS NOT NULL")).collect();
        let (list, parent, is_there) = (columns.join(", "), quote_identifier(&self.parent), is_there.join(" AND "));
        let sql = format!("SELECT {list} FROM main.{parent} WHERE {is_there} {and} ORDER BY {list}");
        let mut statement = connection.prepare(&sql)?;
        let count = columns.len();
        let rows = statement.query_map([], |row| (0..count).map(|index| row.get(index)).collect())?;
        rows.collect()
    }
}

impl Column {
    /// Takes what a check says into account.
    fn learn(&mut self, token: &Token<'_>, speaks_of_length: bool, pattern: bool) {
        if token.kind == TokenKind::String && token.text.starts_with('\'') {
            let text = token.name().unwrap_or_default();
            let text = if pattern { fitting(&text) } else { text };
            self.words.push(Value::Text(text));
        } else if let Ok(number) = token.text.parse::<i64>() {
            if speaks_of_length {
                let lengths =
                    [number - 1, number, number + 1].into_iter().filter_map(|length| usize::try_from(length).ok());
                self.lengths.extend(lengths.filter(|length| *length <= LONGEST));
            }
            self.words.extend([number.saturating_sub(1), number, number.saturating_add(1)].map(Value::Integer));
        } else if let Ok(number) = token.text.parse::<f64>() {
            self.words.extend([number / 2.0, number, number + 1.0].map(Value::Real));
        }
    }
}

/// Makes a text that fits a pattern of LIKE or GLOB.
fn fitting(pattern: &str) -> String {
    let mut text = String::new();
    let mut rest = pattern.chars();
    while let Some(character) = rest.next() {
        match character {
            '%' | '*' => text.push_str("ab"),
            '_' | '?' => text.push('a'),
            '[' => {
                let set: Vec<char> = rest.by_ref().take_while(|character| *character != ']').collect();
                text.push(match set.as_slice() {
                    ['^', ..] => 'a',
                    [first, ..] => *first,
                    [] => '[',
                });
            }
            other => text.push(other),
        }
    }
    text
}

/// Returns what stands before the parenthesis that closes the one just opened.
fn inside<'a, 't>(tokens: &'a [Token<'t>]) -> &'a [Token<'t>] {
    let mut depth = 1_usize;
    let end = tokens.iter().position(|token| {
        match token.text {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    &tokens[..end.unwrap_or(tokens.len())]
}

/// Returns the most characters that a type such as `VARCHAR(20)` takes; SQLite itself takes more.
fn longest(declared: &str) -> Option<usize> {
    let upper = declared.to_ascii_uppercase();
    let is_text = ["CHAR", "CLOB", "TEXT"].iter().any(|word| upper.contains(word));
    let number = declared.split_once('(')?.1.split_once(')')?.0;
    number.trim().parse().ok().filter(|_| is_text)
}

fn like(connection: &Connection, table: &str) -> Option<String> {
    let mut statement = connection.prepare(TABLES).ok()?;
    let rows = statement.query_map([], |row| row.get(0)).ok()?;
    let tables: Vec<String> = rows.collect::<rusqlite::Result<_>>().ok()?;
    nearest(table, &tables)
}
