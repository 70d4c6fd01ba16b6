//! Lists the files of a folder that are to be embedded.

use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;

/// Returns path below the folder, with `/` between its parts, and absolute path of each file of the folder and of those
/// in it that can be part of a migration, ordered by path. Scripts have these endings; those of the engines that come with
/// the program unless said.
pub(crate) fn list(root: &str, path: &str, scripts: Option<&[String]>) -> Result<Vec<(String, String)>, String> {
    let folder = Path::new(root).join(path);
    let refuse = |error: &io::Error| match error.kind() {
        io::ErrorKind::NotFound => format!(
            "there is no folder {}: the path \"{path}\" is relative to {root}, where Cargo.toml is",
            folder.display()
        ),
        _ => format!("cannot read the folder {}: {error}", folder.display()),
    };
    let real = folder.canonicalize().map_err(|error| refuse(&error))?;
    let mut files = Vec::new();
    let mut folders = vec![(folder.clone(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| refuse(&error))? {
            let entry = entry.map_err(|error| refuse(&error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // A link to a folder could lead back to this one.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if !name.starts_with('.') {
                    folders.push((entry.path(), format!("{prefix}{name}/")));
                }
                continue;
            }
            files.extend(file(&real, &entry, scripts)?.map(|(name, file)| (format!("{prefix}{name}"), file)));
        }
    }
    files.sort();
    Ok(files)
}

fn file(folder: &Path, entry: &DirEntry, scripts: Option<&[String]>) -> Result<Option<(String, String)>, String> {
    let path = entry.path();
    if !is_wanted(&path, scripts) {
        return Ok(None);
    }
    let refuse = |why: &str| Err(format!("cannot embed {}: {why}", path.display()));
    let real = match path.canonicalize() {
        Ok(real) if real.is_dir() => return Ok(None),
        Ok(real) => real,
        Err(error) => return refuse(&error.to_string()),
    };
    if !real.starts_with(folder) {
        return refuse("it is a link that leads out of the folder");
    }
    match (entry.file_name().into_string(), real.into_os_string().into_string()) {
        (Ok(name), Ok(file)) => Ok(Some((name, file))),
        _ => refuse("its path is not UTF-8"),
    }
}

/// Tells whether a file could be part of a migration; whether it is well-formed, the source says when it is loaded.
fn is_wanted(path: &Path, scripts: Option<&[String]>) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    let is_script = |ending: &str| match scripts {
        Some(scripts) => scripts.iter().any(|script| script == ending),
        None => matches!(ending, "js" | "mjs" | "ts" | "mts" | "py"),
    };
    let is_other = |ending: &str| matches!(ending, "sql" | "wasm" | "toml" | "conf" | "sum");
    // What Drizzle keeps of its migrations.
    let is_journal = path.file_name().is_some_and(|name| name == "_journal.json");
    is_journal || !hidden && ending.is_some_and(|ending| is_other(&ending) || is_script(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_what_can_be_part_of_a_migration() {
        let root = std::env::temp_dir().join(format!("whimbrel-macros-{}", std::process::id()));
        let folder = root.join("m");
        fs::create_dir_all(folder.join("3_c.sql")).expect("folder");
        fs::write(folder.join("3_c.sql/up.sql"), "").expect("file");
        for name in ["2_b.wasm", "10_a.sql", "README.md", ".1_x.sql", "2_b.toml", "4_d.SQL", "5_e.js", "6_f.lua"] {
            fs::write(folder.join(name), "").expect("file");
        }
        let lua = ["lua".to_owned()];
        let list = |path, scripts| list(&root.to_string_lossy(), path, scripts);
        let listed = list("m", None).expect("listed");
        let of_lua = list("m", Some(&lua[..])).expect("listed");
        let missing = list("n", None).expect_err("missing");
        fs::remove_dir_all(&root).expect("removed");
        let names =
            |listed: &[(String, String)]| listed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ");
        assert_eq!(names(&listed), "10_a.sql 2_b.toml 2_b.wasm 3_c.sql/up.sql 4_d.SQL 5_e.js");
        assert_eq!(names(&of_lua), "10_a.sql 2_b.toml 2_b.wasm 3_c.sql/up.sql 4_d.SQL 6_f.lua");
        assert!(missing.contains("the path \"n\" is relative to "), "{missing}");
    }
}
