//! Checks that the files of one version belong together. Pure: looks at their names only.

use super::assemble::File;
use super::file_name::Part;
use super::problem::{Problem, ProblemKind};
use crate::model::{Key, Role, Script};
use crate::shown::Shown;
use crate::sql::Directives;

/// Checks the files of one version, ordered by part: there must be one body, and what fits beside it.
pub(super) fn check(files: &[File], problems: &mut Vec<Problem>) {
    let Some((body, companions)) = files.split_first() else { return };
    if !is_body(body) {
        problems.extend(files.iter().map(orphan));
        return;
    }
    problems.extend((0..companions.len()).filter_map(|index| judge(files, body, index + 1)));
    if body.part == Part::Component && !files.iter().any(|file| file.part == Part::Manifest) {
        problems.push(without_manifest(body));
    }
}

fn is_body(file: &File) -> bool {
    matches!(file.part, Part::Sql | Part::Up | Part::Component | Part::Script)
}

/// Judges one file by the body and by those before it.
fn judge(files: &[File], body: &File, index: usize) -> Option<Problem> {
    let (before, file) = (&files[..index], &files[index]);
    let refuse = |message: String, hint: &str| Some(Problem::of_file(&file.file, message, Some(hint.to_owned())));
    if is_body(file) {
        return Some(taken(&file.file, &key(file), &body.file, body.name == file.name));
    }
    // Both ways may be in one file: what is wrong with that is told once.
    if before.iter().skip(1).any(|other| is_body(other) && other.file == file.file) {
        return None;
    }
    if !files.iter().any(|other| is_body(other) && other.name == file.name) {
        let message = format!("the migration of {} is {}", called(&key(file)), Shown(&body.file));
        return refuse(message, "give both the same name");
    }
    if let Some(twin) = before.iter().find(|other| (other.part, &other.name) == (file.part, &file.name)) {
        return refuse(format!("{} already has {}", called(&key(file)), Shown(&twin.file)), "keep one of them");
    }
    match (file.part, body.part) {
        (Part::Down, Part::Sql) if body.name == file.name => {
            let message = format!("{} stands alone and has no down script", Shown(&body.file));
            refuse(message, &format!("call that one {}.up.sql", Shown(stem(body))))
        }
        (Part::Down, Part::Component | Part::Script) => {
            let is = if body.part == Part::Script { "script" } else { "component" };
            let message = format!("{} is a {is}, which brings its own way down", Shown(&body.file));
            refuse(message, "leave the down script out")
        }
        _ => None,
    }
}

/// Refuses a body that claims what another one has.
pub(super) fn taken(file: &str, key: &Key, other: &str, same_name: bool) -> Problem {
    let hint = match (same_name, in_folder_of_its_own(file) && in_folder_of_its_own(other)) {
        (true, _) => "keep one of them",
        (false, true) => "give the folder of one of them another version in its name",
        (false, false) => "give one of them another version: `whimbrel renumber`",
    };
    let message = format!("{} is already that of {}", called(key), Shown(other));
    Problem { kind: ProblemKind::DuplicateVersion, ..Problem::of_file(file, message, Some(hint.to_owned())) }
}

/// Tells whether a file is called as those are whose folder has the version; such folders are not renumbered.
fn in_folder_of_its_own(file: &str) -> bool {
    matches!(file.rsplit('/').next(), Some("up.sql" | "down.sql" | "migration.sql"))
}

/// Returns what tells the migration of a file from others.
fn key(file: &File) -> Key {
    match file.role {
        Role::Versioned | Role::Baseline => Key::Version(file.version),
        Role::Repeatable => Key::Name(file.name.clone()),
    }
}

fn called(key: &Key) -> String {
    match key {
        Key::Version(version) => format!("version {version}"),
        Key::Name(name) => format!("the name {name}"),
    }
}

/// Refuses a verify script that says how a migration is to be run.
pub(super) fn directs(verify: &Script) -> Option<Problem> {
    let Directives { description, placeholders, .. } = &verify.directives;
    let may = Directives { description: description.clone(), placeholders: *placeholders, ..Directives::default() };
    let message = "a verify script cannot say how its migration runs: it is no migration itself";
    let hint = || "leave all directives but `description` and `placeholders` out".to_owned();
    (verify.directives != may).then(|| Problem::of_file(&verify.file, message, Some(hint())))
}

fn orphan(file: &File) -> Problem {
    let stem = Shown(stem(file));
    let (message, hint) = match file.part {
        Part::Down => ("there is no up script for this down script", format!("add {stem}.up.sql")),
        Part::Verify => ("there is no migration for this verify script", format!("add {stem}.sql or {stem}.wasm")),
        _ => ("there is no migration for this manifest", format!("add {stem}.wasm or {stem}.sql")),
    };
    Problem::of_file(&file.file, message, Some(hint))
}

