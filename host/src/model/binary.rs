//! The bytes of a component.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use super::Checksum;
use crate::shown::Size;

/// The bytes of a component, not looked into. Some have many megabytes, so their checksum is computed once: when it is
/// asked for first.
#[derive(Clone)]
pub struct Binary {
    bytes: Cow<'static, [u8]>,
    checksum: OnceLock<Checksum>,
}

/// Without the bytes.
impl fmt::Debug for Binary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Binary").field(&Size(&self.bytes)).finish()
    }
}

impl Binary {
    /// Returns the SHA-256 of the bytes.
    pub fn checksum(&self) -> Checksum {
        *self.checksum.get_or_init(|| Checksum::of(&self.bytes))
    }
}

impl From<Cow<'static, [u8]>> for Binary {
    fn from(bytes: Cow<'static, [u8]>) -> Self {
        Self { bytes, checksum: OnceLock::new() }
    }
}

impl Deref for Binary {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_checksum_of_its_bytes_each_time() {
        let binary = Binary::from(Cow::Borrowed(&b"\0asm"[..]));
        assert_eq!([binary.checksum(), binary.clone().checksum()], [Checksum::of(b"\0asm"); 2]);
        assert_eq!(&*binary, b"\0asm");
        assert_eq!(format!("{binary:?}"), "Binary(4 bytes)");
    }
}
