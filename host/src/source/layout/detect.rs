//! Finds out whose way a folder is laid out, by names and, where these do not tell, by marks in the files.

use super::super::file_name::{FileName, Part};
use super::super::problem::Problem;
use super::super::tree::{Entry, Tree, sorted};
use super::{Layout, goose, sqlx};
use crate::shown::Shown;

/// What speaks for a layout.
struct Evidence {
    layout: Layout,
    file: String,
    /// The tool whose folders are read in the layout of another.
    guise: Option<&'static str>,
}

/// What was found out of a folder.
pub(super) struct Detected {
    pub(super) layout: Layout,
    /// Only the tool that has applied some of it speaks for the layout.
    pub(super) is_assumed: bool,
    /// What is in it, some of it looked into.
    pub(super) entries: Vec<Entry>,
}

/// Finds the layout of a folder: `Whimbrel` when nothing speaks for another. `tool` is the layout of the one that has applied
/// some of it, which settles what could be two.
pub(super) fn detect(tree: &mut dyn Tree, tool: Option<Layout>) -> Result<Detected, Problem> {
    let mut found = Vec::new();
    let mut numbered = Vec::new();
    let see = |found: &mut Vec<Evidence>, layout, path: &str| {
        if !found.iter().any(|evidence: &Evidence| evidence.layout == layout) {
            found.push(Evidence { layout, file: path.to_owned(), guise: None });
        }
    };
    let mut undone = None;
    let mut done = Vec::new();
    let mut entries = sorted(tree, "")?;
    for (place, entry) in entries.iter().enumerate() {
        if entry.is_folder {
            let inside = sorted(tree, &entry.path)?;
            let is_drizzle = inside.iter().any(|inner| inner.name() == "snapshot.json");
            for inner in inside {
                match inner.name() {
                    "up.sql" => see(&mut found, Layout::Diesel, &inner.path),
                    "migration.sql" => {
                        see(&mut found, Layout::Prisma, &inner.path);
                        let prisma = found.iter_mut().find(|evidence| evidence.layout == Layout::Prisma);
                        prisma.into_iter().for_each(|evidence| evidence.guise = is_drizzle.then_some("Drizzle"));
                    }
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
    let mut is_directed = false;
    for place in &numbered {
        let entry = &mut entries[*place];
        let bytes = entry.peek(tree).unwrap_or_default();
        is_directed |= tool.is_some() && str::from_utf8(bytes).is_ok_and(has_directive);
        if let Some(layout) = marked(bytes) {
            see(&mut found, layout, &entry.path);
        }
    }
    // Atlas writes checksums for the pairs of golang-migrate, and has none of its own.
    if let [Evidence { layout: Layout::Atlas, .. }] = found.as_slice() {
        let pair = numbered.iter().find(|place| entries[**place].path.ends_with(".up.sql"));
        found.extend(pair.map(|place| Evidence {
            layout: Layout::GolangMigrate,
            file: entries[*place].path.clone(),
            guise: None,
        }));
    }
    let settled = tool.filter(|tool| settles(*tool, &found, &entries, is_directed));
    let undone = undone.filter(|(version, _)| !done.contains(version)).map(|(_, path)| path);
    let plain = numbered.first().map(|place| entries[*place].path.as_str());
    let told = told(tree, found, undone, plain);
    match settled {
        Some(layout) => Ok(Detected { layout, is_assumed: told != Ok(layout), entries }),
        None => Ok(Detected { layout: told?, is_assumed: false, entries }),
    }
}

/// Decides by what was found alone; `undone` is a way down of Flyway that has no way up.
fn told(
    tree: &dyn Tree,
    mut found: Vec<Evidence>,
    undone: Option<String>,
    plain: Option<&str>,
) -> Result<Layout, Problem> {
    // Rust code settles it: Flyway has none, and both name their scripts alike.
    if found.iter().any(|evidence| evidence.layout == Layout::Refinery) {
        found.retain(|evidence| evidence.layout != Layout::Flyway);
    } else if let Some(path) = undone {
        let message = "undoes nothing for Flyway, and is a way up for refinery".to_owned();
        let hint = "say which it is with `--layout flyway` or `--layout refinery`".to_owned();
        return Err(Problem::of_file(tree.shown(&path), message, Some(hint)));
    }
    decide(tree, &found, plain)
}

/// Tells whether a folder is laid out as its tool does, of which this was found.
fn settles(tool: Layout, found: &[Evidence], entries: &[Entry], is_directed: bool) -> bool {
    match found {
        // These mark their scripts in no way. Who has made the folder one of Whimbrel's since has parts or directives in it.
        [] => {
            let unmarked = matches!(tool, Layout::Sqlx | Layout::GolangMigrate | Layout::Atlas);
            unmarked && !is_directed && fits(tool, entries)
        }
        // Flyway and refinery name their scripts alike.
        [one] if one.layout == Layout::Flyway => matches!(tool, Layout::Flyway | Layout::Refinery),
        // Atlas writes its checksums for folders of other tools as well.
        found => tool != Layout::Atlas && found.iter().any(|evidence| evidence.layout == tool),
    }
}

/// Tells whether the files of a folder are the same to a tool as they are here, as far as they are anything here, and some
/// are scripts.
fn fits(tool: Layout, entries: &[Entry]) -> bool {
    let mut has_scripts = false;
    entries.iter().filter(|entry| !entry.is_folder).all(|entry| {
        let judged = tool.judge(&entry.path, &[]);
        has_scripts |= matches!(&judged, FileName::Part { part, .. } if part.is_sql());
        match (FileName::parse(entry.name()), judged) {
            (FileName::Part { part, role, .. }, FileName::Part { part: its, role: its_role, .. }) => {
                (part, role) == (its, its_role)
            }
            (FileName::Part { .. }, _) => false,
            _ => true,
        }
    }) && has_scripts
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
                .map(|Evidence { layout, file, guise }| {
                    let layout = match guise {
                        Some(tool) => format!("{tool}, which is read as {layout}"),
                        None => layout.to_string(),
                    };
                    format!("{layout} ({})", Shown(&tree.shown(file)))
                })
                .collect();
            if let ([_], Some(plain)) = (several, plain) {
                views.push(format!("whimbrel ({})", Shown(&tree.shown(plain))));
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

/// Tells whether a script begins with comments of which one is a directive of whimbrel's.
fn has_directive(text: &str) -> bool {
    let mut head = text.lines().map(str::trim).take_while(|line| line.is_empty() || line.starts_with("--"));
    head.any(|line| line.trim_start_matches('-').trim_start().starts_with("whimbrel:"))
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
        if goose::is_up(line) {
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
        detected_of(None, files)
    }

    fn detected_of(tool: Option<Layout>, files: &[(&'static str, &'static str)]) -> String {
        let mut tree = Kept::new("m");
        for (path, text) in files {
            tree.add(*path, Cow::Borrowed(text.as_bytes()));
        }
        match detect(&mut tree, tool) {
            Ok(Detected { layout, is_assumed: false, .. }) => layout.to_string(),
            Ok(Detected { layout, .. }) => format!("{layout}, assumed"),
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
    fn the_tool_that_has_applied_a_folder_settles_what_could_be_two() {
        let cases: [(Layout, &[(&str, &str)], &str); 18] = [
            (Layout::Atlas, &[("1_a.sql", "-- +goose Up\n"), ("atlas.sum", "")], "goose"),
            (Layout::Atlas, &[("1_a.sql", ""), ("atlas.sum", "")], "atlas"),
            (Layout::Sqlx, &[("1_a.sql", ""), ("2_b c.sql", ""), ("README.md", "")], "sqlx, assumed"),
            (Layout::Sqlx, &[("1_a.up.sql", ""), ("1_a.down.sql", "")], "sqlx, assumed"),
            (Layout::Sqlx, &[("1_a.sql", "-- no-transaction\n")], "sqlx"),
            (Layout::Sqlx, &[("1_a.sql", "-- whimbrel: rebuild\n")], "whimbrel"),
            (Layout::Sqlx, &[("1_a.sql", ""), ("R__b.sql", "")], "whimbrel"),
            (Layout::Sqlx, &[("1_a.sql", ""), ("1_a.verify.sql", "")], "whimbrel"),
            (Layout::Sqlx, &[("1_a.sql", "-- migrate:up\n")], "dbmate"),
            (Layout::Sqlx, &[("V1__a.sql", "")], "flyway"),
            (Layout::GolangMigrate, &[("1_a.up.sql", ""), ("1_a.down.sql", "")], "golang-migrate, assumed"),
            (Layout::GolangMigrate, &[("1_a.sql", "")], "whimbrel"),
            (Layout::Goose, &[("1_a.sql", "")], "whimbrel"),
            (Layout::Refinery, &[("V1__a.sql", ""), ("U2__b.sql", "")], "refinery, assumed"),
            (Layout::Flyway, &[("V1__a.sql", ""), ("U2__b.sql", "")], "flyway, assumed"),
            (Layout::Diesel, &[("1_a.sql", ""), ("2_b/up.sql", "")], "diesel, assumed"),
            (Layout::Diesel, &[], "whimbrel"),
            (Layout::Goose, &[("1_a.sql", "-- +goose Up\n"), ("2_b.sql", "-- migrate:up\n")], "goose, assumed"),
        ];
        for (tool, files, expected) in cases {
            assert_eq!(detected_of(Some(tool), files), expected, "{tool} {files:?}");
        }
    }

    #[test]
    fn asks_when_a_folder_could_be_two() {
        let cases: [(&[(&str, &str)], &str); 5] = [
            (
                &[("1_a.sql", ""), ("2_b/migration.sql", ""), ("2_b/snapshot.json", "")],
                "m: looks like the folder of Drizzle, which is read as prisma (m/2_b/migration.sql) and of whimbrel (m/1_a.sql)",
            ),
            (
                &[("1_\u{1b}c.sql", ""), ("2_b/up.sql", "")],
                "m: looks like the folder of diesel (m/2_b/up.sql) and of whimbrel (m/1_\\u{1b}c.sql)",
            ),
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
