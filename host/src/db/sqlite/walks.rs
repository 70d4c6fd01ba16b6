//! Finds the trees in whose order a statement walks rows: in its program, since nothing else of SQLite tells.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use crate::sql::{self, TokenKind};

/// What opens a cursor on a tree. <https://sqlite.org/opcode.html>
const OPENS: [&str; 3] = ["OpenRead", "OpenWrite", "ReopenIdx"];
/// What moves a cursor by order. To look for one entry moves none by order.
const MOVES: [&str; 9] = ["Rewind", "Last", "Next", "Prev", "SeekGE", "SeekGT", "SeekLE", "SeekLT", "SeekScan"];

/// Returns the pages at the roots of the trees of the main database that a statement walks, its triggers included. Only
/// for the host, without any restriction in force.
pub(super) fn of(connection: &Connection, sql: &str) -> rusqlite::Result<BTreeSet<i64>> {
    let begins = sql::tokens(sql).find(|token| token.is_significant() && token.kind != TokenKind::Semicolon);
    let text = begins.map_or(sql, |token| &sql[token.start..]);
    let mut statement = connection.prepare(&format!("EXPLAIN {text}"))?;
    let mut rows = statement.raw_query();
    let mut walked = BTreeSet::new();
    let mut program = Program::default();
    while let Some(row) = rows.next()? {
        let (address, operation): (i64, String) = (row.get(0)?, row.get(1)?);
        let (cursor, root, database): (i64, i64, i64) = (row.get(2)?, row.get(3)?, row.get(4)?);
        // The program of each trigger begins anew, with cursors of its own.
        if address == 0 {
            walked.append(&mut std::mem::take(&mut program).walked());
        }
        if OPENS.contains(&operation.as_str()) && database == 0 {
            program.opened.entry(cursor).or_default().insert(root);
        } else if MOVES.contains(&operation.as_str()) {
            program.moved.insert(cursor);
        }
    }
    walked.append(&mut program.walked());
    Ok(walked)
}

#[derive(Default)]
struct Program {
    /// Roots by the cursors that were opened on them.
    opened: BTreeMap<i64, BTreeSet<i64>>,
    moved: BTreeSet<i64>,
}

impl Program {
    fn walked(self) -> BTreeSet<i64> {
        let moved = self.opened.into_iter().filter(|(cursor, _)| self.moved.contains(cursor));
        moved.flat_map(|(_, roots)| roots).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_walked_and_not_what_is_looked_up() {
        let connection = Connection::open_in_memory().unwrap();
        let schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE, b); CREATE TABLE log (x);
                      CREATE TRIGGER g AFTER DELETE ON t BEGIN
                          INSERT INTO log SELECT id FROM t INDEXED BY sqlite_autoindex_t_1 WHERE a > 'x'; END;";
        connection.execute_batch(schema).unwrap();
        let root = |name: &str| -> i64 {
            connection.query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?", [name], |row| row.get(0)).unwrap()
        };
        let (index, log) = (root("sqlite_autoindex_t_1"), root("log"));
        let cases: [(&str, &[i64]); 8] = [
            ("SELECT id FROM t INDEXED BY sqlite_autoindex_t_1", &[index]),
            (";; /* x */ SELECT max(a) FROM t", &[index]),
            ("UPDATE t SET b = 1 WHERE a = 'x' RETURNING id", &[index]),
            ("SELECT id FROM t NOT INDEXED WHERE b > 1", &[]),
            ("SELECT count(*) FROM t", &[]),
            ("INSERT INTO t (a, b) VALUES (1, 2)", &[]),
            ("INSERT INTO t (a, b) VALUES (1, 2) ON CONFLICT (a) DO UPDATE SET b = 3", &[]),
            ("DELETE FROM t WHERE id = 3", &[index]),
        ];
        for (sql, expected) in cases {
            let mut walked = of(&connection, sql).expect(sql);
            // Those of tables with a rowid.
            walked.retain(|found| *found != root("t") && *found != log);
            assert_eq!(walked, expected.iter().copied().collect(), "{sql}");
        }
    }
}
