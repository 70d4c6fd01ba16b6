//! The SQL migrations of a and b. Small ones, of the kinds that people write.

/// One SQL migration.
pub(crate) struct Migration {
    /// Its number, from 1.
    pub(crate) version: u32,
    /// Its name.
    pub(crate) name: String,
    /// What it does.
    pub(crate) sql: String,
}

/// Makes a chain: a table, rows, a column, an index, the next table, …
pub(crate) fn chain(migrations: u32) -> Vec<Migration> {
    (0..migrations).map(migration).collect()
}

/// How many tables a chain makes.
pub(crate) fn tables(migrations: u32) -> u32 {
    migrations.div_ceil(4)
}

fn migration(index: u32) -> Migration {
    let table = format!("item_{}", index / 4);
    let (name, sql) = match index % 4 {
        0 => (
            "create",
            format!(
                "CREATE TABLE {table} (\n    id INTEGER PRIMARY KEY,\n    name TEXT NOT NULL,\n    \
                 price INTEGER NOT NULL DEFAULT 0,\n    created_at TEXT\n);\n"
            ),
        ),
        1 => (
            "fill",
            format!(
                "INSERT INTO {table} (name, price, created_at) VALUES\n    ('first; of them', 100, '2026-01-01'),\n    \
                 ('second', 250, '2026-01-02'),\n    ('third', 75, NULL);\n"
            ),
        ),
        2 => ("extend", format!("-- Where it came from.\nALTER TABLE {table} ADD COLUMN origin TEXT;\n")),
        _ => ("index", format!("CREATE INDEX {table}_name ON {table} (name);\n")),
    };
    Migration { version: index + 1, name: format!("{name}_{table}"), sql }
}
