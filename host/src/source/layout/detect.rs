//! Finds out whose way a folder is laid out, by names and, where these do not tell, by marks in the files.

use super::super::file_name::{FileName, Part};
use super::super::problem::Problem;
use super::super::tree::{Entry, Tree, sorted};
use super::{Layout, goose, sqlx};

/// What speaks for a layout.
struct Evidence {
    layout: Layout,
    file: String,
}

/// Finds the layout of a folder, and what is in it, some of it looked into; `Whimbrel` when nothing speaks for another.
pub(super) fn detect(tree: &mut dyn Tree) -> Result<(Layout, Vec<Entry>), Problem> {
    let mut found = Vec::new();
    let mut numbered = Vec::new();
    let see = |found: &mut Vec<Evidence>, layout, path: &str| {
        if !found.iter().any(|evidence: &Evidence| evidence.layout == layout) {
            found.push(Evidence { layout, file: path.to_owned() });
        }
    };
    let mut undone = None;
    let mut done = Vec::new();
    let mut entries = sorted(tree, "")?;
    for (place, entry) in entries.iter().enumerate() {
        if entry.is_folder {
            for inner in sorted(tree, &entry.path)? {
                match inner.name() {
                    "up.sql" => see(&mut found, Layout::Diesel, &inner.path),
                    "migration.sql" => see(&mut found, Layout::Prisma, &inner.path),
                    name if is_flyway(name) => see(&mut found, Layout::Flyway, &inner.path),
                    _ => {}
                }
            }
            continue;
        }
        match entry.name() {
            super::atlas::SUM => see(&mut found, Layout::Atlas, &entry.path),
            name if name.ends_with(".rs") && is_flyway(&name.replace(".rs", ".sql")) => {
                see(&mut found, Layout::Refinery, &entry.path);
            }
            name if is_flyway(name) => {
                see(&mut found, Layout::Flyway, &entry.path);
                match super::flyway::judge(name) {
                    FileName::Part { version, part: Part::Down, .. } => undone = Some((version, entry.path.clone())),
                    FileName::Part { version, .. } => done.push(version),
                    _ => {}
                }
            }
            name if name.starts_with(|first: char| first.is_ascii_digit()) && name.ends_with(".sql") => {
                if is_odd(name) && matches!(super::golang_migrate::judge(name), FileName::Part { .. }) {
                    see(&mut found, Layout::GolangMigrate, &entry.path);
                }
                numbered.push(place);
            }
            _ => {}
        }
    }
    for place in &numbered {
        let entry = &mut entries[*place];
        if let Some(layout) = entry.peek(tree).and_then(marked) {
            see(&mut found, layout, &entry.path);
        }
    }
    // Atlas writes checksums for the pairs of golang-migrate, and has none of its own.
    if let [Evidence { layout: Layout::Atlas, .. }] = found.as_slice() {
        let pair = numbered.iter().find(|place| entries[**place].path.ends_with(".up.sql"));
        found.extend(pair.map(|place| Evidence { layout: Layout::GolangMigrate, file: entries[*place].path.clone() }));
    }
    // Rust code settles it: Flyway has none, and both name their scripts alike.
    if found.iter().any(|evidence| evidence.layout == Layout::Refinery) {
        found.retain(|evidence| evidence.layout != Layout::Flyway);
    } else if let Some((version, path)) = undone
        && !done.contains(&version)
    {
        let message = "undoes nothing for Flyway, and is a way up for refinery".to_owned();
        let hint = "say which it is with `--layout flyway` or `--layout refinery`".to_owned();
        return Err(Problem::of_file(tree.shown(&path), message, Some(hint)));
    }
    let plain = numbered.first().map(|place| entries[*place].path.as_str());
    Ok((decide(tree, &found, plain)?, entries))
}

/// Decides by the evidence; `plain` is a script that could be Whimbrel's own.
fn decide(tree: &dyn Tree, found: &[Evidence], plain: Option<&str>) -> Result<Layout, Problem> {
    let files_of_their_own =
        |layout| !matches!(layout, Layout::Diesel | Layout::Prisma | Layout::Flyway | Layout::Refinery);
    // Atlas writes its checksums for folders of other tools as well.
    let found: Vec<&Evidence> =
        match found.iter().filter(|evidence| evidence.layout != Layout::Atlas).collect::<Vec<_>>() {
            others if others.is_empty() => found.iter().collect(),
            others => others,
        };
    match found.as_slice() {
        [] => Ok(Layout::Whimbrel),
        [one] if files_of_their_own(one.layout) || plain.is_none() => Ok(one.layout),
        several => {
            let mut views: Vec<String> = several
                .iter()
                .map(|evidence| format!("{} ({})", evidence.layout, tree.shown(&evidence.file)))
                .collect();
            if let ([_], Some(plain)) = (several, plain) {
                views.push(format!("whimbrel ({})", tree.shown(plain)));
            }
            let message = format!("looks like the folder of {}", views.join(" and of "));
            let hint = "say which it is with --layout, or give each a folder of its own".to_owned();
            Err(Problem::of_file(tree.shown(""), message, Some(hint)))
        }
    }
}

