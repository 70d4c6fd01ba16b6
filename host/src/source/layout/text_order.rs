//! The order of tools that compare versions as text: for them `20240313` comes after `20240306170000`.
//!
//! Here versions are numbers. A date among timestamps is made its midnight where its number would take it out of the
//! tool's order, and a timestamp among longer ones the moment at which it begins; what cannot be put in that order is told.

use std::collections::BTreeMap;

use super::super::assemble::File;
use super::super::file_name::Part;
use super::super::problem::Problem;
use super::Layout;
use crate::model::Version;

/// Digits of a timestamp: year, month, day, hour, minute, second.
const TIMESTAMP: usize = 14;

/// Puts versions in the order of a tool that compares them as text; does nothing for others.
pub(super) fn keep(layout: Layout, files: &mut [File], problems: &mut Vec<Problem>) {
    if !matches!(layout, Layout::Dbmate | Layout::Diesel | Layout::Atlas | Layout::Prisma) {
        return;
    }
    let is_up = |file: &&File| matches!(file.part, Part::Up | Part::Sql) && file.is_versioned();
    let ups: BTreeMap<(String, &str), &File> =
        files.iter().filter(is_up).map(|file| ((written(layout, &file.path), file.path.as_str()), file)).collect();
    let mut moments: BTreeMap<String, Version> = BTreeMap::new();
    let mut before: Option<(Version, &File)> = None;
    for ((text, _), file) in ups {
        // Two files of one version are told by whoever puts migrations together.
        let mut version = moments.get(&text).copied().unwrap_or(file.version);
        if let Some((highest, other)) = before
            && highest > version
        {
            // As long as what is before it: whatever comes later changes nothing of it.
            let digits = highest.to_string().len().max(TIMESTAMP);
            match beginning(&text, digits).filter(|moment| *moment > highest) {
                Some(moment) => {
                    version = moment;
                    moments.insert(text, moment);
                }
                None => problems.push(out_of_order(layout, file, other)),
            }
        }
        before = Some((version, file));
    }
    if moments.is_empty() {
        return;
    }
    // What reverts it, and what lies beside it, belongs to the same version.
    for file in files {
        if let Some(moment) = moments.get(&written(layout, &file.path)) {
            file.version = *moment;
        }
    }
}

/// Returns the version of a file as the tool reads it off its name or its folder.
fn written(layout: Layout, path: &str) -> String {
    let name = path.split('/').next().unwrap_or(path);
    let version = name.split('_').next().unwrap_or(name);
    match layout {
        Layout::Diesel => version.replace('-', ""),
        _ => version.chars().take_while(char::is_ascii_digit).collect(),
    }
}

/// Returns the timestamp of so many digits at which a date or a shorter one begins; `None` for what is neither.
fn beginning(text: &str, digits: usize) -> Option<Version> {
    let within = |range: std::ops::Range<usize>, least, most| {
        text.get(range)
            .and_then(|digits| digits.parse::<u32>().ok())
            .is_some_and(|number| (least..=most).contains(&number))
    };
    let is_date = text.len() < digits && within(0..4, 1970, 2999) && within(4..6, 1, 12) && within(6..8, 1, 31);
    Version::parse(&format!("{text:0<digits$}")).ok().filter(|_| is_date)
}

fn out_of_order(layout: Layout, file: &File, other: &File) -> Problem {
    let message = format!(
        "comes after {} for {layout}, which compares names as text, but before it as the number {}",
        other.file, file.version
    );
    Problem::of_file(&file.file, message, Some("write the versions with equally many digits".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_beginning_of_dates_and_timestamps() {
        let cases = [
            ("20240313", Some("20240313000000")),
            ("202403131700", Some("20240313170000")),
            ("20240306170000", None),
            ("20241313", None),
            ("20240332", None),
            ("2024031", None),
            ("00000000", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(beginning(text, 14).map(|version| version.to_string()).as_deref(), expected, "{text:?}");
        }
        assert_eq!(
            beginning("20260211000000", 18).map(|version| version.to_string()).as_deref(),
            Some("202602110000000000")
        );
    }

    #[test]
    fn reads_versions_as_the_tools_do() {
        let cases = [
            (Layout::Diesel, "2024-03-13_170000_users/up.sql", "20240313"),
            (Layout::Diesel, "20240313000000_split.wasm", "20240313000000"),
            (Layout::Prisma, "20240313_users/migration.sql", "20240313"),
            (Layout::Dbmate, "20240313-users.sql", "20240313"),
            (Layout::Atlas, "20240313.sql", "20240313"),
        ];
        for (layout, path, expected) in cases {
            assert_eq!(written(layout, path), expected, "{path}");
        }
    }
}
