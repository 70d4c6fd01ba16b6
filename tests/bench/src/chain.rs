//! The SQL migrations of a and b: small ones, of the kinds that people write, ten for each table.

/// One SQL migration.
pub(crate) struct Migration {
    /// Its number, from 1.
    pub(crate) version: u32,
    /// Its name.
    pub(crate) name: String,
    /// What it does.
    pub(crate) sql: String,
}

/// Migrations for each table. `ALTER TABLE` makes SQLite read the whole schema again, so that with many of them and
/// many tables nothing else would be seen.
const EACH: u32 = 10;

/// Makes a chain.
pub(crate) fn chain(migrations: u32) -> Vec<Migration> {
    (0..migrations).map(migration).collect()
}

/// How many tables a chain makes.
pub(crate) fn tables(migrations: u32) -> u32 {
    migrations.div_ceil(EACH)
}

fn migration(index: u32) -> Migration {
    let item = format!("item_{}", index / EACH);
    let insert = |first: u32| {
        let row = |number| {
            format!("\n    ('number {number}; one of many', {}, '2026-01-{:02}')", number * 7, number % 28 + 1)
        };
        let rows: Vec<String> = (first..first + 3).map(row).collect();
        format!("INSERT INTO {item} (name, price, created_at) VALUES{};\n", rows.join(","))
    };
    let (name, sql) = match index % EACH {
        0 => ("create", create(&item)),
        2 => ("index_name", format!("CREATE INDEX {item}_name ON {item} (name);\n")),
        4 => ("add_origin", format!("-- Where it came from.\nALTER TABLE {item} ADD COLUMN origin TEXT;\n")),
        5 => ("set_origin", format!("UPDATE {item} SET origin = 'import' WHERE price < 100;\n")),
        7 => ("index_price", format!("CREATE INDEX {item}_price ON {item} (price, created_at);\n")),
        9 => ("clean", format!("DELETE FROM {item} WHERE name LIKE 'number 2;%';\n")),
        step => ("fill", insert(step)),
    };
    Migration { version: index + 1, name: format!("{name}_{item}"), sql }
}

fn create(item: &str) -> String {
    format!(
        "CREATE TABLE {item} (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    price INTEGER NOT NULL DEFAULT 0,
    created_at TEXT
);
"
    )
}
