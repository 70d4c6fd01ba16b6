//! What a query has not read yet, when something is written where it goes on reading.
//!
//! SQLite leaves open whether a query meets rows that were added or moved since it began, and one that walks an index meets what
//! is moved ahead of it again and again. <https://sqlite.org/isolation.html> So what is left is read before such a write, and
//! kept: SQL calls a cursor that does so insensitive.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rusqlite::Connection;
use whimbrel_packed::{BatchBuilder, CheckedBatch};

use super::meter::Meter;
use super::raw_statement::RawStatement;
use super::run::{self, RunError};
use crate::db::{DbError, ErrorCode};
use crate::limits::LimitReached;
use crate::sql::{self, TokenKind};

/// Most bytes that are kept of all queries of a session.
const MOST: usize = 256 << 20;
/// Rows, and bytes, of a part of what is kept.
const ROWS: usize = 1024;
const BYTES: usize = 1 << 20;

/// The flag of an insertion that puts a row in place of itself, and of a deletion that does nothing.
/// <https://sqlite.org/opcode.html> does not have them; `OPFLAG_ISUPDATE` and `OPFLAG_ISNOOP` in SQLite's source.
const IS_UPDATE: i64 = 0x04;
const IS_NOTHING: i64 = 0x40;

/// A tree: the number of its database, and the page of its root. Virtual tables have none, and count as one.
pub(super) type Tree = (i64, i64);
const VIRTUAL: Tree = (-1, 0);

/// The trees that a query goes on walking between its rows; none of one that has read all before its first row.
pub(super) fn walked(connection: &Connection, sql: &str) -> rusqlite::Result<BTreeSet<Tree>> {
    let programs = explain(connection, sql)?;
    let Some(program) = programs.first() else { return Ok(BTreeSet::new()) };
    if program.iter().any(|step| step.operation == "OpenWrite") {
        // It has written all before its first row.
        return Ok(BTreeSet::new());
    }
    // Where parts of a program take turns, where they stand tells nothing.
    let takes_turns = program.iter().any(|step| matches!(&*step.operation, "Yield" | "Gosub"));
    let sorted = program.iter().rev().find(|step| matches!(&*step.operation, "Sort" | "SorterSort"));
    let begin = sorted.filter(|_| !takes_turns).map_or(0, |step| step.address);
    let trees = trees(program);
    let moves = program.iter().filter(|step| step.address >= begin);
    let moved = moves.filter_map(|step| match &*step.operation {
        "Next" | "Prev" => trees.get(&step.p1).cloned(),
        "VNext" => Some(BTreeSet::from([VIRTUAL])),
        _ => None,
    });
    Ok(moved.flatten().collect())
}

/// The trees in which a statement, with its triggers, puts entries where none was: of new rows, and of rows that it moves.
pub(super) fn filled(connection: &Connection, sql: &str) -> rusqlite::Result<BTreeSet<Tree>> {
    let mut filled = BTreeSet::new();
    for program in explain(connection, sql)? {
        let trees = trees(&program);
        let takes_out = |cursor| {
            program.iter().any(|step| step.operation == "Delete" && step.p1 == cursor && step.p2 & IS_NOTHING == 0)
        };
        for step in &program {
            let is_new = match &*step.operation {
                "IdxInsert" => true,
                "Insert" => step.p5 & IS_UPDATE == 0 || takes_out(step.p1),
                "VUpdate" => {
                    filled.insert(VIRTUAL);
                    false
                }
                _ => false,
            };
            if is_new {
                filled.extend(trees.get(&step.p1).into_iter().flatten().copied());
            }
        }
    }
    Ok(filled)
}

/// Tells whether a statement may write rows. What changes the schema is another thing: then a query has other columns.
pub(super) fn may_fill(sql: &str) -> bool {
    const WRITE: [&str; 5] = ["INSERT", "UPDATE", "DELETE", "REPLACE", "WITH"];
    let first = sql::tokens(sql).find(sql::Token::is_significant);
    first.is_some_and(|token| WRITE.iter().any(|word| token.is_word(word)))
}

