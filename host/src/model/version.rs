//! The number that orders a migration. Never shows how it is stored.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The number that orders a migration: a sequence number or a timestamp.
///
/// Opaque, so that other kinds of version can come later: compare it, show it, parse it.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Version(u64);

/// Why a text is no version.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum VersionError {
    /// There is nothing but digits in a version.
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
}

impl Version {
    /// Reads digits; leading zeros do not count.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(VersionError::NotDigits { text: text.to_owned() });
        }
        text.parse().map(Self).map_err(|_| VersionError::TooLarge { text: text.to_owned() })
    }

    /// Returns the version that follows in a sequence; `None` after the largest.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }

    /// Tells whether it looks like a number of a sequence and not like a timestamp.
    pub(super) fn is_sequential(self) -> bool {
        self.0 < 100_000
    }
}

impl From<u64> for Version {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        Self::parse(text)
    }
}

impl fmt::Display for Version {
    /// Writes the digits without leading zeros; a width, as in `{:04}`, is honoured.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Version({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
            assert_eq!(Version::parse(text).expect(text).to_string(), shown);
        }
        assert_eq!(format!("{:04}", Version::from(7)), "0007");
    }

    #[test]
    fn refuses_what_is_no_number_or_too_large() {
        let cases = [
            ("", "\"\" is not a version: a version is made of digits"),
            ("-1", "\"-1\" is not a version: a version is made of digits"),
            ("+1", "\"+1\" is not a version: a version is made of digits"),
            ("1.2", "\"1.2\" is not a version: a version is made of digits"),
            ("1\u{1b}", "\"1\\u{1b}\" is not a version: a version is made of digits"),
            ("٣", "\"٣\" is not a version: a version is made of digits"),
            ("18446744073709551616", "version 18446744073709551616 is too large: the largest is 18446744073709551615"),
        ];
        for (text, message) in cases {
            assert_eq!(Version::parse(text).expect_err(text).to_string(), message);
        }
    }

    #[test]
    fn has_no_version_after_the_largest() {
        assert_eq!(Version::from(7).next(), Some(Version::from(8)));
        assert_eq!(Version::from(u64::MAX).next(), None);
    }

    proptest! {
        #[test]
        fn survives_being_shown_and_orders_like_its_number(left: u64, right: u64) {
            let (a, b) = (Version::from(left), Version::from(right));
            prop_assert_eq!(Version::parse(&a.to_string()), Ok(a));
            prop_assert_eq!(a.cmp(&b), left.cmp(&right));
        }
    }
}
