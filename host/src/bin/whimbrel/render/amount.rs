//! Times, sizes and counts as people read them.

use std::time::Duration;

/// Returns a time with two or three digits that count.
pub(crate) fn duration(duration: Duration) -> String {
    let micros = duration.as_micros();
    match micros {
        0..1_000 => format!("0.{:02} ms", micros / 10),
        1_000..10_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        10_000..1_000_000 => format!("{} ms", micros / 1_000),
        1_000_000..60_000_000 => format!("{}.{} s", micros / 1_000_000, micros % 1_000_000 / 100_000),
        _ => {
            let seconds = duration.as_secs();
            match seconds {
                0..3_600 => two(seconds, 60, ["min", "s"]),
                _ => two(seconds / 60, 60, ["h", "min"]),
            }
        }
    }
}

/// Writes an amount in two units, the smaller one only if there is something of it.
fn two(amount: u64, size: u64, [large, small]: [&str; 2]) -> String {
    match amount % size {
        0 => format!("{} {large}", amount / size),
        rest => format!("{} {large} {rest} {small}", amount / size),
    }
}

/// Returns a size in bytes, and in a larger unit beside it where that says more.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match UNITS.into_iter().find(|(_, size)| bytes >= *size) {
        None => format!("{bytes} bytes"),
        Some((unit, size)) if bytes.is_multiple_of(size) => format!("{} {unit}", bytes / size),
        Some((unit, size)) => format!("{}.{} {unit}", bytes / size, bytes % size * 10 / size),
    }
}

/// Returns a large number with the digits that tell it from another: `41.2 M`.
pub(crate) fn short(amount: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("T", 1_000_000_000_000), ("G", 1_000_000_000), ("M", 1_000_000), ("k", 1_000)];
    match UNITS.into_iter().find(|(_, size)| amount >= *size) {
        Some((unit, size)) if amount >= 10_000 => {
            format!("{}.{} {unit}", amount / size, amount % size / (size / 10))
        }
        _ => number(amount),
    }
}

/// Returns what code has used in the sandbox and in the database.
pub(crate) fn work(fuel: u64, operations: u64) -> String {
    format!("{} fuel, {} SQL operations", short(fuel), short(operations))
}

/// Returns a number with its digits in groups of three.
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Returns a number and its noun.
pub(crate) fn count(count: usize, one: &str, many: &str) -> String {
    let noun = if count == 1 { one } else { many };
    format!("{} {noun}", number(count as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_well() {
        let cases = [
            (0, "0.00 ms"),
            (57, "0.05 ms"),
            (1_250, "1.2 ms"),
            (12_999, "12 ms"),
            (1_500_000, "1.5 s"),
            (60_000_000, "1 min"),
            (61_000_000, "1 min 1 s"),
            (3_720_000_000, "1 h 2 min"),
        ];
        for (micros, expected) in cases {
            assert_eq!(duration(Duration::from_micros(micros)), expected);
        }
        assert_eq!((bytes(12), bytes(64 << 20), bytes(1_500)), ("12 bytes".into(), "64 MiB".into(), "1.4 KiB".into()));
        assert_eq!((number(0), number(999), number(1_000_000)), ("0".into(), "999".into(), "1,000,000".into()));
        assert_eq!(work(41_249_000, 9_999), "41.2 M fuel, 9,999 SQL operations");
        assert_eq!((short(10_000), short(3_000_000_000_000)), ("10.0 k".into(), "3.0 T".into()));
        assert_eq!((count(1, "step", "steps"), count(2, "step", "steps")), ("1 step".into(), "2 steps".into()));
    }
}
