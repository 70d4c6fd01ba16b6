//! The statements, the same on both sides.

/// Makes the tables.
pub const SCHEMA: &str = "
CREATE TABLE person (
    id INTEGER PRIMARY KEY,
    full_name TEXT NOT NULL,
    first_name TEXT,
    last_name TEXT,
    name_key TEXT
);
CREATE TABLE person_name (id INTEGER PRIMARY KEY, first_name TEXT NOT NULL, last_name TEXT NOT NULL, name_key TEXT NOT NULL);
";

/// Puts one name in.
pub const FILL: &str = "INSERT INTO person (id, full_name) VALUES (?, ?)";

/// Reads all names.
pub const READ: &str = "SELECT id, full_name FROM person ORDER BY id";

/// Writes a split name into a table of its own.
pub const INSERT: &str = "INSERT INTO person_name (first_name, last_name, name_key, id) VALUES (?, ?, ?, ?)";

/// Writes a split name beside the name.
pub const UPDATE: &str = "UPDATE person SET first_name = ?, last_name = ?, name_key = ? WHERE id = ?";

/// Hardly any work at all.
pub const TRIVIAL: &str = "CREATE TABLE trivial (id INTEGER PRIMARY KEY)";
