//! Decides which migrations of a folder get new versions, at the end of the chain, and what their files are called then.
//! Writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::file_name::{FileName, Part};
use super::layout::Layout;
use super::problem::{Problem, SourceError};
use crate::model::{Applied, AppliedState, Role, Version};

/// What is to be renumbered.
#[derive(Clone, Copy, Debug)]
pub struct Renumber<'a> {
    /// Rows of the history of the chain.
    pub applied: &'a [Applied],
    /// Migrations that get new versions, by a file of theirs with or without its ending. If there are none: every
    /// pending one whose version is taken, and every pending one that an applied one has overtaken.
    pub chosen: &'a [String],
    /// The time as a version: `20260131120000`.
    pub now: u64,
}

/// What gets new versions.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Renumbering {
    /// The migrations, in their new order.
    pub moved: Vec<Moved>,
    /// Versions that other migrations keep: a dependency on them stays as it is.
    pub kept: BTreeSet<Version>,
}

/// A migration that gets a new version.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Moved {
    /// The words after the version.
    pub name: String,
    /// The version it has.
    pub from: Version,
    /// The version it gets.
    pub to: Version,
    /// Its files, as they are called and as they will be.
    pub files: Vec<(PathBuf, PathBuf)>,
}

/// A file of the folder, as far as its name tells.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    /// The folder.
    pub(super) folder: PathBuf,
    /// Where it is below the folder.
    pub(super) path: String,
    /// What to call it in messages.
    pub(super) shown: String,
    /// What its layout makes of its name.
    pub(super) judged: FileName,
    /// It may be applied although a later one is.
    pub(super) out_of_order: bool,
}

/// From here on numbers are times, such as 20261120142629.
const FIRST_TIMESTAMP: u64 = 100_000;

/// A migration with its files.
#[derive(Debug)]
struct Group<'f> {
    name: String,
    version: u64,
    digits: usize,
    files: Vec<&'f Listed>,
    out_of_order: bool,
}

/// Decides; the files are those of all folders of the chain.
pub(super) fn renumber(layout: Layout, files: &[Listed], wanted: &Renumber<'_>) -> Result<Renumbering, SourceError> {
    let refuse = |problem| SourceError::new(vec![problem]);
    if !layout.has_renumbering() {
        let file = files.iter().find(|file| matches!(file.judged, FileName::Part { .. }));
        let file = file.map_or_else(|| "migrations".to_owned(), |file| file.shown.clone());
        let message = format!("the layout of {layout} is not one that whimbrel renumbers");
        let hint = "rename it by hand; with Atlas, `atlas migrate hash` then".to_owned();
        return Err(refuse(Problem::of_file(file, message, Some(hint))));
    }
    let groups = groups(layout, files);
    let rows: Vec<&Applied> = wanted.applied.iter().filter(|row| row.is_live() && !row.repeatable).collect();
    let chosen = match wanted.chosen {
        [] => troubled(&groups, &rows)?,
        names => named(&groups, &rows, names)?,
    };
    let moves: BTreeSet<usize> = chosen.iter().copied().collect();
    let stays = groups.iter().enumerate().filter(|(index, _)| !moves.contains(index));
    let kept: BTreeSet<Version> = stays.map(|(_, group)| Version::from(group.version)).collect();
    // Those that move leave room, but their old numbers are in somebody's database perhaps.
    let listed = files.iter().filter_map(|file| match &file.judged {
        FileName::Part { version, role: Role::Versioned, .. } => Some(*version),
        _ => None,
    });
    let last = listed.chain(rows.iter().map(|row| row.version)).map(whole).max();
    let digits = groups.iter().map(|group| group.digits).max().unwrap_or(4);
    let mut last = last.unwrap_or(0);
    let mut moved = Vec::new();
    for index in chosen {
        let group = &groups[index];
        let first = group.files.first().map_or("", |file| file.shown.as_str());
        let next = last
            .checked_add(1)
            .ok_or_else(|| refuse(Problem::of_file(first, "there is no version after the last", None)))?;
        last = if last >= FIRST_TIMESTAMP { next.max(wanted.now) } else { next };
        let text = format!("{last:0digits$}");
        let files =
            group.files.iter().map(|file| (file.folder.join(&file.path), file.folder.join(renamed(&file.path, &text))));
        let (from, to) = (Version::from(group.version), Version::from(last));
        moved.push(Moved { name: group.name.clone(), from, to, files: files.collect() });
    }
    Ok(Renumbering { moved, kept })
}

