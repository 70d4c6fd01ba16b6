//! Sizes and times as a manifest writes them.

use std::time::Duration;

const SIZES: [(&str, u64); 6] =
    [("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];
const TIMES: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

/// Reads a size: `64MiB`, `1GiB`, `500`.
pub(super) fn parse_size(text: &str) -> Option<u64> {
    scaled(text, &SIZES)
}

/// Reads a time in milliseconds: `500ms`, `60s`, `10m`, `1h`.
pub(super) fn parse_time(text: &str) -> Option<u64> {
    scaled(text, &TIMES)
}

/// Reads a whole number above 0 and its unit; `None` for anything else and for what does not fit.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(end);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*factor).filter(|amount| *amount > 0)
}

/// Writes a size in the largest unit that leaves no rest.
pub(super) fn bytes(bytes: u64) -> String {
    match SIZES.iter().rev().find(|(_, size)| *size > 1 && bytes >= *size && bytes.is_multiple_of(*size)) {
        Some((unit, size)) => format!("{} {unit}", bytes / size),
        None => format!("{bytes} bytes"),
    }
}

/// Writes a time in the largest unit that leaves no rest.
pub(super) fn time(time: Duration) -> String {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let (unit, size) = TIMES.iter().rev().find(|(_, size)| millis.is_multiple_of(*size)).unwrap_or(&TIMES[0]);
    format!("{}{unit}", millis / size)
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
            assert_eq!(parse_size(text), bytes, "{text}");
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
            assert_eq!(parse_time(text), milliseconds, "{text}");
        }
    }

    #[test]
    fn writes_what_it_reads() {
        let sizes = [(500, "500 bytes"), (16 << 20, "16 MiB"), ((1 << 20) + 1, "1048577 bytes"), (1 << 40, "1 TiB")];
        for (size, text) in sizes {
            assert_eq!(bytes(size), text);
        }
        for (millis, text) in [(200, "200ms"), (1_000, "1s"), (90_000, "90s"), (120_000, "2m"), (7_200_000, "2h")] {
            assert_eq!(time(Duration::from_millis(millis)), text);
        }
    }
}