fn without_manifest(component: &File) -> Problem {
    let hint = format!(
        "write {}.toml with what it does and may do, such as:\n\
         description = \"{}\"\n\n[grants]\nread = [\"table(column)\"]\nupdate = [\"table(column)\"]",
        Shown(stem(component)),
        component.name.replace(['_', '-'], " ")
    );
    Problem::of_file(&component.file, "a component needs its manifest beside it", Some(hint))
}

/// Returns what a file is called up to its ending.
fn stem(file: &File) -> &str {
    match file.part {
        Part::Script => file.file.rsplit_once('.').map_or(&file.file, |(stem, _)| stem),
        part => file.file.strip_suffix(part.ending()).unwrap_or(&file.file),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::assemble::Gathered;
    use crate::source::file_name::FileName;

    #[test]
    fn reports_what_does_not_belong_together() {
        let cases: [(&[&str], &[&str]); 15] = [
            (&["R__a.sql", "R__a.js"], &["m/R__a.js: the name a is already that of m/R__a.sql (keep one of them)"]),
            (&["1_a.js", "01_a.toml"], &[]),
            (
                &["1_a.js", "1_a.ts", "1_a.down.sql"],
                &[
                    "m/1_a.ts: version 1 is already that of m/1_a.js (keep one of them)",
                    "m/1_a.down.sql: m/1_a.js is a script, which brings its own way down (leave the down script out)",
                ],
            ),
            (
                &["2_a.up.sql", "2_a.down.sql", "2_again.sql"],
                &[
                    "m/2_a.up.sql: version 2 is already that of m/2_again.sql (give one of them another version: `whimbrel renumber`)",
                ],
            ),
            (&["1_a.up.sql", "01_a.down.sql", "001_a.toml"], &[]),
            (&["1_a.wasm", "01_a.toml"], &[]),
            (&["1_a.sql", "1_a.up.sql"], &["m/1_a.up.sql: version 1 is already that of m/1_a.sql (keep one of them)"]),
            (
                &["1_a.sql", "01_b.sql", "1_c.wasm", "1_c.toml"],
                &[
                    "m/1_a.sql: version 1 is already that of m/01_b.sql (give one of them another version: `whimbrel renumber`)",
                    "m/1_c.wasm: version 1 is already that of m/01_b.sql (give one of them another version: `whimbrel renumber`)",
                ],
            ),
            (
                &["1_a.sql", "01_a.down.sql"],
                &["m/01_a.down.sql: m/1_a.sql stands alone and has no down script (call that one m/1_a.up.sql)"],
            ),
            (
                &["1_a.up.sql", "1_b.down.sql"],
                &["m/1_b.down.sql: the migration of version 1 is m/1_a.up.sql (give both the same name)"],
            ),
            (
                &["1_a.up.sql", "1_a.down.sql", "01_a.down.sql"],
                &["m/1_a.down.sql: version 1 already has m/01_a.down.sql (keep one of them)"],
            ),
            (
                &["01_a.down.sql", "2_b.toml"],
                &[
                    "m/01_a.down.sql: there is no up script for this down script (add m/01_a.up.sql)",
                    "m/2_b.toml: there is no migration for this manifest (add m/2_b.wasm or m/2_b.sql)",
                ],
            ),
            (
                &["1_a.wasm", "1_b.toml"],
                &["m/1_b.toml: the migration of version 1 is m/1_a.wasm (give both the same name)"],
            ),
            (
                &["1_a.wasm", "1_a.down.sql", "1_a.toml"],
                &[
                    "m/1_a.down.sql: m/1_a.wasm is a component, which brings its own way down (leave the down script out)",
                ],
            ),
            (
                &["03_split_names.wasm"],
                &["m/03_split_names.wasm: a component needs its manifest beside it \
                 (write m/03_split_names.toml with what it does and may do, such as:\n\
                 description = \"split names\"\n\n[grants]\nread = [\"table(column)\"]\nupdate = [\"table(column)\"])"],
            ),
        ];
        for (names, expected) in cases {
            let mut files: Vec<File> = names
                .iter()
                .filter_map(|name| Gathered::default().keep(format!("m/{name}"), FileName::parse(name)))
                .collect();
            files.sort_by(|left, right| (left.part, &left.file).cmp(&(right.part, &right.file)));
            let mut problems = Vec::new();
            check(&files, &mut problems);
            let shown: Vec<String> = problems
                .iter()
                .map(|problem| format!("{problem} ({})", problem.hint.as_deref().unwrap_or("-")))
                .collect();
            assert_eq!(shown, expected);
        }
    }

    #[test]
    fn what_a_terminal_obeys_is_escaped_in_names_of_other_files() {
        let problem = taken("m/1_b.sql", &Key::Version(1.into()), "m\u{1b}[2J/1_a.sql", false);
        assert_eq!(problem.message, "version 1 is already that of m\\u{1b}[2J/1_a.sql");
    }
}
