//! Writes statements: a grammar whose choices are the bytes of a recipe.

use libfuzzer_sys::arbitrary::{Result, Unstructured};

use crate::world::{OBJECTS, TABLES};

/// Each name in angle brackets stands for one of its lines. Some names are not here: `<t>` picks a table, `<T>` says the
/// one picked last again, `<c>` is a column of it, `<n>` names something new, `<o>` anything there may be.
const RULES: &[(&str, &[&str])] = &[
    (
        "statement",
        &[
            "<select>",
            "<insert>",
            "<update>",
            "<delete>",
            "<select>",
            "<insert>",
            "<update>",
            "<delete>",
            "<create>",
            "<alter>",
            "<drop>",
            "<other>",
            "EXPLAIN <statement>",
            "WITH <with> <select>",
            "WITH <with> <update>",
            "WITH <with> <insert>",
            "WITH <with> <delete>",
        ],
    ),
    (
        "select",
        &[
            "SELECT <list> FROM <from>",
            "SELECT <list> FROM <from> WHERE <condition>",
            "SELECT <list> FROM <from> GROUP BY <e> HAVING <condition>",
            "SELECT <list> FROM <from> ORDER BY <e>",
            "SELECT <e>",
            "SELECT <list> FROM <from> UNION <select>",
            "SELECT <list> FROM <from> EXCEPT <select>",
            "VALUES (<e>), (<e>)",
            "SELECT sum(<c>) OVER (PARTITION BY <c> ORDER BY <c>) FROM <t>",
        ],
    ),
    (
        "list",
        &["*", "<c>", "<c>, <c>", "<e>", "count(*)", "max(<c>), min(<c>)", "<T>.*", "DISTINCT <c>", "<e> AS x, <e>"],
    ),
    (
        "from",
        &[
            "<t>",
            "<t>",
            "<t> AS a",
            "<t>, <t>",
            "<t> AS a JOIN <t> AS b ON a.<c> = b.<c>",
            "<t> NATURAL JOIN <t>",
            "<t> JOIN <t> USING (<c>)",
            "<t> LEFT JOIN <t> USING (<c>, <c>)",
            "(<select>)",
            "(<select>) AS s",
            "<o>",
            "<o>('<T>')",
            "<t> NOT INDEXED",
            "<t> INDEXED BY <o>",
            "w",
        ],
    ),
    (
        "condition",
        &[
            "<c> = <e>",
            "<c> > <e>",
            "<c> IS NULL",
            "<c> IN (<select>)",
            "<c> IN <t>",
            "EXISTS (<select>)",
            "<c> LIKE <v>",
            "<c> MATCH 'words'",
            "(<c>, <c>) = (<select>)",
            "<condition> AND <condition>",
            "NOT <condition>",
            "rowid = <v>",
        ],
    ),
    (
        "e",
        &[
            "<v>",
            "<v>",
            "<c>",
            "<c>",
            "<T>.<c>",
            "main.<T>.<c>",
            "(<select>)",
            "<e> + <e>",
            "<e> || <e>",
            "length(<e>)",
            "CASE WHEN <condition> THEN <e> ELSE <e> END",
            "coalesce(<c>, <e>)",
            "excluded.<c>",
            "new.<c>",
            "old.<c>",
            "CAST(<c> AS BLOB)",
            "random()",
            "CURRENT_TIMESTAMP",
            "changes()",
            "last_insert_rowid()",
            "RAISE(IGNORE)",
            "a.<c>",
            "b.<c>",
            "json(<c>)",
            "highlight(<T>, 0, '<', '>')",
            "group_concat(<c>)",
            "hex(<c>)",
            "abs(<c>)",
        ],
    ),
    ("v", &["1", "2", "5", "'x'", "'sesame'", "NULL", "'k1'", "-1", "1.5", "x'00'", "7", "'Ada'"]),
    (
        "insert",
        &[
            "<into> <t> (<c>) VALUES (<e>)",
            "<into> <t> (<c>, <c>) VALUES (<e>, <e>)",
            "<into> <t> DEFAULT VALUES",
            "<into> <t> <select>",
            "<into> <t> (<c>) <select>",
            "<into> <t> (<c>) VALUES (<v>) RETURNING <list>",
            "<into> <t> (rowid, <c>) VALUES (<v>, <v>)",
            "<into> <t> (<c>) VALUES (<v>) ON CONFLICT DO NOTHING",
            "<into> <t> (<c>, <c>) VALUES (<v>, <v>) ON CONFLICT (<c>) DO UPDATE SET <c> = <e> WHERE <condition>",
            "<into> <t> (<c>, <c>) VALUES (<v>, <v>) ON CONFLICT DO UPDATE SET <c> = <e>, <c> = <e> RETURNING <list>",
            "<into> <t> VALUES (<v>, <v>)",
            "<into> <t> VALUES (<v>, <v>, <v>)",
            "<into> doc (doc) VALUES (<command>)",
            "<into> doc (doc, rank) VALUES (<command>, <v>)",
            "<into> doc (doc, rowid, title) VALUES (<command>, 1, <v>)",
            "<into> <o> VALUES (<v>)",
            "<into> names (id, name) VALUES (<v>, <v>)",
        ],
    ),
    (
        "into",
        &[
            "INSERT INTO",
            "INSERT INTO",
            "INSERT OR REPLACE INTO",
            "REPLACE INTO",
            "INSERT OR IGNORE INTO",
            "INSERT OR ROLLBACK INTO",
            "INSERT OR FAIL INTO",
        ],
    ),
    (
        "command",
        &["'rebuild'", "'delete'", "'delete-all'", "'optimize'", "'integrity-check'", "'merge'", "'rank'", "'pgsz'"],
    ),
    (
        "update",
        &[
            "UPDATE <or><t> SET <c> = <e>",
            "UPDATE <or><t> SET <c> = <e> WHERE <condition>",
            "UPDATE <or><t> SET <c> = <e>, <c> = <e>",
            "UPDATE <or><t> SET (<c>, <c>) = (<select>)",
            "UPDATE <or><t> SET <c> = <e> RETURNING <list>",
            "UPDATE <or><t> SET <c> = <e> FROM <from>",
            "UPDATE <or><t> SET <c> = <e> FROM <from> WHERE <condition>",
            "UPDATE <or><t> SET rowid = <v> WHERE <condition>",
            "UPDATE <or><o> SET <c> = <e>",
            "UPDATE names SET name = <e>",
        ],
    ),
    ("or", &["", "", "", "OR REPLACE ", "OR IGNORE ", "OR ROLLBACK "]),
    (
        "delete",
        &[
            "DELETE FROM <t>",
            "DELETE FROM <t> WHERE <condition>",
            "DELETE FROM <t> RETURNING <list>",
            "DELETE FROM <o>",
            "DELETE FROM names WHERE <condition>",
        ],
    ),
    (
        "with",
        &[
            "w AS (<select>)",
            "w (x) AS (<select>)",
            "RECURSIVE w (x) AS (VALUES (1) UNION SELECT x + 1 FROM w WHERE x < 4)",
            "<t> AS (<select>)",
            "w AS MATERIALIZED (<select>), s AS (SELECT * FROM w)",
        ],
    ),
    (
        "create",
        &[
            "CREATE TABLE <n> (a, b)",
            "CREATE TABLE <n> (a REFERENCES <t> ON DELETE CASCADE ON UPDATE SET NULL, b)",
            "CREATE TABLE <n> AS <select>",
            "CREATE TABLE IF NOT EXISTS <o> (a, b)",
            "CREATE TABLE <t> AS <select>",
            "CREATE TABLE <n> (a PRIMARY KEY, b AS (a || <v>), CHECK (b <> <v>)) WITHOUT ROWID",
            "CREATE TABLE <n> (a DEFAULT (<e>), b UNIQUE ON CONFLICT REPLACE)",
            "CREATE TABLE if AS <select>",
            "CREATE INDEX <n> ON <t> (<c>)",
            "CREATE UNIQUE INDEX <n> ON <t> (<c>, <c>) WHERE <condition>",
            "CREATE INDEX <n> ON <t> (<e>)",
            "CREATE VIEW <n> AS <select>",
            "CREATE VIEW <n> (x) AS <select>",
            "CREATE VIRTUAL TABLE <n> USING fts5(a, b)",
            "CREATE VIRTUAL TABLE <n> USING fts5(<c>, content='<t>')",
            "CREATE VIRTUAL TABLE <n> USING fts5(<c>, <c>, content='<t>', content_rowid='<c>')",
            "CREATE VIRTUAL TABLE <n> USING fts5vocab(doc, 'row')",
            "CREATE VIRTUAL TABLE <n> USING rtree(id, low, high)",
            "CREATE TRIGGER <n> <when> ON <t> BEGIN <body>; END",
            "CREATE TRIGGER <n> <when> ON <t> WHEN <condition> BEGIN <body>; END",
            "CREATE TRIGGER <n> <when> ON <o> BEGIN <body>; <body>; END",
            "CREATE TEMP TABLE <n> AS <select>",
        ],
    ),
    (
        "when",
        &[
            "AFTER INSERT",
            "BEFORE INSERT",
            "AFTER DELETE",
            "BEFORE UPDATE",
            "AFTER UPDATE",
            "AFTER UPDATE OF name",
            "INSTEAD OF INSERT",
            "INSTEAD OF DELETE",
            "AFTER UPDATE OF rowid",
            "UPDATE OF v",
        ],
    ),
    (
        "body",
        &[
            "<insert>",
            "<update>",
            "<delete>",
            "<select>",
            "INSERT INTO <t> (<c>) VALUES (new.<c>)",
            "UPDATE <t> SET <c> = old.<c>",
        ],
    ),
    (
        "alter",
        &[
            "ALTER TABLE <t> RENAME TO <n>",
            "ALTER TABLE <t> RENAME TO <o>",
            "ALTER TABLE <t> RENAME COLUMN <c> TO <c>",
            "ALTER TABLE <t> RENAME <c> TO fresh",
            "ALTER TABLE <t> ADD COLUMN fresh",
            "ALTER TABLE <t> ADD fresh DEFAULT <v>",
            "ALTER TABLE <t> ADD COLUMN fresh REFERENCES <t>",
            "ALTER TABLE <t> ADD COLUMN fresh AS (<e>)",
            "ALTER TABLE <t> ADD COLUMN fresh CHECK (<condition>)",
            "ALTER TABLE <t> DROP COLUMN <c>",
            "ALTER TABLE <t> ADD COLUMN fresh DEFAULT 1 CHECK (fresh <> <c>)",
            "ALTER TABLE <o> RENAME TO <n>",
        ],
    ),
    (
        "drop",
        &[
            "DROP TABLE <t>",
            "DROP TABLE <o>",
            "DROP INDEX <o>",
            "DROP VIEW <o>",
            "DROP TRIGGER <o>",
            "DROP TABLE IF EXISTS <o>",
        ],
    ),
    (
        "other",
        &[
            "REINDEX <o>",
            "REINDEX",
            "REINDEX nocase",
            "ANALYZE",
            "ANALYZE <t>",
            "ANALYZE <o>",
            "PRAGMA table_info(<t>)",
            "PRAGMA index_list(<t>)",
            "PRAGMA index_xinfo(<o>)",
            "PRAGMA foreign_key_check(<t>)",
            "PRAGMA foreign_keys = 0",
            "PRAGMA writable_schema = 1",
            "PRAGMA defer_foreign_keys = 1",
            "PRAGMA user_version = 7",
            "PRAGMA table_list",
            "PRAGMA integrity_check(<t>)",
            "PRAGMA recursive_triggers = 1",
            "PRAGMA legacy_alter_table = 1",
            "SELECT <list> FROM pragma_table_xinfo('<t>')",
            "SELECT * FROM pragma_foreign_key_check('<t>')",
            "BEGIN",
            "COMMIT",
            "END",
            "ROLLBACK",
            "SAVEPOINT s",
            "RELEASE whimbrel_0",
            "ROLLBACK TO whimbrel_0",
            "ATTACH ':memory:' AS other",
            "DETACH temp",
            "VACUUM",
            "VACUUM INTO ':memory:'",
            ";COMMIT",
            "/**/ROLLBACK",
            "SELECT * FROM json_each((<select>))",
            "SELECT * FROM dbstat",
            "SELECT * FROM sqlite_schema",
            "SELECT * FROM doc_content",
            "SELECT * FROM doc('words')",
            "DELETE FROM sqlite_sequence",
            "SELECT sql FROM sqlite_master",
        ],
    ),
];

