//! Replaces what differs from run to run: times, moments, the temporary folder.

use std::path::Path;

/// Returns the text with what changes replaced.
pub(crate) fn stable(text: &str, folder: &Path) -> String {
    let text = text.replace(&folder.display().to_string(), "[folder]");
    let lines: Vec<String> = text.split('\n').map(line).collect();
    lines.join("\n")
}

fn line(line: &str) -> String {
    // Measured numbers in JSON.
    if let Some((name, _)) = line.split_once("\"duration_us\": ").or(line.split_once("\"operations\": ")) {
        let key = if line.contains("duration_us") { "duration_us" } else { "operations" };
        return format!("{name}\"{key}\": 0,");
    }
    // The width of a column of times changes with them, and that of its head too.
    let line = replace(line, moment, "[moment]");
    let line = replace(&line, took, " [time]").replace("( [time]", "([time]");
    match line.find("Took") {
        Some(at) => format!("{} {}", line[..at].trim_end(), &line[at..]),
        None => line,
    }
}

/// Replaces every match; `matches` returns the bytes it takes at the beginning of a text, or 0.
fn replace(text: &str, matches: fn(&str) -> usize, by: &str) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    let begins_inside = |before: &str, rest: &str| {
        !rest.starts_with(' ') && before.ends_with(|last: char| last.is_alphanumeric() || last == '.')
    };
    while let Some(first) = rest.chars().next() {
        match matches(rest) {
            length if length > 0 && !begins_inside(&replaced, rest) => {
                replaced.push_str(by);
                rest = &rest[length..];
            }
            _ => {
                replaced.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    replaced
}

/// Matches a time such as `12 ms` or `1.5 s` with the blanks before it.
fn took(text: &str) -> usize {
    let blanks = text.len() - text.trim_start_matches(' ').len();
    amount(&text[blanks..]).map_or(0, |length| blanks + length)
}

fn amount(text: &str) -> Option<usize> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
    let rest = text[digits..].strip_prefix(' ')?;
    let unit = ["ms", "s"]
        .into_iter()
        .find(|unit| rest.strip_prefix(unit).is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric())))?;
    (digits > 0).then_some(digits + 1 + unit.len())
}

/// Matches `2026-11-20 17:15:22` and `2026-11-20T17:15:22.123Z`.
fn moment(text: &str) -> usize {
    const SHAPE: &[u8] = b"0000-00-00?00:00:00";
    let fits = |(byte, shape): (u8, &u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        b'?' => byte == b' ' || byte == b'T',
        other => byte == *other,
    };
    if text.len() < SHAPE.len() || !text.bytes().zip(SHAPE).all(fits) {
        return 0;
    }
    let rest = &text[SHAPE.len()..];
    let fraction = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
    SHAPE.len() + fraction + usize::from(rest[fraction..].starts_with('Z'))
}
