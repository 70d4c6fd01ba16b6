//! Lists the files of a folder that are to be embedded.

use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;

/// Returns path below the folder, with `/` between its parts, and absolute path of each file of the folder and of those
/// in it that can be part of a migration, ordered by path.
pub(crate) fn list(root: &str, path: &str) -> Result<Vec<(String, String)>, String> {
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
            files.extend(file(&real, &entry)?.map(|(name, file)| (format!("{prefix}{name}"), file)));
        }
    }
    files.sort();
    Ok(files)
}

fn file(folder: &Path, entry: &DirEntry) -> Result<Option<(String, String)>, String> {
    let path = entry.path();
    if !is_wanted(&path) {
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
fn is_wanted(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    !hidden
        && ending.is_some_and(|ending| {
            matches!(ending.as_str(), "sql" | "wasm" | "toml" | "conf" | "sum" | "js" | "mjs" | "ts" | "mts" | "py")
        })
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
        for name in ["2_b.wasm", "10_a.sql", "README.md", ".1_x.sql", "2_b.toml", "4_d.SQL"] {
            fs::write(folder.join(name), "").expect("file");
        }
        let listed = list(&root.to_string_lossy(), "m").expect("listed");
        let missing = list(&root.to_string_lossy(), "n").expect_err("missing");
        fs::remove_dir_all(&root).expect("removed");
        let names: Vec<&str> = listed.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["10_a.sql", "2_b.toml", "2_b.wasm", "3_c.sql/up.sql", "4_d.SQL"]);
        assert!(missing.contains("the path \"n\" is relative to "), "{missing}");
    }
}
