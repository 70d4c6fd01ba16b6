//! SHA-256 of what a migration is made of.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use thiserror::Error;

/// A SHA-256.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Checksum(pub [u8; 32]);

/// A text that is not a checksum.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("\"{}\" is not a checksum: it has 64 hexadecimal digits", text.escape_debug())]
pub struct NoChecksum {
    /// What was given.
    pub text: String,
}

/// Seeds stay where every language's numbers are exact.
const SEED_MASK: u64 = (1 << 53) - 1;

/// A checksum in the making, for what comes in pieces.
#[derive(Clone, Debug, Default)]
pub struct ChecksumBuilder(Sha256);

impl ChecksumBuilder {
    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the checksum of all pieces.
    pub fn finish(self) -> Checksum {
        Checksum(self.0.finalize().into())
    }
}

impl Checksum {
    /// Computes the checksum of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Computes the checksum of a text as if its lines ended in LF, so that it is the same on every system.
    pub fn of_lines(text: &str) -> Self {
        Self::of(with_lf(text).as_bytes())
    }

    /// Tells whether this is the checksum of a text, in whichever way its lines ended when it was computed.
    pub fn is_of_lines(&self, text: &str) -> bool {
        let lf = with_lf(text);
        [text, &lf, &lf.replace('\n', "\r\n")].iter().any(|text| Self::of(text.as_bytes()) == *self)
    }

    /// Returns a number below 2^53 that stands for chance wherever a component asks for it.
    pub fn seed(&self) -> u64 {
        let (first, _) = self.0.split_first_chunk().expect("a digest has 32 bytes");
        u64::from_le_bytes(*first) & SEED_MASK
    }

    /// Starts a checksum of pieces.
    pub fn builder() -> ChecksumBuilder {
        ChecksumBuilder::default()
    }
}

fn with_lf(text: &str) -> String {
    text.replace("\r\n", "\n")
}

impl FromStr for Checksum {
    type Err = NoChecksum;

    fn from_str(text: &str) -> Result<Self, NoChecksum> {
        let (digits, rest) = text.as_bytes().as_chunks();
        let mut bytes = [0; 32];
        let mut wrong = u64::from(text.len() != 64 || !rest.is_empty());
        for (four, eight) in bytes.as_chunks_mut().0.iter_mut().zip(digits) {
            let (read, not_digits) = read_digits(*eight);
            *four = read;
            wrong |= not_digits;
        }
        if wrong == 0 { Ok(Self(bytes)) } else { Err(NoChecksum { text: text.to_owned() }) }
    }
}

/// Reads eight hexadecimal digits at once, since a history has thousands of checksums; the second number is 0 if that is
/// what they are.
fn read_digits(digits: [u8; 8]) -> ([u8; 4], u64) {
    const ALL: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ALL;
    // Byte by byte: sums of two numbers below 128 reach no neighbour, and have the highest bit set from 128 on.
    let at_least = |bytes: u64, least: u8| (bytes & !HIGH) + ALL * u64::from(0x80 - least);
    let digits = u64::from_le_bytes(digits);
    let small = digits | (0x20 * ALL);
    let is_number = at_least(digits, b'0') & !at_least(digits, b'9' + 1);
    let is_letter = at_least(small, b'a') & !at_least(small, b'f' + 1);
    let wrong = (!(is_number | is_letter) | digits) & HIGH;
    // A letter has its value, less nine, in its lower half.
    let values = (digits & (0x0f * ALL)) + 9 * ((is_letter & HIGH) >> 7);
    let pairs = ((values << 4) | (values >> 8)) & 0x00ff_00ff_00ff_00ff;
    let quarters = (pairs | (pairs >> 8)) & 0x0000_ffff_0000_ffff;
    let [a, b, c, d, ..] = (quarters | (quarters >> 16)).to_le_bytes();
    ([a, b, c, d], wrong)
}

impl fmt::Display for Checksum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = String::with_capacity(64);
        for byte in self.0 {
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        formatter.pad(&text)
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Checksum({self:.8}…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn is_the_sha_256() {
        assert_eq!(Checksum::of(b"").to_string(), EMPTY);
        assert_eq!(
            Checksum::of(b"abc").to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(format!("{:?}", Checksum::of(b"")), "Checksum(e3b0c442…)");
    }

    #[test]
    fn knows_a_text_again_whatever_ends_its_lines() {
        let forms = ["a\nb\n", "a\r\nb\r\n", "a\r\nb\n"];
        for text in forms {
            assert_eq!(Checksum::of_lines(text), Checksum::of(b"a\nb\n"));
            assert!(Checksum::of(text.as_bytes()).is_of_lines(text));
            assert!(forms[..2].iter().all(|other| Checksum::of(other.as_bytes()).is_of_lines(text)), "{text:?}");
            assert!(!Checksum::of(b"a\nc\n").is_of_lines(text));
        }
    }

    #[test]
    fn reads_hexadecimal_only() {
        assert_eq!(EMPTY.parse(), Ok(Checksum::of(b"")));
        assert_eq!(EMPTY.to_uppercase().parse(), Ok(Checksum::of(b"")));
        let longer = format!("{EMPTY}00");
        let cases = ["", "e3", &EMPTY[1..], &longer, &EMPTY.replace('e', "g"), &format!("é{}", &EMPTY[2..])];
        for text in cases {
            assert!(text.parse::<Checksum>().is_err(), "{text}");
        }
        for byte in 0..=u8::MAX {
            let digits = [b'0', b'1', byte, b'f', b'F', byte, b'a', b'9'];
            let (read, wrong) = read_digits(digits);
            match char::from(byte).to_digit(16) {
                Some(value) => {
                    let value = value as u8;
                    assert_eq!((read, wrong), ([0x01, value << 4 | 0xf, 0xf0 | value, 0xa9], 0), "{byte}");
                }
                None => assert_ne!(wrong, 0, "{byte}"),
            }
        }
    }

    proptest! {
        #[test]
        fn does_not_depend_on_the_pieces(bytes: Vec<u8>, cut: prop::sample::Index) {
            let (head, tail) = bytes.split_at(cut.index(bytes.len() + 1));
            let mut builder = Checksum::builder();
            builder.update(head);
            builder.update(tail);
            prop_assert_eq!(builder.finish(), Checksum::of(&bytes));
        }

        #[test]
        fn survives_being_shown(bytes: [u8; 32]) {
            prop_assert_eq!(Checksum(bytes).to_string().parse(), Ok(Checksum(bytes)));
        }
    }
}
