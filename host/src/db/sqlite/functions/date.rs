//! What SQLite's date functions take from outside, told from their arguments. Pure.
//!
//! Follows `isDate`, `parseDateOrTime` and `parseModifier` of SQLite's `date.c`, where every look outside is marked by
//! `sqlite3NotPureFunc`: the time values 'now', 'subsec' and 'subsecond', a time value left out, and the modifiers
//! 'localtime' and 'utc'.

use std::ffi::c_int;

use rusqlite::types::ValueRef;

/// A date function of SQLite.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct DateFunction {
    pub(super) name: &'static str,
    /// How many arguments it is registered with; -1 is any number.
    pub(super) arguments: c_int,
    time: Time,
}

/// Which arguments are time values; those after it are modifiers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Time {
    /// The first; the current time when it is left out.
    First,
    /// The second, after a format; the current time when it is left out.
    Second,
    /// Both, and there are no modifiers.
    Both,
}

/// All of them.
pub(super) const DATE_FUNCTIONS: [DateFunction; 7] = [
    DateFunction { name: "date", arguments: -1, time: Time::First },
    DateFunction { name: "time", arguments: -1, time: Time::First },
    DateFunction { name: "datetime", arguments: -1, time: Time::First },
    DateFunction { name: "julianday", arguments: -1, time: Time::First },
    DateFunction { name: "unixepoch", arguments: -1, time: Time::First },
    DateFunction { name: "strftime", arguments: -1, time: Time::Second },
    DateFunction { name: "timediff", arguments: 2, time: Time::Both },
];

/// A time value that means the current time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Now {
    Plain,
    /// With fractions of a second in the result.
    WithFraction,
}

impl DateFunction {
    /// Tells whether a call with these arguments looks at the clock.
    pub(super) fn needs_now(self, arguments: &[ValueRef<'_>]) -> bool {
        match self.time {
            Time::First => arguments.first().is_none_or(|value| now(*value).is_some()),
            Time::Second => !arguments.is_empty() && arguments.get(1).is_none_or(|value| now(*value).is_some()),
            Time::Both => arguments.iter().any(|value| now(*value).is_some()),
        }
    }

    /// Returns the modifier of a call that looks at the machine's time zone.
    pub(super) fn needs_zone(self, arguments: &[ValueRef<'_>]) -> Option<&'static str> {
        let first = match self.time {
            Time::First => 1,
            Time::Second => 2,
            Time::Both => return None,
        };
        let modifiers = arguments.iter().skip(first);
        let known = |modifier: &ValueRef<'_>| ["localtime", "utc"].into_iter().find(|zone| is_text(*modifier, zone));
        modifiers.filter_map(known).next()
    }

    /// Puts `instant`, a time value, where a call would look at the clock.
    pub(super) fn fix<'a>(self, arguments: &[ValueRef<'a>], instant: &'a str) -> Vec<ValueRef<'a>> {
        let instant = ValueRef::Text(instant.as_bytes());
        let mut fixed = Vec::with_capacity(arguments.len() + 1);
        let left_out = match self.time {
            Time::First => arguments.is_empty(),
            Time::Second => arguments.len() == 1,
            Time::Both => false,
        };
        for (index, value) in arguments.iter().enumerate() {
            let is_time = match self.time {
                Time::First => index == 0,
                Time::Second => index == 1,
                Time::Both => true,
            };
            match now(*value).filter(|_| is_time) {
                None => fixed.push(*value),
                Some(Now::Plain) => fixed.push(instant),
                // The difference between two times always has fractions.
                Some(Now::WithFraction) if self.time == Time::Both => fixed.push(instant),
                Some(Now::WithFraction) => fixed.extend([instant, ValueRef::Text(b"subsec")]),
            }
        }
        if left_out {
            fixed.push(instant);
        }
        fixed
    }
}

fn now(value: ValueRef<'_>) -> Option<Now> {
    if is_text(value, "now") {
        Some(Now::Plain)
    } else if is_text(value, "subsec") || is_text(value, "subsecond") {
        Some(Now::WithFraction)
    } else {
        None
    }
}

/// Compares as SQLite does: without regard to case, blobs too, and up to the first NUL.
fn is_text(value: ValueRef<'_>, expected: &str) -> bool {
    let (ValueRef::Text(bytes) | ValueRef::Blob(bytes)) = value else { return false };
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    bytes[..end].eq_ignore_ascii_case(expected.as_bytes())
}
