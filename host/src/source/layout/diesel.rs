//! The layout of diesel: a folder for each migration, with `up.sql`, `down.sql` and `metadata.toml` in it.

use super::super::file_name::{FileName, Part};
use super::super::tree::Entry;
use super::{beside, malformed, words};
use crate::model::Version;

/// The file that says how a migration is run.
pub(super) const METADATA: &str = "metadata.toml";

/// Judges a file by its folder.
pub(super) fn judge(path: &str) -> FileName {
    const OTHER: &str = "not a folder with up.sql";
    let Some((folder, file)) = path.split_once('/') else { return beside(path, OTHER) };
    if folder.starts_with('.') {
        return FileName::Ignored("in a hidden folder");
    }
    let part = match file {
        "up.sql" => Part::Up,
        "down.sql" => Part::Down,
        _ => return FileName::Ignored("neither up.sql nor down.sql"),
    };
    let (version, rest) = folder.split_once('_').unwrap_or((folder, ""));
    let hint = "call its folder like `2024-01-31-120000_name`";
    match (Version::parse(&version.replace('-', "")), words(rest)) {
        (Ok(version), Ok(name)) => FileName::part(version, name, part),
        (Err(error), _) => malformed(error.to_string(), hint),
        (_, Err(message)) => malformed(message, hint),
    }
}

/// Judges a folder by what lies in it: diesel refuses one without `up.sql`. What is not meant as a migration is let be: it may
/// hold what scripts of ours import. Returns the path of that file, what is wrong, and what to do.
pub(super) fn judge_folder(folder: &str, entries: &[Entry]) -> Option<(String, &'static str, String)> {
    const UP: &str = "up.sql";
    let is_meant = folder.starts_with(|first: char| first.is_ascii_digit());
    if !is_meant || entries.is_empty() || entries.iter().any(|entry| !entry.is_folder && entry.name() == UP) {
        return None;
    }
    let hint = "write up.sql, which may be blank, or move the folder away; a dot before its name hides it from diesel";
    Some((format!("{folder}/{UP}"), "there is no up.sql in the folder", hint.to_owned()))
}

/// Reads `metadata.toml`: whether the migration is kept out of a transaction.
pub(super) fn is_outside(text: &str) -> Result<bool, toml::de::Error> {
    #[derive(serde::Deserialize)]
    #[serde(default)]
    struct Metadata {
        run_in_transaction: bool,
    }

    impl Default for Metadata {
        fn default() -> Self {
            Self { run_in_transaction: true }
        }
    }

    toml::from_str::<Metadata>(text).map(|metadata| !metadata.run_in_transaction)
}

#[cfg(test)]
mod tests {
    use super::super::Layout;
    use super::super::tests::judged;
    use super::*;
    use crate::interrupt::Interrupt;
    use crate::source::{Memory, Source};

    #[test]
    fn refuses_folders_without_a_way_up() {
        let folder = Memory::new("m").layout(Layout::Diesel).file("1_a/up.sql", "").file(".git/config", "");
        let folder = folder.file("lib/names.js", "");
        assert!(folder.load(&Interrupt::new()).is_ok());
        let folder = folder.file("2_b/down.sql", "").file("3_c/inner/up.sql", "").file("4_d/notes.md", "");
        let error = folder.load(&Interrupt::new()).expect_err("folders without up.sql");
        let expected = ["2_b", "3_c", "4_d"].map(|folder| format!("m/{folder}: there is no up.sql in the folder"));
        assert_eq!(error.to_string(), expected.join("\n"));
    }

    #[test]
    fn reads_what_diesel_reads() {
        let cases = [
            ("2024-01-31-120000_create_users/up.sql", "20240131120000 create_users Up"),
            ("00000000000000_diesel_initial_setup/down.sql", "0 diesel_initial_setup Down"),
            ("20240131/up.sql", "20240131 unnamed Up"),
            ("20240201000000_split.wasm", "20240201000000 split Component"),
            (".hidden_x/up.sql", "ignored: in a hidden folder"),
            ("1_x/notes.md", "ignored: neither up.sql nor down.sql"),
            ("README.md", "ignored: not a folder with up.sql"),
            ("initial_x/up.sql", "wrong: \"initial\" is not a version: a version is made of digits"),
        ];
        for (path, expected) in cases {
            assert_eq!(judged(&judge(path)), expected, "{path:?}");
        }
    }

    #[test]
    fn reads_metadata() {
        assert_eq!(is_outside("run_in_transaction = false"), Ok(true));
        assert_eq!(is_outside("run_in_transaction = true\nother = 1"), Ok(false));
        assert_eq!(is_outside(""), Ok(false));
        assert!(is_outside("run_in_transaction = 1").is_err());
    }
}
