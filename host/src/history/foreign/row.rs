//! What another tool's history says of one migration.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::db::Value;

/// One migration as another tool's history has it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct ForeignRow {
    /// The version as the tool wrote it; `None` for one that is repeatable.
    pub(super) version: Option<String>,
    /// The words the tool has for it.
    pub(super) name: Option<String>,
    /// When it was applied: UTC, RFC 3339.
    pub(super) applied_at: Option<String>,
    /// How long it took.
    pub(super) duration: Duration,
    /// The checksum as the tool wrote it; bytes in hexadecimal.
    pub(super) checksum: Option<String>,
    /// How far it came.
    pub(super) state: ForeignState,
}

/// How far a migration came.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) enum ForeignState {
    /// To its end.
    #[default]
    Applied,
    /// Everything up to it counts as applied.
    Baseline,
    /// It stopped half way, and why.
    Failed(String),
}

/// Reads text; numbers as their digits.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Boolean(value) => Some(i64::from(*value).to_string()),
        Value::Integer(value) => Some(value.to_string()),
        Value::Real(value) => Some(value.to_string()),
        Value::Text(text) => Some(text.clone()),
        Value::Blob(bytes) => Some(hex(bytes)),
    }
}

/// Reads a truth value in any of the forms that databases and drivers keep it.
pub(super) fn truth(value: &Value) -> bool {
    match value {
        Value::Boolean(value) => *value,
        Value::Integer(value) => *value != 0,
        Value::Text(text) => matches!(text.to_ascii_lowercase().as_str(), "1" | "t" | "true" | "y" | "yes"),
        Value::Null | Value::Real(_) | Value::Blob(_) => false,
    }
}

/// Reads a count, such as a duration; what is below zero is not known.
pub(super) fn count(value: &Value) -> u64 {
    match value {
        Value::Integer(number) => u64::try_from(*number).unwrap_or(0),
        Value::Text(text) => text.parse().unwrap_or(0),
        _ => 0,
    }
}

/// Reads a moment in any of the forms that tools write, as UTC: RFC 3339, date and time, seconds or milliseconds.
pub(super) fn moment(value: &Value) -> Option<String> {
    let timestamp = match value {
        // Milliseconds since 1970 passed this number in 1973, seconds will in the year 5138.
        Value::Integer(number) if number.abs() >= 100_000_000_000 => Timestamp::from_millisecond(*number).ok(),
        Value::Integer(number) => Timestamp::from_second(*number).ok(),
        Value::Text(text) => written(text.trim()),
        _ => None,
    };
    timestamp.map(|timestamp| timestamp.to_string())
}

fn written(text: &str) -> Option<Timestamp> {
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp);
    }
    // Go's own form has the zone behind it: 2026-11-20 14:26:29 +0000 UTC.
    let text = text.split(" +").next().unwrap_or(text);
    let civil = text.parse::<DateTime>().ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// Writes bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_moments_in_every_form() {
        let expected = Some("2026-11-20T14:26:29Z");
        let forms = [
            Value::from("2026-11-20T14:26:29Z"),
            Value::from("2026-11-20 14:26:29"),
            Value::from("2026-11-20 15:26:29+01:00"),
            Value::from("2026-11-20 14:26:29 +0000 UTC"),
            Value::Integer(1_795_184_789),
            Value::Integer(1_795_184_789_000),
        ];
        for form in forms {
            assert_eq!(moment(&form).as_deref(), expected, "{form:?}");
        }
        assert_eq!(
            moment(&Value::from("2026-11-20T14:26:29.486817036Z")).as_deref(),
            Some("2026-11-20T14:26:29.486817036Z")
        );
        for form in [Value::Null, Value::from("yesterday"), Value::Integer(i64::MAX)] {
            assert_eq!(moment(&form), None, "{form:?}");
        }
    }

    #[test]
    fn reads_values_in_every_form() {
        assert_eq!(text(&Value::Blob(vec![0x0a, 0xff])).as_deref(), Some("0aff"));
        assert_eq!(text(&Value::Integer(7)).as_deref(), Some("7"));
        assert!(truth(&Value::Integer(1)) && truth(&Value::from("true")) && truth(&Value::Boolean(true)));
        assert!(!truth(&Value::Integer(0)) && !truth(&Value::from("false")) && !truth(&Value::Null));
        assert_eq!((count(&Value::Integer(-1)), count(&Value::from("12"))), (0, 12));
    }
}
