//! Finds dependencies on migrations that get new versions, and writes the new ones in their place. Writes no file.

use std::ops::Range;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::problem::Problem;
use super::renumber::Renumbering;
use super::scripts::lines_of_head;
use crate::model::{Dependency, Version};
use crate::sql;

/// A file that gets another text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Edit {
    /// The file, as it is called before anything is renamed.
    pub file: PathBuf,
    /// The version of the migration that it belongs to; `None` for one that has none.
    pub version: Option<Version>,
    /// What it holds then.
    pub text: String,
}

/// What becomes of dependencies.
#[derive(Clone, Debug, Default)]
pub struct Repointed {
    /// Files that get another text.
    pub edits: Vec<Edit>,
    /// Dependencies that somebody has to look at.
    pub notes: Vec<Problem>,
}

/// Whose dependencies they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pointing<'a> {
    /// The chain that the files are of: a version alone is one of it.
    pub(super) own: &'a str,
    /// What moves, by the names of the chains.
    pub(super) moves: &'a [(String, Renumbering)],
}

impl Pointing<'_> {
    /// Looks at a file of a version; its name tells how dependencies are written in it.
    pub(super) fn file(&self, file: PathBuf, version: Option<Version>, shown: &str, text: &str, all: &mut Repointed) {
        if !text.contains("depends_on") {
            return;
        }
        let ending = shown.rsplit_once('.').map_or("", |(_, ending)| ending);
        let ranges = match ending {
            "sql" => sql::dependencies(text),
            "toml" => in_manifest(text),
            // What cannot be read as a script's head says nothing: whoever loads the script tells why.
            _ => match lines_of_head(shown, text) {
                Ok(Some(toml)) => in_manifest(&toml),
                Ok(None) | Err(_) => return,
            },
        };
        let mut changed = text.to_owned();
        for range in ranges.into_iter().rev() {
            match self.judge(&text[range.clone()]) {
                Judged::Other => {}
                Judged::Moved(new) => changed.replace_range(range, &new),
                Judged::Unclear(from, to) => {
                    let message =
                        format!("depends on version {from}, which one migration keeps and another leaves for {to}");
                    let hint = format!("write {to} if it is that one");
                    all.notes.push(Problem::at(shown, text, range.start, message, Some(hint)));
                }
            }
        }
        if changed != text {
            all.edits.push(Edit { file, version, text: changed });
        }
    }

    fn judge(&self, name: &str) -> Judged {
        let Ok(Dependency { chain, version }) = name.parse::<Dependency>() else { return Judged::Other };
        let about = chain.as_deref().unwrap_or(self.own);
        let Some((_, renumbering)) = self.moves.iter().find(|(chain, _)| chain == about) else { return Judged::Other };
        // Of several with one version the last one to move is meant as much as any.
        match renumbering.moved.iter().rfind(|moved| moved.from == version) {
            None => Judged::Other,
            Some(moved) if renumbering.kept.contains(&version) => Judged::Unclear(version, moved.to),
            Some(moved) => Judged::Moved(match chain {
                Some(chain) => format!("{chain}:{}", moved.to),
                None => moved.to.to_string(),
            }),
        }
    }
}

enum Judged {
    Other,
    Moved(String),
    Unclear(Version, Version),
}

/// Returns where the names stand that `depends_on` of a manifest lists, without their quotes.
fn in_manifest(text: &str) -> Vec<Range<usize>> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Contents {
        depends_on: Vec<Spanned<String>>,
    }
    let contents: Contents = toml::from_str(text).unwrap_or_default();
    let inside = |name: &Spanned<String>| {
        let span = name.span();
        let range = span.start.checked_add(1)?..span.end.checked_sub(1)?;
        (text.get(range.clone()) == Some(name.get_ref())).then_some(range)
    };
    contents.depends_on.iter().filter_map(inside).collect()
}

#[cfg(test)]
mod tests {
    use super::super::renumber::Moved;
    use super::*;

    fn repointed(own: &str, name: &str, text: &str) -> String {
        let moved =
            |from, to| Moved { name: "x".into(), from: Version::from(from), to: Version::from(to), files: Vec::new() };
        let renumbering =
            Renumbering { moved: vec![moved(3, 9), moved(4, 10)], kept: [Version::from(4)].into_iter().collect() };
        let billing = Renumbering { moved: vec![moved(3, 5)], ..Renumbering::default() };
        let mut all = Repointed::default();
        let moves = [("main".to_owned(), renumbering), ("billing".to_owned(), billing)];
        Pointing { own, moves: &moves }.file(name.into(), None, name, text, &mut all);
        let notes = all.notes.iter().map(|note| format!("!{note}"));
        all.edits.into_iter().map(|edit| edit.text).chain(notes).collect()
    }

    #[test]
    fn writes_the_new_versions() {
        assert_eq!(
            repointed("main", "5_a.sql", "-- words\n-- whimbrel: depends_on = 03, 5 ,main:3, other:3\nSELECT 3;"),
            "-- words\n-- whimbrel: depends_on = 9, 5 ,main:9, other:3\nSELECT 3;"
        );
        assert_eq!(
            repointed("main", "5_a.toml", "depends_on = [\"3\", 'main:3', \"7\"]\n[params]\nx = \"3\"\n"),
            "depends_on = [\"9\", 'main:9', \"7\"]\n[params]\nx = \"3\"\n"
        );
        let text = "--whimbrel:depends_on=3,main:3,billing:3\n";
        assert_eq!(repointed("other", "1_a.sql", text), "--whimbrel:depends_on=3,main:9,billing:5\n");
        assert_eq!(repointed("billing", "1_a.sql", text), "--whimbrel:depends_on=5,main:9,billing:5\n");
        assert_eq!(
            repointed("main", "5_a.sql", "-- whimbrel: depends_on = 4\n"),
            "!5_a.sql:1:27: depends on version 4, which one migration keeps and another leaves for 10"
        );
        for (name, sign) in [("5_a.js", "//"), ("5_a.py", "#"), ("5_a.ts", " //")] {
            let head = |to: &str| {
                format!("{sign} é\n{sign} whimbrel: depends_on = [\"{to}\", 'main:{to}', \"7\"]\nup(\"3\");\n")
            };
            assert_eq!(repointed("main", name, &head("3")), head("9"), "{name}");
        }
        assert_eq!(repointed("main", "5_a.js", "// depends_on = [\"3\"]"), "");
        assert_eq!(repointed("main", "5_a.toml", "depends_on = [3"), "");
    }
}
