//! How much a code migration may use, as a manifest says it.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

/// The `[limits]` of a manifest; what it leaves out is left to the host.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Units of work of the sandbox.
    #[serde(deserialize_with = "fuel")]
    pub fuel: Option<u64>,
    /// Bytes of the component's memory: `"64MiB"`, or a number.
    #[serde(deserialize_with = "memory")]
    pub memory: Option<u64>,
    /// Wall time: `"60s"`, `"500ms"`, `"10m"`, `"1h"`.
    #[serde(deserialize_with = "time")]
    pub time: Option<Duration>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a number of bytes or a text such as \"64MiB\"")]
enum Size {
    Bytes(i64),
    Text(String),
}

fn fuel<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let fuel = i64::deserialize(deserializer).ok().and_then(positive);
    fuel.map(Some)
        .ok_or_else(|| serde::de::Error::custom(format!("fuel must be a whole number from 1 to {}", i64::MAX)))
}

fn memory<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    match Size::deserialize(deserializer)? {
        Size::Bytes(bytes) => positive(bytes).ok_or_else(|| "memory must be above 0".to_owned()),
        Size::Text(text) => parse_size(&text),
    }
    .map(Some)
    .map_err(serde::de::Error::custom)
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_time(&text).map(Some).map_err(serde::de::Error::custom)
}

fn positive(number: i64) -> Option<u64> {
    u64::try_from(number).ok().filter(|number| *number > 0)
}

fn parse_size(text: &str) -> Result<u64, String> {
    let units = [("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    scaled(text, &units)
        .ok_or_else(|| format!("\"{}\" is not an amount of memory: write \"64MiB\", \"1GiB\"", text.escape_debug()))
}

fn parse_time(text: &str) -> Result<Duration, String> {
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
    scaled(text, &units)
        .map(Duration::from_millis)
        .ok_or_else(|| format!("\"{}\" is not a time: write \"500ms\", \"60s\", \"10m\", \"1h\"", text.escape_debug()))
}

/// Reads a whole number above 0 and its unit; `None` for anything else and for what does not fit.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(end);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*factor).filter(|amount| *amount > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sizes() {
        let cases = [
            ("1", Some(1)),
            ("512KiB", Some(512 << 10)),
            ("64MiB", Some(64 << 20)),
            ("64 MiB", Some(64 << 20)),
            ("2GiB", Some(2 << 30)),
            ("", None),
            ("0MiB", None),
            ("64MB", None),
            ("64mib", None),
            ("1.5GiB", None),
            ("-1", None),
            ("18446744073709551615GiB", None),
            ("99999999999999999999", None),
        ];
        for (text, bytes) in cases {
            assert_eq!(parse_size(text).ok(), bytes, "{text}");
        }
    }

    #[test]
    fn reads_times() {
        let cases = [
            ("500ms", Some(500)),
            ("60s", Some(60_000)),
            ("10m", Some(600_000)),
            ("1h", Some(3_600_000)),
            ("60", None),
            ("0s", None),
            ("s", None),
            ("1d", None),
            ("18446744073709551615h", None),
        ];
        for (text, milliseconds) in cases {
            assert_eq!(parse_time(text).ok(), milliseconds.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn reads_toml_and_refuses_zero() {
        let limits: Limits = toml::from_str("fuel = 1_000_000\nmemory = 65536\ntime = '2s'").expect("limits");
        let expected = Limits { fuel: Some(1_000_000), memory: Some(65536), time: Some(Duration::from_secs(2)) };
        assert_eq!(limits, expected);
        for text in ["fuel = 0", "fuel = -1", "fuel = '1'", "memory = 0", "memory = true", "time = 5", "x = 1"] {
            assert!(toml::from_str::<Limits>(text).is_err(), "{text}");
        }
    }
}