/// Returns the number before the first dot of a version.
fn whole(version: Version) -> u64 {
    version.to_string().split('.').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Puts files together that have a version and a name in common; in the order of versions, then of names.
fn groups(layout: Layout, files: &[Listed]) -> Vec<Group<'_>> {
    let mut all: BTreeMap<(u64, String, String), Group<'_>> = BTreeMap::new();
    let mut bodies = BTreeSet::new();
    for file in files {
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        let Some((letter, digits, rest)) = parts(name) else { continue };
        let Ok(version) = digits.parse::<u64>() else { continue };
        let words = rest.split('.').next().unwrap_or(rest).trim_matches('_').to_owned();
        // U is a way back for Flyway, and a migration of its own for refinery.
        let letter = if layout == Layout::Refinery { letter } else { "" };
        let key = (version, words.clone(), letter.to_owned());
        let is_body = matches!(&file.judged, FileName::Part { role: Role::Versioned, part, .. }
            if !matches!(part, Part::Down | Part::Verify | Part::Manifest | Part::Functions));
        if is_body {
            bodies.insert(key.clone());
        }
        let group = all.entry(key).or_insert_with(|| Group {
            name: words,
            version,
            digits: digits.len(),
            files: Vec::new(),
            out_of_order: false,
        });
        group.out_of_order |= file.out_of_order;
        group.files.push(file);
    }
    // What has no body is no migration, but a stray file or a baseline.
    all.into_iter().filter(|(key, _)| bodies.contains(key)).map(|(_, group)| group).collect()
}

/// Takes the name of a file apart: a letter before the version, its digits, what follows. Nothing for versions with dots.
fn parts(name: &str) -> Option<(&str, &str, &str)> {
    let letter = usize::from(name.starts_with(['V', 'U']));
    let (letter, rest) = name.split_at(letter);
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = rest.split_at(length);
    // `1.2_x`, and for Flyway `V1_2__x` too.
    let number = |rest: &str| rest.starts_with(|next: char| next.is_ascii_digit());
    let dotted =
        rest.strip_prefix('.').is_some_and(number) || !letter.is_empty() && rest.strip_prefix('_').is_some_and(number);
    (length > 0 && !dotted).then_some((letter, digits, rest))
}

/// Returns a path with other digits for the version.
fn renamed(path: &str, digits: &str) -> String {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let name = match parts(name) {
        Some((letter, _, rest)) => format!("{letter}{digits}{rest}"),
        None => name.to_owned(),
    };
    super::tree::join(folder, &name)
}

/// Finds what is pending and has its version taken, or was overtaken; in order.
fn troubled(groups: &[Group<'_>], rows: &[&Applied]) -> Result<Vec<usize>, SourceError> {
    let newest = rows.iter().map(|row| row.version).max();
    let floor = rows.iter().filter(|row| row.state == AppliedState::Baseline).map(|row| row.version).max();
    let mut chosen = Vec::new();
    let mut problems = Vec::new();
    for same in groups.iter().enumerate().collect::<Vec<_>>().chunk_by(|left, right| left.1.version == right.1.version)
    {
        let version = Version::from(same[0].1.version);
        if floor.is_some_and(|floor| version <= floor) {
            continue;
        }
        let row = rows.iter().find(|row| row.version == version);
        let stays = match (row, same) {
            (Some(_), [_]) => Some(0),
            (Some(row), several) => match several.iter().position(|(_, group)| is_of(row, group)) {
                Some(stays) => Some(stays),
                None => {
                    problems.push(unclear(row, several.iter().map(|(_, group)| *group)));
                    Some(0)
                }
            },
            // Overtaken: only one that may be applied all the same keeps its version.
            (None, _) if newest.is_some_and(|newest| version < newest) => {
                same.iter().position(|(_, group)| group.out_of_order)
            }
            // Nobody has any of them yet: the first by name stays.
            (None, _) => Some(0),
        };
        let moves = same.iter().enumerate().filter(|(place, _)| Some(*place) != stays);
        chosen.extend(moves.map(|(_, (index, _))| *index));
    }
    if problems.is_empty() { Ok(chosen) } else { Err(SourceError::new(problems)) }
}

fn is_of(row: &Applied, group: &Group<'_>) -> bool {
    let plain = |name: &str| name.replace([' ', '-'], "_").to_lowercase();
    plain(&row.name) == plain(&group.name)
}

fn unclear<'g>(row: &Applied, mut groups: impl Iterator<Item = &'g Group<'g>>) -> Problem {
    let file = groups.next().and_then(|group| group.files.first()).map_or("", |file| file.shown.as_str());
    let message = format!(
        "version {} is applied as {}, which none of the files with it is called",
        row.version,
        row.name.escape_debug()
    );
    Problem::of_file(
        file,
        message,
        Some("name the one that is to get a new version: `whimbrel renumber FILE`".to_owned()),
    )
}

