//! The version of a new migration: the number after the last, written as the others are, or the time.

use std::io;
use std::path::Path;

use anyhow::Context;
use jiff::Timestamp;
use whimbrel::source::FileName;

/// Digits of a sequence's numbers in an empty folder.
const DIGITS: usize = 4;
/// Numbers from here on are times, such as 20261120142629.
const FIRST_TIMESTAMP: u64 = 100_000;

/// Returns the digits of the next version.
pub(super) fn next(dir: &Path, timestamp: bool) -> anyhow::Result<String> {
    let last = last(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    choose(last, timestamp, &Timestamp::now().strftime("%Y%m%d%H%M%S").to_string())
}

/// Finds the largest version of the folder and how many digits it was written with.
fn last(dir: &Path) -> io::Result<Option<(u64, usize)>> {
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        entries => entries?,
    };
    let mut last = None;
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let digits: String = name.chars().take_while(char::is_ascii_digit).collect();
        if let (FileName::Part { .. }, Ok(version)) = (FileName::parse(&name), digits.parse::<u64>()) {
            last = last.max(Some((version, digits.len())));
        }
    }
    Ok(last)
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
