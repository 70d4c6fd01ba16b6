//! Keeps SQLite's planner from a way through a table that a guest has not asked for.
//!
//! Where an index holds all columns that a query needs, SQLite walks the index and not the table, because it is
//! smaller: the rows come in the order of the index, and that may be made of a column which the guest must not know.
//! Nothing else of the planner walks an index whose columns the statement does not name.
//!
//! One of the seven files of the host with unsafe code: `rusqlite` has no name for this function.
//!
//! Why it is sound: the connection is open, and each operation is given what SQLite's own code takes for it, the second
//! a place that outlives the call.
#![allow(unsafe_code, reason = "see above")]

use std::ffi::{c_int, c_uint};

use rusqlite::{Connection, ffi};

/// `SQLITE_CoverIdxScan` of SQLite's `sqliteInt.h`. <https://sqlite.org/c3ref/c_testctrl_always.html>
const COVERING_INDEX_SCANS: c_uint = 0x20;

/// Lets the planner walk indexes for want of a smaller tree, or not. A test beside it tells whether SQLite still does
/// so.
pub(super) fn walk_covering_indexes(connection: &Connection, wanted: bool) {
    let mut off: c_int = 0;
    // SAFETY: see above.
    let known = unsafe { ffi::sqlite3_test_control(ffi::SQLITE_TESTCTRL_GETOPT, connection.handle(), &raw mut off) };
    let off = if known == ffi::SQLITE_OK { off.cast_unsigned() } else { 0 };
    let off = if wanted { off & !COVERING_INDEX_SCANS } else { off | COVERING_INDEX_SCANS };
    // SAFETY: see above.
    unsafe { ffi::sqlite3_test_control(ffi::SQLITE_TESTCTRL_OPTIMIZATIONS, connection.handle(), off) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_to_the_table_where_the_statement_names_no_index() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE, b)").unwrap();
        let plan = || -> String {
            connection.query_row("EXPLAIN QUERY PLAN SELECT id FROM t", [], |row| row.get("detail")).unwrap()
        };
        assert!(plan().contains("COVERING INDEX"), "{}", plan());
        walk_covering_indexes(&connection, false);
        assert_eq!(plan(), "SCAN t");
        walk_covering_indexes(&connection, true);
        assert!(plan().contains("COVERING INDEX"), "{}", plan());
    }
}
