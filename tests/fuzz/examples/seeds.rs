//! Writes the seeds anew: `cargo run --example seeds` in this folder.

use std::fs;
use std::path::Path;

use serde_json::Value;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let seeds = Seeds { folder: here.join("seeds") };
    let repository = here.join("../..");
    from_migrations(&seeds, &repository.join("migrations"))?;
    from_vectors(&seeds, &fs::read_to_string(repository.join("guest-sdk/wit/packed-vectors.json"))?)?;
    for (name, sql) in SQL {
        seeds.write("sql", name, sql)?;
    }
    for (name, text) in MANIFESTS {
        seeds.write("manifest", name, text)?;
    }
    for (name, text) in COMPONENTS {
        let component = wat::parse_str(text)?;
        seeds.write("component", name, &component)?;
        seeds.write("component", &format!("{name}-cut"), &component[..component.len() - 3])?;
    }
    for (name, files) in FOLDERS {
        let written: Vec<String> = files.iter().map(|(name, content)| format!("{name}\n{content}")).collect();
        seeds.write("file_names", name, written.join("\0"))?;
    }
    Ok(())
}

struct Seeds {
    folder: std::path::PathBuf,
}

impl Seeds {
    fn write(&self, target: &str, name: &str, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        let folder = self.folder.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name.replace(|other: char| !other.is_ascii_alphanumeric(), "-")), bytes)
    }
}

/// The sample chain, file by file and as a folder.
fn from_migrations(seeds: &Seeds, folder: &Path) -> Result<(), Failure> {
    let mut names: Vec<String> = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let mut files = Vec::new();
    for name in &names {
        let text = match name.rsplit_once('.') {
            Some((_, "sql")) => fs::read_to_string(folder.join(name))?,
            Some((_, "toml")) => fs::read_to_string(folder.join(name))?,
            _ => "\u{7f}asm".to_owned(),
        };
        // Rows of sample data teach a fuzzer nothing.
        let text: String = text.lines().take(40).flat_map(|line| [line, "\n"]).collect();
        if name.ends_with(".sql") {
            seeds.write("sql", name, &text)?;
        } else if name.ends_with(".toml") {
            seeds.write("manifest", name, &text)?;
        }
        files.push(format!("{name}\n{}", text.lines().take(3).collect::<Vec<_>>().join("\n")));
    }
    seeds.write("file_names", "sample chain", files.join("\0"))?;
    Ok(())
}

