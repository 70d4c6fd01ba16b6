//! Files for one kind of database: `0003_x.sqlite.sql`, or a folder for each. Pure.

use super::super::Ignored;
use super::super::assemble::{File, Gathered};
use super::super::file_name::Part;
use super::super::problem::Problem;
use crate::model::Version;

/// Kinds of database, with the words that stand for them in names of files and folders.
const KINDS: [(&str, &[&str]); 4] = [
    ("sqlite", &["sqlite", "sqlite3"]),
    ("postgres", &["postgres", "postgresql"]),
    ("mysql", &["mysql"]),
    ("mariadb", &["mariadb"]),
];

/// Tells whether a word stands for a kind of database.
#[cfg(feature = "archive")]
pub(in crate::source) fn is_database(word: &str) -> bool {
    kind(word).is_some()
}

/// Returns the kind of database that a word stands for.
pub(super) fn kind(word: &str) -> Option<&'static str> {
    KINDS.iter().find(|(_, words)| words.contains(&word)).map(|(kind, _)| *kind)
}

/// Takes the word for a kind of database out of the name of a script: `0003_x.sqlite.up.sql` is `0003_x.up.sql`.
pub(super) fn without(name: &str) -> Option<(&'static str, String)> {
    let stem = name.strip_suffix(".sql")?;
    let parts: Vec<&str> = stem.split('.').collect();
    let at = parts.iter().rposition(|part| kind(part).is_some()).filter(|at| *at > 0 && at + 2 >= parts.len())?;
    let rest: Vec<&str> = parts.iter().enumerate().filter(|(index, _)| *index != at).map(|(_, part)| *part).collect();
    Some((kind(parts[at])?, format!("{}.sql", rest.join("."))))
}

/// A file, and the kind of database that it is for, if it is for one only.
pub(super) struct Variant {
    /// The file.
    pub(super) file: File,
    /// The kind.
    pub(super) kind: Option<&'static str>,
}

/// Keeps the files for a kind of database, and those for every kind where it has none of its own.
pub(super) fn choose(mut files: Vec<Variant>, dialect: &str, gathered: &mut Gathered) {
    files.sort_by(|left, right| slot(&left.file).cmp(&slot(&right.file)));
    let mut without_one = Vec::new();
    gathered.files.reserve(files.len());
    let mut rest = files.into_iter().peekable();
    while let Some(first) = rest.next() {
        let is_another = |next: &Variant| slot(&next.file) == slot(&first.file);
        // As nearly all are.
        if first.kind.is_none() && !rest.peek().is_some_and(is_another) {
            gathered.files.push(first.file);
            continue;
        }
        let mut group = vec![first];
        while let Some(next) = rest.next_if(|next| slot(&next.file) == slot(&group[0].file)) {
            group.push(next);
        }
        let has_own = group.iter().any(|variant| variant.kind == Some(dialect));
        let has_general = group.iter().any(|variant| variant.kind.is_none());
        if !has_own && !has_general {
            without_one.push(group[0].file.file.clone());
        }
        for Variant { file, kind } in group {
            match kind {
                Some(kind) if kind == dialect => gathered.files.push(file),
                None if !has_own => gathered.files.push(file),
                Some(other) => gathered.ignored.push(Ignored { file: file.file, reason: format!("for {other}") }),
                None => gathered.ignored.push(Ignored { file: file.file, reason: format!("{dialect} has its own") }),
            }
        }
    }
    for file in without_one {
        let hint = format!("add one that ends in .{dialect}.sql; a comment is enough if there is nothing to do");
        gathered.problems.push(Problem::of_file(file, format!("has no counterpart for {dialect}"), Some(hint)));
    }
}

/// What a file is there for: of several for the same, each is for another kind of database.
fn slot(file: &File) -> (u8, Version, &str, Part) {
    (file.role_order(), file.version, &file.name, file.part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_word_at_the_end_of_the_name() {
        let cases = [
            ("3_x.sqlite.sql", Some(("sqlite", "3_x.sql"))),
            ("3_x.postgresql.up.sql", Some(("postgres", "3_x.up.sql"))),
            ("3_x.down.mysql.sql", Some(("mysql", "3_x.down.sql"))),
            ("3_sqlite.sql", None),
            ("3_x.sqlite.y.z.sql", None),
            ("sqlite.sql", None),
            ("3_x.sql", None),
            ("3_x.sqlite.wasm", None),
        ];
        for (name, expected) in cases {
            let found = without(name);
            assert_eq!(found.as_ref().map(|(kind, rest)| (*kind, rest.as_str())), expected, "{name}");
        }
    }
}
