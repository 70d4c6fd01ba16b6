//! The version of a new migration: the number after the last, written as the others are, or the time.

use std::path::{Path, PathBuf};

use anyhow::Context;
use jiff::Timestamp;
use whimbrel::source::{Directory, Layout};

/// Digits of a sequence's numbers in an empty folder.
const DIGITS: usize = 4;
/// Numbers from here on are times, such as 20261120142629.
const FIRST_TIMESTAMP: u64 = 100_000;
/// Digits of a time.
const TIMESTAMP: usize = 14;

/// Returns the digits of the next version.
pub(super) fn next(layout: Layout, written: &[String], timestamp: bool) -> anyhow::Result<String> {
    let last = written.iter().filter_map(|digits| number(layout, digits)).max();
    choose(last, timestamp || layout.has_timestamps(), &Timestamp::now().strftime("%Y%m%d%H%M%S").to_string())
}

/// Finds out whose way folders are laid out, and which versions are in them; nothing where there is no folder yet.
pub(super) fn existing(folders: &Directory, layout: Layout) -> anyhow::Result<(Layout, Vec<String>)> {
    if !folders.path().exists() {
        return Ok((layout, Vec::new()));
    }
    Ok(folders.versions()?)
}

/// Returns the versions of the projects beside the folder of the migrations, as their manifests are called.
pub(super) fn of_guests(dir: &Path) -> anyhow::Result<Vec<String>> {
    let guests = dir.parent().unwrap_or(Path::new("")).join("guests");
    let names = |folder: &Path| -> std::io::Result<Vec<PathBuf>> {
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
    };
    let cannot = || format!("cannot read {}", guests.display());
    if !guests.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for project in names(&guests).with_context(cannot)?.iter().filter(|path| path.is_dir()) {
        let files = names(project).with_context(cannot)?;
        let manifests = files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "toml"));
        found.extend(manifests.filter_map(|file| {
            let name = file.file_name()?.to_str()?.trim_start_matches('V');
            let digits = name.split('_').next().filter(|digits| digits.chars().all(|digit| digit.is_ascii_digit()))?;
            (!digits.is_empty()).then(|| digits.to_owned())
        }));
    }
    Ok(found)
}

/// Returns the number that digits make, and how many there are. Tools that compare them as text have shorter and longer
/// times than others.
fn number(layout: Layout, digits: &str) -> Option<(u64, usize)> {
    let is_time = layout.has_timestamps() && digits.len() >= "20260131".len();
    let digits = if is_time { format!("{digits:0<TIMESTAMP$}")[..TIMESTAMP].to_owned() } else { digits.to_owned() };
    Some((digits.parse().ok()?, digits.len()))
}

fn choose(last: Option<(u64, usize)>, timestamp: bool, now: &str) -> anyhow::Result<String> {
    let after = |version: u64| version.checked_add(1).context("there is no version after the last");
    match last {
        Some((version, _)) if timestamp || version >= FIRST_TIMESTAMP => {
            // Two in one second, or a clock that went back.
            let version = after(version)?.max(now.parse().unwrap_or(0));
            Ok(version.to_string())
        }
        Some((version, digits)) => Ok(format!("{:0digits$}", after(version)?)),
        None if timestamp => Ok(now.to_owned()),
        None => Ok(format!("{:0DIGITS$}", 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_of_any_length_where_tools_compare_text() {
        let cases = [
            (Layout::Diesel, "20260131120000", Some((20260131120000, 14))),
            (Layout::Diesel, "202601311200000000", Some((20260131120000, 14))),
            (Layout::Diesel, "20260131", Some((20260131000000, 14))),
            (Layout::Prisma, "0", Some((0, 1))),
            (Layout::Whimbrel, "20260131", Some((20260131, 8))),
            (Layout::Whimbrel, "007", Some((7, 3))),
            (Layout::Whimbrel, "", None),
        ];
        for (layout, digits, expected) in cases {
            assert_eq!(number(layout, digits), expected, "{layout} {digits}");
        }
    }

    #[test]
    fn goes_on_as_the_chain_does() {
        let now = "20261120142629";
        let cases = [
            (None, false, Some("0001")),
            (None, true, Some(now)),
            (Some((7, 4)), false, Some("0008")),
            (Some((9, 1)), false, Some("10")),
            (Some((999, 3)), false, Some("1000")),
            (Some((7, 4)), true, Some(now)),
            (Some((20260101000000, 14)), false, Some(now)),
            (Some((20261120142629, 14)), false, Some("20261120142630")),
            (Some((20271120142629, 14)), true, Some("20271120142630")),
            (Some((u64::MAX, 20)), false, None),
        ];
        for (last, timestamp, expected) in cases {
            assert_eq!(choose(last, timestamp, now).ok().as_deref(), expected, "{last:?}");
        }
    }
}
