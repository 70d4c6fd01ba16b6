//! Reads bytes from front to back. Never reads beyond the end.

use std::fmt;

/// Why a blob cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Byte in the blob, counted from 0.
    pub at: usize,
    /// What is wrong there.
    pub what: &'static str,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.at)
    }
}

/// Bytes, and how far they have been read.
#[derive(Clone, Debug)]
pub struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    /// Starts at the first byte.
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Tells whether nothing is left.
    pub fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// Makes a problem of the place reached.
    pub fn problem(&self, what: &'static str) -> Problem {
        Problem { at: self.at, what }
    }

    /// Reads some bytes.
    pub fn take(&mut self, length: usize) -> Result<&'b [u8], Problem> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..length).ok_or_else(|| self.problem("the blob ends inside a record"))?;
        self.at += length;
        Ok(taken)
    }

    /// Reads one byte.
    pub fn byte(&mut self) -> Result<u8, Problem> {
        Ok(self.take(1)?[0])
    }

    /// Reads a number of seven bits a byte.
    pub fn varint(&mut self) -> Result<u32, Problem> {
        let start = self.at;
        let mut value = 0_u64;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(value).map_err(|_| Problem { at: start, what: "a number is too large" });
            }
        }
        Err(Problem { at: start, what: "a number is too long" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_of_any_length() {
        assert_eq!(Reader::new(&[0x05]).varint(), Ok(5));
        assert_eq!(Reader::new(&[0xac, 0x02]).varint(), Ok(300));
        assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x0f]).varint(), Ok(u32::MAX));
        let problem = |at, what| Err(Problem { at, what });
        assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x1f]).varint(), problem(0, "a number is too large"));
        assert_eq!(Reader::new(&[0x80; 6]).varint(), problem(0, "a number is too long"));
        assert_eq!(Reader::new(&[0x80]).varint(), problem(1, "the blob ends inside a record"));
    }

    #[test]
    fn does_not_read_beyond_the_end() {
        let mut reader = Reader::new(&[1, 2]);
        assert!(reader.take(usize::MAX).is_err());
        assert_eq!(reader.take(2), Ok(&[1, 2][..]));
        assert!(reader.is_at_end());
    }
}
