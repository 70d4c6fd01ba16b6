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

/// What each byte is worth as a hexadecimal digit: a history has thousands of checksums.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 16 {
        digits[b"0123456789abcdef"[digit] as usize] = digit as u8;
        digits[b"0123456789ABCDEF"[digit] as usize] = digit as u8;
        digit += 1;
    }
    digits
};
/// All bits set, so that it is left when it is put together with any digit.
const NO_DIGIT: u8 = u8::MAX;

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
        let refuse = || NoChecksum { text: text.to_owned() };
        if text.len() != 64 {
            return Err(refuse());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let (high, low) = (DIGITS[usize::from(pair[0])], DIGITS[usize::from(pair[1])]);
            if high | low == NO_DIGIT {
                return Err(refuse());
            }
            *byte = high << 4 | low;
        }
        Ok(Self(bytes))
    }
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
        let cases = ["", "e3", &EMPTY[1..], &EMPTY.replace('e', "g"), &format!("é{}", &EMPTY[2..])];
        for text in cases {
            assert!(text.parse::<Checksum>().is_err(), "{text}");
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
