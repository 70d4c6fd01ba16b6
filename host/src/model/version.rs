//! The number that orders a migration. Never shows how it is stored.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::iter;
use std::str::FromStr;

use thiserror::Error;

/// The number that orders a migration: of a sequence, a timestamp, or several numbers with dots between them.
///
/// Compared number by number, so that 1.10 comes after 1.9; numbers that are left out are zeros, so that 1 and 1.0 are
/// equal. Shown as it was written, but a single number without its leading zeros.
#[derive(Clone, Copy)]
pub struct Version {
    /// What orders most versions, without a look at the text.
    first: u64,
    /// Bytes of the text; 0 for a single number, which needs none.
    length: u8,
    text: [u8; LONGEST],
}

/// Reads a number that no text of its length takes beyond the largest: a history has thousands of them.
fn small_number(text: &str) -> Option<u64> {
    if !(1..=19).contains(&text.len()) {
        return None;
    }
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u64::from(byte - b'0'));
    text.bytes().try_fold(0, |number, byte| Some(number * 10 + digit(byte)?))
}

/// The longest text of a version with dots, in bytes.
const LONGEST: usize = 39;

/// Why a text is no version.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum VersionError {
    /// There is nothing but digits in a version, and dots between them.
    #[error("\"{}\" is not a version: a version is made of digits", text.escape_debug())]
    NotDigits {
        /// What was given.
        text: String,
    },
    /// The number is larger than can be kept.
    #[error("version {text} is too large: the largest is {}", u64::MAX)]
    TooLarge {
        /// What was given.
        text: String,
    },
    /// The text is longer than can be kept.
    #[error("version {text} is too long: with its dots it has at most {LONGEST} characters")]
    TooLong {
        /// What was given.
        text: String,
    },
}

impl Version {
    /// Reads digits, or several groups of digits with dots between them.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        if let Some(number) = small_number(text) {
            return Ok(Self::from(number));
        }
        if text.split('.').any(|part| part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err(VersionError::NotDigits { text: text.to_owned() });
        }
        let too_large = |_| VersionError::TooLarge { text: text.to_owned() };
        let mut numbers = text.split('.').map(|part| part.parse::<u64>().map_err(too_large));
        let first = numbers.next().unwrap_or(Ok(0))?;
        numbers.try_for_each(|number| number.map(drop))?;
        if text.contains('.') {
            Self::written(first, text).ok_or_else(|| VersionError::TooLong { text: text.to_owned() })
        } else {
            Ok(Self::from(first))
        }
    }

    /// Returns the version that follows in a sequence; `None` after the largest, and after one with dots.
    pub fn next(self) -> Option<Self> {
        self.number()?.checked_add(1).map(Self::from)
    }

    /// Returns its number, unless it is made of several.
    pub fn number(self) -> Option<u64> {
        (self.length == 0).then_some(self.first)
    }

    /// Returns the text that equal versions have in common: no leading zeros, no `.0` at the end. The history has it.
    pub fn key(self) -> String {
        if let Some(number) = self.number() {
            return number.to_string();
        }
        let numbers: Vec<String> = self.significant().map(|number| number.to_string()).collect();
        if numbers.is_empty() { "0".to_owned() } else { numbers.join(".") }
    }

    /// Tells whether it looks like a number of a sequence and not like a timestamp.
    pub(super) fn is_sequential(self) -> bool {
        self.number().is_some_and(|number| number < 100_000)
    }

    fn written(first: u64, text: &str) -> Option<Self> {
        let mut kept = [0; LONGEST];
        kept.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self { first, length: u8::try_from(text.len()).ok()?, text: kept })
    }

    fn text(&self) -> &str {
        str::from_utf8(&self.text[..usize::from(self.length)]).unwrap_or_default()
    }

    fn numbers(&self) -> impl Iterator<Item = u64> {
        let others = self.text().split('.').skip(1).map(|part| part.parse().unwrap_or(0));
        iter::once(self.first).chain(others)
    }

    /// The numbers without the zeros at the end.
    fn significant(&self) -> impl Iterator<Item = u64> {
        let count = self.numbers().enumerate().filter(|(_, number)| *number != 0).last().map_or(0, |(at, _)| at + 1);
        self.numbers().take(count)
    }
}

impl From<u64> for Version {
    fn from(number: u64) -> Self {
        Self { first: number, length: 0, text: [0; LONGEST] }
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        Self::parse(text)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_first = self.first.cmp(&other.first);
        if by_first.is_ne() || (self.number().is_some() && other.number().is_some()) {
            return by_first;
        }
        self.significant().cmp(other.significant())
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.first.hash(state);
        if self.number().is_none() {
            self.significant().skip(1).for_each(|number| number.hash(state));
        }
    }
}

