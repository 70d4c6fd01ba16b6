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
    let stem = name.strip_suffix(".sql").filter(|stem| stem.contains('.'))?;
    let parts: Vec<&str> = stem.split('.').collect();
    let at = parts.iter().rposition(|part| kind(part).is_some()).filter(|at| *at > 0 && at + 2 >= parts.len())?;
    let rest: Vec<&str> = parts.iter().enumerate().filter(|(index, _)| *index != at).map(|(_, part)| *part).collect();
    Some((kind(parts[at])?, format!("{}.sql", rest.join("."))))
}

/// Keeps the files for a kind of database, and those for every kind where it has none of its own.
pub(super) fn choose(mut files: Vec<File>, dialect: &str, gathered: &mut Gathered) {
    // As nearly always.
    if files.iter().all(|file| file.kind.is_none()) {
        return match gathered.files.is_empty() {
            true => gathered.files = files,
            false => gathered.files.append(&mut files),
        };
    }
    files.sort_by(|left, right| slot(left).cmp(&slot(right)));
    let mut without_one = Vec::new();
    let mut rest = files.into_iter().peekable();
    while let Some(first) = rest.next() {
        let mut group = vec![first];
        while let Some(next) = rest.next_if(|next| slot(next) == slot(&group[0])) {
            group.push(next);
        }
        let has_own = group.iter().any(|file| file.kind == Some(dialect));
        let has_general = group.iter().any(|file| file.kind.is_none());
        if !has_own && !has_general {
            without_one.push(group[0].file.clone());
        }
        for file in group {
            let reason = match file.kind {
                Some(kind) if kind != dialect => format!("for {kind}"),
                None if has_own => format!("{dialect} has its own"),
                Some(_) | None => {
                    gathered.files.push(file);
                    continue;
                }
            };
            gathered.ignored.push(Ignored { file: file.file, reason });
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