/// How deep names may stand for each other; deeper ones stand for their first line that needs no other.
const DEEPEST: usize = 6;

/// Writes one statement.
pub(crate) struct Writer<'r, 'b> {
    recipe: &'r mut Unstructured<'b>,
    sql: String,
    table: usize,
    depth: usize,
}

impl<'r, 'b> Writer<'r, 'b> {
    pub(crate) fn new(recipe: &'r mut Unstructured<'b>) -> Self {
        Self { recipe, sql: String::new(), table: 0, depth: 0 }
    }

    pub(crate) fn finish(self) -> String {
        self.sql
    }

    /// Writes a line of the grammar.
    pub(crate) fn write(&mut self, line: &str) -> Result<()> {
        let mut rest = line;
        while let Some((text, after)) = rest.split_once('<') {
            self.sql.push_str(text);
            match after.split_once('>').filter(|(name, _)| !name.is_empty() && name.chars().all(char::is_alphabetic)) {
                Some((name, after)) => {
                    self.symbol(name)?;
                    rest = after;
                }
                None => {
                    self.sql.push('<');
                    rest = after;
                }
            }
        }
        self.sql.push_str(rest);
        Ok(())
    }

    fn symbol(&mut self, name: &str) -> Result<()> {
        match name {
            "t" => {
                self.table = self.recipe.choose_index(TABLES.len())?;
                self.identifier(TABLES[self.table].name)
            }
            "T" => {
                self.sql.push_str(TABLES[self.table].name);
                Ok(())
            }
            "c" => {
                let names: Vec<&str> = TABLES[self.table].names().chain(["rowid"]).collect();
                let column = *self.recipe.choose(&names)?;
                self.identifier(column)
            }
            "n" => {
                let name = *self.recipe.choose(&["acme_a", "acme_b", "vault", "acme_c", "names", "sqlite_x"])?;
                self.identifier(name)
            }
            "o" => {
                let name = *self.recipe.choose(&OBJECTS)?;
                self.identifier(name)
            }
            _ => {
                let Some((_, lines)) = RULES.iter().find(|(rule, _)| *rule == name) else {
                    panic!("there is no rule for {name}");
                };
                let line = if self.depth >= DEEPEST { lines[0] } else { *self.recipe.choose(lines)? };
                if self.depth > DEEPEST * 2 {
                    self.sql.push('1');
                    return Ok(());
                }
                // What a part picks is its own.
                let table = self.table;
                self.depth += 1;
                self.write(line)?;
                self.depth -= 1;
                if matches!(name, "select" | "with") {
                    self.table = table;
                }
                Ok(())
            }
        }
    }

    /// Writes a name in one of the ways SQL has.
    fn identifier(&mut self, name: &str) -> Result<()> {
        match self.recipe.int_in_range(0..=15)? {
            0 => self.sql.extend(["\"", name, "\""]),
            1 => self.sql.extend(["[", name, "]"]),
            2 => self.sql.extend(["'", name, "'"]),
            3 => self.sql.extend(["`", name, "`"]),
            4 => self.sql.push_str(&name.to_uppercase()),
            5 => self.sql.extend(["/**/", name]),
            _ => self.sql.push_str(name),
        }
        Ok(())
    }
}