impl fmt::Display for Version {
    /// Writes it as it was written; a width, as in `{:04}`, is honoured for a single number.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number() {
            Some(number) => number.fmt(formatter),
            None => formatter.pad(self.text()),
        }
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Version({self})")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).expect(text)
    }

    #[test]
    fn reads_digits_and_shows_them_without_zeros() {
        let cases = [
            ("1", "1"),
            ("0001", "1"),
            ("0", "0"),
            ("0000", "0"),
            ("20261120142629", "20261120142629"),
            ("18446744073709551615", "18446744073709551615"),
            ("00000000000000000000000018446744073709551615", "18446744073709551615"),
        ];
        for (text, shown) in cases {
            assert_eq!(version(text).to_string(), shown);
            assert_eq!(version(text).key(), shown);
        }
        assert_eq!(format!("{:04}", Version::from(7)), "0007");
    }

    #[test]
    fn orders_groups_by_their_numbers_and_shows_them_as_written() {
        let ordered = ["0", "0.0.1", "1", "1.0.1", "1.2", "1.9", "1.010", "1.10.1", "2", "2024.01.31", "20240131.1"];
        for pair in ordered.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
        for text in ordered {
            assert_eq!(version(text).to_string(), text);
        }
        let same = ["1.2", "1.02", "01.2.0", "1.2.0.0"];
        assert_eq!(same.iter().map(|text| version(text)).collect::<HashSet<_>>().len(), 1);
        assert!(same.iter().all(|text| version(text).key() == "1.2"));
        assert_eq!((version("1.0"), version("1.0").to_string()), (version("1"), "1.0".to_owned()));
    }

    #[test]
    fn refuses_what_is_no_number_or_too_large() {
        let cases = [
            ("", "\"\" is not a version: a version is made of digits"),
            ("-1", "\"-1\" is not a version: a version is made of digits"),
            ("+1", "\"+1\" is not a version: a version is made of digits"),
            ("1.", "\"1.\" is not a version: a version is made of digits"),
            (".1", "\".1\" is not a version: a version is made of digits"),
            ("1..2", "\"1..2\" is not a version: a version is made of digits"),
            ("1.x", "\"1.x\" is not a version: a version is made of digits"),
            ("1\u{1b}", "\"1\\u{1b}\" is not a version: a version is made of digits"),
            ("٣", "\"٣\" is not a version: a version is made of digits"),
            ("18446744073709551616", "version 18446744073709551616 is too large: the largest is 18446744073709551615"),
            (
                "1.18446744073709551616",
                "version 1.18446744073709551616 is too large: the largest is 18446744073709551615",
            ),
            (
                "1.18446744073709551615.18446744073709551615",
                "version 1.18446744073709551615.18446744073709551615 is too long: with its dots it has at most 39 characters",
            ),
        ];
        for (text, message) in cases {
            assert_eq!(Version::parse(text).expect_err(text).to_string(), message);
        }
    }

    #[test]
    fn has_no_version_after_the_largest_or_after_groups() {
        assert_eq!(Version::from(7).next(), Some(Version::from(8)));
        assert_eq!(Version::from(u64::MAX).next(), None);
        assert_eq!(version("1.2").next(), None);
    }

    fn some_version() -> impl Strategy<Value = Version> {
        prop_oneof![
            any::<u64>().prop_map(Version::from),
            "0?[0-3](\\.0?[0-3]){0,4}".prop_map(|text| Version::parse(&text).expect("digits and dots")),
        ]
    }

    proptest! {
        #[test]
        fn survives_being_shown_and_kept(version in some_version()) {
            prop_assert_eq!(Version::parse(&version.to_string()), Ok(version));
            prop_assert_eq!(Version::parse(&version.key()), Ok(version));
            let again = Version::parse(&version.to_string()).expect("it was shown");
            prop_assert_eq!(again.to_string(), version.to_string());
        }

        #[test]
        fn orders_like_its_number(left: u64, right: u64) {
            prop_assert_eq!(Version::from(left).cmp(&Version::from(right)), left.cmp(&right));
        }

        #[test]
        fn is_equal_exactly_when_the_keys_are(a in some_version(), b in some_version(), c in some_version()) {
            prop_assert_eq!(a == b, a.key() == b.key());
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            if a <= b && b <= c {
                prop_assert!(a <= c);
            }
        }
    }
}