/// Whimbrel has repeatable ones and baselines of the same names, so these tell nothing.
fn is_flyway(name: &str) -> bool {
    name.starts_with(['V', 'U']) && matches!(super::flyway::judge(name), FileName::Part { .. }) && name.contains("__")
}

/// A name that only golang-migrate accepts.
fn is_odd(name: &str) -> bool {
    name.contains("..") && matches!(FileName::parse(name), FileName::Malformed { .. })
}

/// Looks for marks at the beginnings of lines.
fn marked(bytes: &[u8]) -> Option<Layout> {
    let text = str::from_utf8(bytes).ok()?;
    // All of them are comments, and many scripts have none.
    if !text.contains("--") {
        return None;
    }
    if sqlx::is_outside(bytes) {
        return Some(Layout::Sqlx);
    }
    if !text.contains("migrate:") && !text.contains("goose") && !text.contains("GOOSE") {
        return None;
    }
    text.lines().find_map(|line| {
        if goose::mark(line).is_some_and(|command| command.eq_ignore_ascii_case("up")) {
            return Some(Layout::Goose);
        }
        super::dbmate::is_up(line).then_some(Layout::Dbmate)
    })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::super::super::tree::Kept;
    use super::*;

    fn detected(files: &[(&'static str, &'static str)]) -> String {
        let mut tree = Kept::new("m");
        for (path, text) in files {
            tree.add(*path, Cow::Borrowed(text.as_bytes()));
        }
        match detect(&mut tree) {
            Ok((layout, _)) => layout.to_string(),
            Err(problem) => problem.to_string(),
        }
    }

    #[test]
    fn finds_each_layout() {
        let cases: [(&[(&str, &str)], &str); 20] = [
            (&[], "whimbrel"),
            (&[("0001_a.sql", "SELECT 1"), ("notes.md", "-- +goose Up")], "whimbrel"),
            (&[("1_a.up.sql", ""), ("1_a.down.sql", "")], "whimbrel"),
            (&[("1_a.sql", "-- no-transaction\n")], "sqlx"),
            (&[("V1__a.sql", ""), ("V1.2__b.sql", ""), ("R__c.sql", "")], "flyway"),
            (&[("1_a.sql", ""), ("R__b.sql", ""), ("B1__c.sql", "")], "whimbrel"),
            (&[("v1/V1__a.sql", "")], "flyway"),
            (&[("V2__a.sql", ""), ("U2__a.sql", "")], "flyway"),
            (&[("V1_2__a.sql", ""), ("U1.2__a.sql", "")], "flyway"),
            (&[("V1__a.sql", ""), ("V2__b.rs", ""), ("U3__c.sql", "")], "refinery"),
            (&[("1_a..up.sql", ""), ("1_a.down.sql", "")], "golang-migrate"),
            (&[("1_a.sql", "-- words\n-- +GOOSE Up\nSELECT 1;")], "goose"),
            (&[("1_a.sql", "--migrate:up\nSELECT 1;")], "dbmate"),
            (&[("2024-01-31-120000_a/up.sql", "")], "diesel"),
            (&[("20240131120000_a/migration.sql", ""), ("migration_lock.toml", "")], "prisma"),
            (&[("1_a.sql", ""), ("atlas.sum", "")], "atlas"),
            (&[("1_a.sql", "-- +goose Up"), ("atlas.sum", "")], "goose"),
            (&[("1_a.up.sql", "-- +goose Up"), ("atlas.sum", "")], "goose"),
            (&[("1_a.up.sql", ""), ("1_a.down.sql", ""), ("atlas.sum", "")], "golang-migrate"),
            (&[("0001_a.sql", "SELECT 'x\n-- migrate:uphill'")], "whimbrel"),
        ];
        for (files, expected) in cases {
            assert_eq!(detected(files), expected, "{files:?}");
        }
    }

    #[test]
    fn asks_when_a_folder_could_be_two() {
        let cases: [(&[(&str, &str)], &str); 3] = [
            (
                &[("1_a.sql", "-- +goose Up\n"), ("2_b.sql", "-- migrate:up\n")],
                "m: looks like the folder of goose (m/1_a.sql) and of dbmate (m/2_b.sql)",
            ),
            (
                &[("1_a.sql", ""), ("2_b/up.sql", "")],
                "m: looks like the folder of diesel (m/2_b/up.sql) and of whimbrel (m/1_a.sql)",
            ),
            (
                &[("V1__a.sql", ""), ("U2__b.sql", "")],
                "m/U2__b.sql: undoes nothing for Flyway, and is a way up for refinery",
            ),
        ];
        for (files, expected) in cases {
            assert_eq!(detected(files), expected, "{files:?}");
        }
    }
}
