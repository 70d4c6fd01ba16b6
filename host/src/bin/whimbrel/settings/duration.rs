//! Reads times as people write them: `500ms`, `5s`, `2m`, `1h`.

use std::time::Duration;

/// Reads a time; `0` needs no unit.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let milliseconds = match unit.trim_start() {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "" if number == "0" => 1,
        _ => return Err(refused(text)),
    };
    let number: u64 = number.parse().map_err(|_| refused(text))?;
    number.checked_mul(milliseconds).map(Duration::from_millis).ok_or_else(|| refused(text))
}

/// Reads a time in which something can be done: not 0.
pub(crate) fn positive(text: &str) -> Result<Duration, String> {
    match parse(text)? {
        Duration::ZERO => Err("0 leaves no time for anything: leave it out for no end".to_owned()),
        time => Ok(time),
    }
}

/// Writes a time in the largest unit that leaves no rest.
pub(crate) fn write(time: Duration) -> String {
    let milliseconds = time.as_millis();
    let units = [("h", 3_600_000), ("m", 60_000), ("s", 1_000)];
    match units.into_iter().find(|(_, unit)| milliseconds > 0 && milliseconds.is_multiple_of(*unit)) {
        Some((name, unit)) => format!("{}{name}", milliseconds / unit),
        None => format!("{milliseconds}ms"),
    }
}

fn refused(text: &str) -> String {
    format!("\"{}\" is not a time: write 500ms, 5s, 2m or 1h", text.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times() {
        let cases = [
            ("500ms", Some(500)),
            ("5s", Some(5_000)),
            ("2m", Some(120_000)),
            ("1 h", Some(3_600_000)),
            ("0", Some(0)),
            ("0s", Some(0)),
            ("5", None),
            ("", None),
            ("s", None),
            ("-1s", None),
            ("1.5s", None),
            ("99999999999999999999s", None),
            ("18446744073709551615h", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).ok(), expected.map(Duration::from_millis), "{text}");
        }
    }
    #[test]
    fn writes_times_as_it_reads_them() {
        for text in ["500ms", "1500ms", "5s", "90s", "2m", "1h", "0ms"] {
            assert_eq!(write(parse(text).expect(text)), text);
        }
        assert!(positive("0").is_err() && positive("1ms").is_ok());
    }
}
