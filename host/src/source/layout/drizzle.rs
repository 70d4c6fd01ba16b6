//! The journal that Drizzle keeps beside its scripts, `meta/_journal.json`: what is in it is run, in its order, and nothing else.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::Ignored;
use super::super::assemble::File;
use super::super::problem::Problem;
use super::super::tree::{self, Found, Tree};
use crate::model::Version;

/// Where it is below the folder.
pub(super) const JOURNAL: &str = "meta/_journal.json";

#[derive(Deserialize)]
struct Journal {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    /// The name of the script without its ending.
    tag: String,
}

/// Reads the journal of a folder, if it has one. One without is told by its list, which was read anyway.
pub(super) fn journal(tree: &mut dyn Tree, entries: &[tree::Entry]) -> Option<Cow<'static, [u8]>> {
    let may_have_one = entries.iter().any(|entry| JOURNAL.split('/').next() == Some(entry.name()));
    match may_have_one.then(|| tree.read(JOURNAL)) {
        Some(Ok(Found::File(bytes))) => Some(bytes),
        _ => None,
    }
}

/// Leaves out the scripts that Drizzle knows nothing of; those behind its last one are not Drizzle's, and stay. Refuses an order that
/// is not that of the numbers.
pub(super) fn keep(
    shown: &str,
    journal: &[u8],
    files: &mut Vec<File>,
    ignored: &mut Vec<Ignored>,
) -> Result<(), Problem> {
    let journal: Journal = serde_json::from_slice(journal).map_err(|error| {
        let hint = "it is what Drizzle keeps of its migrations: mend it, or delete it if Drizzle is gone".to_owned();
        Problem::of_file(shown, format!("cannot be read: {error}"), Some(hint))
    })?;
    let tags: Vec<&str> = journal.entries.iter().map(|entry| entry.tag.as_str()).collect();
    let versions: BTreeMap<&str, Version> = files.iter().filter_map(|file| Some((tag(file)?, file.version))).collect();
    let known: Vec<(&str, Version)> = tags.iter().filter_map(|tag| Some((*tag, *versions.get(tag)?))).collect();
    if let Some([(first, _), (second, _)]) = known.array_windows().find(|[(_, one), (_, other)]| one > other) {
        let message = format!(
            "Drizzle runs `{}` before `{}`, and by their numbers it is the other way round",
            first.escape_debug(),
            second.escape_debug()
        );
        let hint =
            "number the files, and their tags in the journal, in the order in which they are to be applied".to_owned();
        return Err(Problem::of_file(shown, message, Some(hint)));
    }
    let Some(last) = known.last().map(|(_, version)| *version) else { return Ok(()) };
    let left_out: Vec<bool> =
        files.iter().map(|file| file.version <= last && tag(file).is_some_and(|tag| !tags.contains(&tag))).collect();
    let mut left_out = left_out.into_iter();
    ignored.extend(
        files.extract_if(.., |_| left_out.next() == Some(true)).map(|file| Ignored {
            reason: format!("not in {JOURNAL}, so that Drizzle does not run it"),
            file: file.file,
        }),
    );
    Ok(())
}

/// Returns what Drizzle would call a script of the folder itself.
fn tag(file: &File) -> Option<&str> {
    let is_plain = file.is_versioned() && file.part.is_sql() && !file.path.contains('/');
    file.path.strip_suffix(".sql").filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use crate::interrupt::Interrupt;
    use crate::source::{Layout, Memory, Source};

    fn loaded(journal: &str, files: &[&'static str]) -> String {
        let mut folder = Memory::new("m").layout(Layout::Whimbrel).file("meta/_journal.json", journal.to_owned());
        for name in files {
            folder = folder.file(*name, "SELECT 1;");
        }
        match folder.load(&Interrupt::new()) {
            Ok(loaded) => {
                let mut names: Vec<String> = loaded.migrations.iter().map(|migration| migration.title()).collect();
                names.extend(
                    loaded.ignored.into_iter().map(|ignored| format!("({}: {})", ignored.file, ignored.reason)),
                );
                names.join(" ")
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn runs_what_the_journal_has_and_what_came_after_it() {
        let journal = r#"{"entries": [{"idx": 0, "tag": "0000_a"}, {"idx": 1, "tag": "0002_c"}]}"#;
        let expected = "0 a 2 c 3 d (m/0001_b.sql: not in meta/_journal.json, so that Drizzle does not run it)";
        assert!(loaded(journal, &["0000_a.sql", "0001_b.sql", "0002_c.sql", "0003_d.sql"]).starts_with(expected));
        let expected = "0 a 2 c (m/0002_b.sql";
        assert!(loaded(journal, &["0000_a.sql", "0002_b.sql", "0002_c.sql"]).starts_with(expected));
        assert!(loaded(r#"{"entries": []}"#, &["0000_a.sql"]).starts_with("0 a"));
    }

    #[test]
    fn refuses_another_order_and_what_is_no_journal() {
        let journal = r#"{"entries": [{"tag": "0001_b"}, {"tag": "0000_a\u001b"}, {"tag": "0000_a"}]}"#;
        let expected = "m/meta/_journal.json: Drizzle runs `0001_b` before `0000_a`, and by their numbers it is the other way round";
        assert_eq!(loaded(journal, &["0000_a.sql", "0001_b.sql"]), expected);
        let expected = "m/meta/_journal.json: cannot be read: ";
        for journal in ["", "[]", "{}", "{\"entries\": [{}]}"] {
            assert!(loaded(journal, &["0000_a.sql"]).starts_with(expected), "{journal}");
        }
    }
}