/// The vectors of the packed form, as `targets/packed.rs` reads a batch that is written out.
fn from_vectors(seeds: &Seeds, vectors: &str) -> Result<(), Failure> {
    let vectors: Value = serde_json::from_str(vectors)?;
    for list in ["valid", "malformed"] {
        for vector in vectors[list].as_array().ok_or("a list of vectors")? {
            let batch = &vector["batch"];
            let mut bytes = vec![0];
            bytes.extend((batch["rows"].as_u64().ok_or("rows")? as u32).to_le_bytes());
            for column in batch["columns"].as_array().ok_or("columns")? {
                bytes.push(u8::try_from(column["kind"].as_u64().ok_or("kind")?)?);
                let parts = ["tags", "words", "heap"].map(|part| hex(&column[part]));
                for part in &parts {
                    bytes.extend(u16::try_from(part.len())?.to_le_bytes());
                }
                bytes.extend(parts.concat());
            }
            if bytes.len() < 1000 {
                seeds.write("packed", vector["name"].as_str().ok_or("name")?, bytes)?;
            }
        }
    }
    Ok(())
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap_or_default();
    (0..text.len()).step_by(2).filter_map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

const SQL: [(&str, &str); 14] = [
    ("trigger", "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT CASE 1 WHEN 2 THEN 3 END; SELECT ';'; END; SELECT 2;"),
    (
        "temp trigger",
        "EXPLAIN QUERY PLAN create /* x */ temporary trigger x after delete on t BEGIN SELECT 1; END ;SELECT 1;",
    ),
    ("quotes", "SELECT ';' || \"a;b\" || [;] || `;`, 'it''s', x'3b' ; SELECT 2 -- ;\n"),
    (
        "directives",
        "\u{feff}-- first words\r\n-- Whimbrel : description =  Adds = signs \r\n-- whimbrel: rebuild\r\nDROP TABLE t;",
    ),
    ("no transaction", "--whimbrel:transaction = none\nPRAGMA journal_mode=WAL; VACUUM;"),
    ("transaction", "BEGIN; INSERT INTO t (a) VALUES (1); SAVEPOINT s; ROLLBACK TO s; END TRANSACTION; COMMIT"),
    ("late directive", "SELECT 1;\n/* whimbrel: rebuild */\n-- whimbrel: transacton = none\n"),
    ("numbers", "SELECT 1.5e+10, .5, 0x1F, 1_000, 1e, 5a, ?1, :a, @b, $c::d(e), a->>'$.b' << 1 FROM t;"),
    (
        "upsert",
        "WITH n(x) AS (VALUES (1), (2)) INSERT INTO t (a, b) SELECT x, x FROM n WHERE true ON CONFLICT DO UPDATE SET b = excluded.a RETURNING *;",
    ),
    (
        "rename",
        "ALTER TABLE t RENAME COLUMN a TO e; ALTER TABLE u ADD COLUMN y AS (x || 1) VIRTUAL; DROP INDEX i; REINDEX; ANALYZE;",
    ),
    (
        "window",
        "SELECT sum(a) FILTER (WHERE b) OVER w FROM t WINDOW w AS (PARTITION BY b ORDER BY c ROWS 1 PRECEDING EXCLUDE TIES);",
    ),
    (
        "search",
        "CREATE VIRTUAL TABLE e USING fts5(a, content='t;'); SELECT highlight(f, 0, '<', '>') FROM f('a AND b');",
    ),
    ("attach", "ATTACH ':memory:' AS other; DETACH other; PRAGMA main.table_info('t'); PRAGMA foreign_keys = OFF;"),
    ("vertical-tab", "SELE\u{b}*; SELECT \u{b} 1;"),
    ("nothing", " -- only words\r\n/* more */ ;; ; \u{feff}\x0c/*"),
];

const MANIFESTS: [(&str, &str); 7] = [
    (
        "everything",
        "description = 'Splits names'\n[grants]\nread = ['customer(full_name)']\ninsert = [\"log\"]\n\
         update = ['customer(first, last)']\ndelete = []\ncreate = ['acme_*']\nalter = ['t']\ndrop = ['acme_*']\n\
         trigger = ['t']\nview = ['v']\nfunctions = ['random']\n[limits]\nfuel = 1_000_000\nmemory = '64MiB'\n\
         time = '10s'\n[params]\nlocale = 'de'\n",
    ),
    ("mistakes", "a = 1\n[limits]\nfule = 1\ntime = 3\nmemory = '3 apples'\n[grants]\nreed = []\nread = ['t(', '*_x']"),
    ("inline", "grants = { read = [\"a\\u001b(b , c)\"] }\nlimits.fuel = 0x10\nparams = { \"\" = '''x''' }"),
    (
        "transform",
        "[transform]\ntable = 'customer'\nkey = ['id']\nread = ['full_name']\nwrite = ['first', 'last']\nchunk = 5000\n\
         on_error = 'skip'\nmax_rejects = 7\nwhere = 'first IS NULL'\njobs = 3\n[grants]\nread = ['log']\n\
         [limits]\nsql_operations = 7\nstatement_length = '1MiB'\n",
    ),
    (
        "query",
        "transform = { query = 'SELECT 1 AS id', key = ['id'], read = ['id'], write = ['x'], into = 't', mode = \"upsert\", \
         chunk = 'whole' }",
    ),
    ("not a table", "grants = 3\nlimits = []\ndescription = 1979-05-27T07:32:00Z"),
    ("broken", "[limits]\nfuel = 99999999999999999999\n[[grants]]\n\"a\".b.c = [[[{}]]] # x\r\n"),
];

const COMPONENTS: [(&str, &str); 8] = [
    ("empty", "(component)"),
    ("module", "(module (func (export \"up\")))"),
    (
        "migration",
        "(component (core module $m (func (export \"up\")) (@producers (language \"Rust\" \"2024\") (sdk \"w\" \"1\")))
           (core instance $i (instantiate $m))
           (func $up (canon lift (core func $i \"up\"))) (export \"up\" (func $up)) (export \"down\" (func $up)))",
    ),
    (
        "imports",
        "(component
           (import \"whimbrel:migration/types@0.1.0\" (instance (export \"row\" (type (sub resource)))))
           (import \"whimbrel:migration/sql@0.1.0\" (instance
             (export \"transaction\" (type $transaction (sub resource)))
             (export \"[method]transaction.dialect\"
               (func (param \"self\" (borrow $transaction)) (result string)))))
           (import \"whimbrel:migration/log@0.1.3\" (instance))
           (core module $m (func (export \"up\"))) (core instance $i (instantiate $m))
           (func $up (canon lift (core func $i \"up\"))) (export \"up\" (func $up)))",
    ),
    ("later", "(component (import \"whimbrel:migration/sql@0.2.0-rc.1+x\" (instance)))"),
    ("wasi", "(component (import \"wasi:clocks/wall-clock@0.2.0\" (instance)) (import \"plain\" (func)))"),
    ("type", "(component (import \"t\" (type (sub resource))) (export \"up\" (type 0)))"),
    (
        "nested",
        "(component (component $c (import \"wasi:cli/run@0.2.0\" (func $f)) (core module) (export \"up\" (func $f))
           (component (import \"x\" (func)))) (import \"y\" (func $y))
           (instance $i (instantiate $c (with \"wasi:cli/run@0.2.0\" (func $y)))) (export \"down\" (instance $i)))",
    ),
];

type Folder = (&'static str, &'static [(&'static str, &'static str)]);

const FOLDERS: [Folder; 4] = [
    (
        "parts",
        &[
            ("0010_c.wasm", "x"),
            ("README.md", ""),
            ("0010_c.toml", "description = 'C'"),
            ("0002_b.down.sql", "SELECT 2"),
            ("2_b.up.sql", "-- whimbrel: rebuild\nSELECT 1"),
            ("0001_a.sql", "SELECT 1"),
            ("01_a.toml", "description = 'A'"),
            (".keep", ""),
        ],
    ),
    (
        "problems",
        &[
            ("0001create.sql", ""),
            ("2_x.sql", ""),
            ("3_x.sql", "SELECT 1"),
            ("3_x.toml", "descr = 1\nfoo = 2"),
            ("03_y.sql", "SELECT 1;\n-- whimbrel: rebuild"),
        ],
    ),
    (
        "misspelt",
        &[
            ("1_größe.sql", "SELECT 1"),
            ("1_a\u{1b}[31m.sql", "x"),
            ("18446744073709551616_x.sql", "x"),
            ("1.2_x.sql", "x"),
            ("1_x.SQL", "x"),
            ("1_x.up.wasm", "x"),
        ],
    ),
    (
        "companions",
        &[
            ("1_a.up.sql", "SELECT 1"),
            ("1_a.down.sql", "SELECT 1"),
            ("01_a.down.sql", "SELECT 1"),
            ("2_b.wasm", ""),
            ("3_c.down.sql", "SELECT"),
            ("4_d.sql", "SELECT 1"),
            ("4_e.wasm", "x"),
        ],
    ),
];
