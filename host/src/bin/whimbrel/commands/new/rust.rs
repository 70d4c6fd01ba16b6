//! A small cargo project whose component is a migration.

use std::path::Path;

use super::Draft;
use crate::commands::files::NewFile;

/// Drafts the project beside the folder of the migrations, and says how to build it into there.
pub(super) fn draft(dir: &Path, stem: &str, name: &str, reversible: bool) -> Draft {
    let project = dir.parent().unwrap_or(Path::new("")).join("guests").join(name);
    let package = package(name);
    let file = |path: &str, contents: String| NewFile { path: project.join(path), contents };
    let module = package.replace('-', "_");
    let manifest = project.join(format!("{stem}.toml"));
    let built = format!("target/wasm32-unknown-unknown/release/{module}.wasm");
    Draft {
        files: vec![
            file("Cargo.toml", cargo_toml(&package)),
            file("src/lib.rs", lib_rs(reversible)),
            file(&format!("{stem}.toml"), manifest_toml(name)),
        ],
        next: vec![
            format!("write the migration into {}", project.join("src/lib.rs").display()),
            format!("say what it may do in {}", manifest.display()),
            "rustup target add wasm32-unknown-unknown".to_owned(),
            format!(
                "cargo build --release --target wasm32-unknown-unknown --manifest-path {}",
                project.join("Cargo.toml").display()
            ),
            format!(
                "whimbrel componentize {} --output {}",
                project.join(built).display(),
                dir.join(format!("{stem}.wasm")).display()
            ),
            format!("cp {} {}", manifest.display(), dir.join(format!("{stem}.toml")).display()),
            "whimbrel plan".to_owned(),
        ],
    }
}

/// A package's name cannot begin with a digit.
pub(super) fn package(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    if name.starts_with(|first: char| first.is_ascii_alphabetic()) { name } else { format!("migration-{name}") }
}

fn cargo_toml(package: &str) -> String {
    format!(
        "[package]\n\
         name = \"{package}\"\n\
         version = \"0.1.0\"\n\
         edition = \"2024\"\n\
         publish = false\n\
         \n\
         [lib]\n\
         crate-type = [\"cdylib\", \"rlib\"]\n\
         \n\
         [dependencies]\n\
         whimbrel-guest = \"{guest}\"\n\
         \n\
         [dev-dependencies]\n\
         whimbrel-guest = {{ version = \"{guest}\", features = [\"testing\"] }}\n\
         \n\
         [profile.release]\n\
         opt-level = \"s\"\n\
         lto = true\n\
         # A sum that does not fit stops the migration, as it stops its tests, and is not stored wrong.\n\
         overflow-checks = true\n\
         \n\
         # A project of its own, wherever it lies.\n\
         [workspace]\n",
        guest = concat!(env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"))
    )
}

const MIGRATION: &str = r#"//! A migration that runs as a sandboxed component.

use whimbrel_guest::{Context, Migration, Result, Transaction, params};

struct Work;

impl Migration for Work {
    fn up(tx: &Transaction, _ctx: &Context) -> Result<()> {
        let update = tx.prepare("UPDATE note SET text = ? WHERE id = ?")?;
        let mut writer = update.writer();
        for row in tx.query("SELECT id, text FROM note ORDER BY id", params![])? {
            let row = row?;
            let text: &str = row.get("text")?;
            writer.row(params![text.trim(), row.get::<i64>("id")?])?;
        }
        writer.finish()?;
        Ok(())
    }
}
"#;

const REVERSIBLE: &str = r"
impl Reversible for Work {
    fn down(_tx: &Transaction, _ctx: &Context) -> Result<()> {
        // Undo here what `up` did.
        Ok(())
    }
}
";

const TEST: &str = r#"
#[cfg(test)]
mod tests {
    use whimbrel_guest::testing::Database;

    use super::*;

    #[test]
    fn trims_the_notes() -> Result<()> {
        let mut db = Database::new();
        db.execute_script("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO note (text) VALUES (' a ')")?;
        db.up::<Work>()?;
        assert_eq!(db.query("SELECT text FROM note")?, [["a"]]);
        Ok(())
    }
}
"#;

fn lib_rs(reversible: bool) -> String {
    if reversible {
        let migration = MIGRATION.replace("{Context, Migration, Result,", "{Context, Migration, Result, Reversible,");
        format!("{migration}{REVERSIBLE}\nwhimbrel_guest::export_reversible!(Work);\n{TEST}")
    } else {
        format!("{MIGRATION}\nwhimbrel_guest::export!(Work);\n{TEST}")
    }
}

pub(super) fn manifest_toml(name: &str) -> String {
    format!(
        "description = \"{}\"\n\
         \n\
         [grants]\n\
         read = [\"note(id, text)\"]\n\
         update = [\"note(text)\"]\n",
        name.replace(['_', '-'], " ")
    )
}