/// Tells whether a name, with or without its ending, is that of a file.
pub(super) fn is_named(path: &str, name: &str) -> bool {
    let wanted = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let own = path.rsplit('/').next().unwrap_or(path);
    own == wanted || own.split('.').next() == Some(wanted)
}

/// Finds what was named.
fn named(groups: &[Group<'_>], rows: &[&Applied], names: &[String]) -> Result<Vec<usize>, SourceError> {
    let mut chosen = BTreeSet::new();
    let mut problems = Vec::new();
    for name in names {
        let fits = |file: &&Listed| is_named(&file.path, name);
        let Some(index) = groups.iter().position(|group| group.files.iter().any(fits)) else {
            let hint = "name a file of the folder, such as `0004_add_email`".to_owned();
            problems.push(Problem::of_file(
                name.escape_debug().to_string(),
                "is no migration that runs once",
                Some(hint),
            ));
            continue;
        };
        let group = &groups[index];
        let twins = groups.iter().filter(|other| other.version == group.version).count();
        let row = rows.iter().find(|row| row.version == Version::from(group.version));
        if row.is_some_and(|row| is_of(row, group) || twins == 1) {
            let file = group.files.first().map_or("", |file| file.shown.as_str());
            let hint = "an applied migration keeps its version: `whimbrel down` first, or write a new one".to_owned();
            problems.push(Problem::of_file(file, format!("version {} is applied", group.version), Some(hint)));
        }
        chosen.insert(index);
    }
    if problems.is_empty() { Ok(chosen.into_iter().collect()) } else { Err(SourceError::new(problems)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(layout: Layout, paths: &[&str]) -> Vec<Listed> {
        let judge = |path: &str| match layout {
            Layout::Whimbrel => FileName::parse(path.rsplit('/').next().unwrap_or(path)),
            _ => layout.judge(path, &super::super::SCRIPTS.map(str::to_owned)),
        };
        let file = |path: &&str| Listed {
            folder: PathBuf::new(),
            path: (*path).to_owned(),
            shown: format!("m/{path}"),
            judged: judge(path),
            out_of_order: path.contains("anytime"),
        };
        paths.iter().map(file).collect()
    }

    fn row(version: u64, name: &str) -> Applied {
        Applied {
            id: 0,
            chain: "main".into(),
            version: Version::from(version),
            repeatable: false,
            name: name.into(),
            kind: "sql".into(),
            state: AppliedState::Applied,
            checksum: crate::model::Checksum::of(b""),
            normalised_checksum: None,
            manifest_checksum: None,
            record: None,
            functions: BTreeMap::new(),
            rows_done: None,
            not_run: None,
            script: None,
            down_checksum: None,
            origin: None,
            engine: None,
            run_id: None,
            ended_at: None,
        }
    }

    fn shown(layout: Layout, paths: &[&str], rows: &[Applied], chosen: &[&str]) -> Vec<String> {
        let chosen: Vec<String> = chosen.iter().map(|name| (*name).to_owned()).collect();
        let wanted = Renumber { applied: rows, chosen: &chosen, now: 20_260_131_120_000 };
        match renumber(layout, &listed(layout, paths), &wanted) {
            Ok(found) => {
                let files = found.moved.into_iter().flat_map(|moved| moved.files);
                files.map(|(from, to)| format!("{} -> {}", from.display(), to.display())).collect()
            }
            Err(error) => error.problems.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn gives_new_versions_to_what_collides_or_was_overtaken() {
        let own = Layout::Whimbrel;
        let twins =
            ["0001_a.sql", "0002_b.up.sql", "0002_b.down.sql", "0002_c.wasm", "0002_c.toml", "0002_c.verify.sql"];
        assert_eq!(
            shown(own, &twins, &[], &[]),
            ["0002_c.wasm -> 0003_c.wasm", "0002_c.toml -> 0003_c.toml", "0002_c.verify.sql -> 0003_c.verify.sql"]
        );
        let applied = [row(1, "a"), row(2, "c")];
        assert_eq!(
            shown(own, &twins, &applied, &[]),
            ["0002_b.up.sql -> 0003_b.up.sql", "0002_b.down.sql -> 0003_b.down.sql"]
        );
        assert!(shown(own, &["1_a.sql", "1.2_b.sql", "1.3_c.sql"], &[row(1, "a")], &[]).is_empty());
        let behind = ["1_a.sql", "2_b.sql", "3_anytime.sql", "4_d.sql", "5_e.sql", "R__v.sql", "3_x.baseline.sql"];
        let applied = [row(1, "a"), row(4, "d")];
        assert_eq!(shown(own, &behind, &applied, &[]), ["2_b.sql -> 6_b.sql"]);
        assert_eq!(shown(own, &behind, &[row(9, "later")], &[])[..2], ["1_a.sql -> 10_a.sql", "2_b.sql -> 11_b.sql"]);
        assert!(shown(own, &["1_a.sql", "2_b.sql"], &applied[..1], &[]).is_empty());
        let other = shown(own, &twins, &[row(2, "x")], &[]);
        assert_eq!(other, ["m/0002_b.up.sql: version 2 is applied as x, which none of the files with it is called"]);
    }

    #[test]
    fn moves_what_was_named_unless_it_is_applied() {
        let own = Layout::Whimbrel;
        let files = ["0001_a.sql", "0002_b.sql", "0002_c.sql"];
        assert_eq!(shown(own, &files, &[], &["0002_b"]), ["0002_b.sql -> 0003_b.sql"]);
        assert_eq!(shown(own, &files, &[], &["m/0001_a.sql"]), ["0001_a.sql -> 0003_a.sql"]);
        assert_eq!(shown(own, &files, &[row(1, "a")], &["0001_a"]), ["m/0001_a.sql: version 1 is applied"]);
        assert_eq!(shown(own, &files, &[row(2, "c")], &["0002_c"]), ["m/0002_c.sql: version 2 is applied"]);
        assert_eq!(shown(own, &files, &[], &["x\u{1b}"]), ["x\\u{1b}: is no migration that runs once"]);
    }

    #[test]
    fn knows_the_names_of_other_tools() {
        let times = ["20250101000000_a.up.sql", "20250101000000_b.up.sql", "20250101000000_b.down.sql"];
        assert_eq!(
            shown(Layout::GolangMigrate, &times, &[], &[]),
            [
                "20250101000000_b.up.sql -> 20260131120000_b.up.sql",
                "20250101000000_b.down.sql -> 20260131120000_b.down.sql"
            ]
        );
        let flyway =
            ["V1__a.sql", "x/V2__b.sql", "V2__c.sql", "V2__c.sql.conf", "U2__c.sql", "V3.1__d.sql", "V2_7__e.sql"];
        assert_eq!(
            shown(Layout::Flyway, &flyway, &[], &[]),
            ["V2__c.sql -> V4__c.sql", "V2__c.sql.conf -> V4__c.sql.conf", "U2__c.sql -> U4__c.sql"]
        );
        let dotted = ["V1__a.sql", "V1__b.sql", "V4.2__d.sql"];
        assert_eq!(shown(Layout::Flyway, &dotted, &[], &[]), ["V1__b.sql -> V5__b.sql"]);
        let error = shown(Layout::Diesel, &["2024-01-01-000000_a/up.sql"], &[], &[]);
        assert!(error[0].contains("is not one that whimbrel renumbers"), "{error:?}");
    }
}