/// One instruction of a statement's program.
struct Step {
    address: i64,
    operation: String,
    p1: i64,
    p2: i64,
    p3: i64,
    p5: i64,
}

/// Returns the program of a statement, and that of each of its triggers. Only for the host, without any restriction in force.
fn explain(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<Vec<Step>>> {
    let begins = sql::tokens(sql).find(|token| token.is_significant() && token.kind != TokenKind::Semicolon);
    let text = begins.map_or(sql, |token| &sql[token.start..]);
    let mut statement = connection.prepare(&format!("EXPLAIN {text}"))?;
    let mut rows = statement.raw_query();
    let mut programs: Vec<Vec<Step>> = Vec::new();
    while let Some(row) = rows.next()? {
        let (address, operation) = (row.get(0)?, row.get(1)?);
        let step = Step { address, operation, p1: row.get(2)?, p2: row.get(3)?, p3: row.get(4)?, p5: row.get(6)? };
        match programs.last_mut().filter(|_| address != 0) {
            Some(program) => program.push(step),
            None => programs.push(vec![step]),
        }
    }
    Ok(programs)
}

/// The trees of the cursors of a program.
fn trees(program: &[Step]) -> BTreeMap<i64, BTreeSet<Tree>> {
    let mut trees: BTreeMap<i64, BTreeSet<Tree>> = BTreeMap::new();
    for step in program {
        if matches!(&*step.operation, "OpenRead" | "OpenWrite" | "ReopenIdx") {
            trees.entry(step.p1).or_default().insert((step.p3, step.p2));
        }
    }
    trees
}

/// The rest of a query.
pub(super) struct Kept {
    pub(super) sql: String,
    pub(super) columns: Vec<String>,
    parts: VecDeque<CheckedBatch>,
    /// The next row of the first part.
    next: usize,
    /// What came instead of more rows.
    end: Option<RunError>,
    bytes: usize,
}

impl Kept {
    /// Reads the rest, as far as there is room beside so many bytes that are kept already.
    pub(super) fn rest_of(
        statement: &mut RawStatement<'_>,
        sql: &str,
        columns: Vec<String>,
        meter: &Meter,
        beside: usize,
    ) -> Self {
        let mut kept = Self { sql: sql.to_owned(), columns, parts: VecDeque::new(), next: 0, end: None, bytes: 0 };
        let mut rows = BatchBuilder::new(kept.columns.len());
        loop {
            let more = run::fetch(statement, ROWS, BYTES, &|_| Ok(()), meter, &mut rows);
            if rows.rows() > 0 {
                let part = rows.finish_checked();
                kept.bytes += part.bytes();
                kept.parts.push_back(part);
            }
            match more {
                Ok(true) if kept.bytes.saturating_add(beside) <= MOST => {}
                Ok(false) => break,
                Ok(true) => {
                    kept.end = Some(too_much().into());
                    break;
                }
                Err(error) => {
                    kept.end = Some(error);
                    break;
                }
            }
        }
        kept
    }

    /// How many bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends rows until the bounds are met; `false` when there are no more.
    pub(super) fn fetch(
        &mut self,
        max_rows: usize,
        max_bytes: usize,
        most_bytes: &dyn Fn(usize) -> Result<(), LimitReached>,
        out: &mut BatchBuilder,
    ) -> Result<bool, RunError> {
        loop {
            if out.rows() >= max_rows || out.bytes() >= max_bytes {
                return Ok(true);
            }
            let Some(part) = self.parts.front() else { return self.end.take().map_or(Ok(false), Err) };
            for column in 0..self.columns.len() {
                let cell = part.cell(self.next, column);
                run::room_for(out, cell, most_bytes)?;
                let pushed = out.push(column, cell);
                pushed.map_err(|full| DbError::new(ErrorCode::Limit, full.to_string()))?;
            }
            self.next += 1;
            if self.next == part.rows() {
                self.bytes -= part.bytes();
                self.parts.pop_front();
                self.next = 0;
            }
        }
    }
}

fn too_much() -> DbError {
    let message = format!(
        "the query goes on reading where rows have been written since it began, and more than {} MiB of it were left then: read \
         all of it before, or write into a table of its own first",
        MOST >> 20
    );
    DbError::new(ErrorCode::Database, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        let schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b); CREATE INDEX t_a ON t (a);
            CREATE TABLE w (k PRIMARY KEY, v) WITHOUT ROWID; CREATE TABLE log (x); CREATE TEMP TABLE p (x);
            CREATE TRIGGER g AFTER DELETE ON log BEGIN INSERT INTO w VALUES (1, 2); END;
            CREATE VIRTUAL TABLE f USING fts5(x);";
        connection.execute_batch(schema).unwrap();
        connection
    }

    fn names(connection: &Connection, trees: &BTreeSet<Tree>) -> String {
        let name = |(database, root): &Tree| -> String {
            let schema = match database {
                0 => "main.sqlite_schema",
                1 => "temp.sqlite_schema",
                _ => return "virtual".to_owned(),
            };
            let sql = format!("SELECT name FROM {schema} WHERE rootpage = ?");
            connection.query_row(&sql, [root], |row| row.get(0)).unwrap()
        };
        let mut names: Vec<String> = trees.iter().map(name).collect();
        names.sort_unstable();
        names.join(" ")
    }

    #[test]
    fn knows_what_a_query_goes_on_walking() {
        let connection = connection();
        for (sql, expected) in [
            ("SELECT * FROM t", "t"),
            ("SELECT id FROM t WHERE a > 1", "t_a"),
            ("SELECT b FROM t WHERE a > 1", "t_a"),
            ("SELECT * FROM t ORDER BY a", "t_a"),
            ("SELECT * FROM t ORDER BY b", ""),
            ("SELECT * FROM t WHERE id = 1", ""),
            ("SELECT t.id FROM t JOIN log ON log.x = t.b", "log t"),
            ("SELECT b, count(*) FROM t GROUP BY b", "t"),
            ("SELECT id FROM t WHERE a = 1 OR id > 5", "t t_a"),
            ("SELECT x FROM log UNION ALL SELECT k FROM w ORDER BY 1", "log w"),
            ("SELECT * FROM w", "w"),
            ("SELECT * FROM p", "p"),
            ("SELECT * FROM f", "virtual"),
            ("INSERT INTO log SELECT a FROM t RETURNING x", ""),
        ] {
            let walked = walked(&connection, sql).unwrap();
            let found = names(&connection, &walked);
            let found = found.replace("sqlite_autoindex_w_1", "w");
            // The planner may take either for a condition on one of two.
            assert!(found == expected || expected == "log t" && !found.is_empty(), "{sql}: {found}");
        }
    }

    #[test]
    fn knows_where_a_statement_puts_what_was_not_there() {
        let connection = connection();
        for (sql, expected) in [
            ("INSERT INTO t (a) VALUES (1)", "t t_a"),
            ("UPDATE t SET b = 1 WHERE id = 2", ""),
            ("UPDATE t SET a = 1 WHERE id = 2", "t_a"),
            ("UPDATE t SET id = 1 WHERE id = 2", "t t_a"),
            ("UPDATE t SET b = 1", ""),
            ("REPLACE INTO t VALUES (1, 2, 3)", "t t_a"),
            ("INSERT INTO t (id) VALUES (1) ON CONFLICT DO UPDATE SET b = 1", "t t_a"),
            ("DELETE FROM t WHERE a = 1", ""),
            ("DELETE FROM log WHERE x = 1", "w"),
            ("UPDATE w SET v = 1 WHERE k = 1", "w"),
            ("INSERT INTO p VALUES (1)", "p"),
            ("INSERT INTO f VALUES ('x')", "virtual"),
            ("SELECT 1", ""),
        ] {
            let filled = filled(&connection, sql).unwrap();
            assert_eq!(names(&connection, &filled).replace("sqlite_autoindex_w_1", "w"), expected, "{sql}");
        }
    }
}
