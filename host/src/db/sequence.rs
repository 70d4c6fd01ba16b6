//! Numbers that look like chance and are the same every time.

/// What a sequence is used for, so that two uses of one seed do not see the same numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Use {
    /// `random()` and `randomblob()` in SQL.
    Sql,
    /// A language's own source of randomness.
    #[cfg_attr(not(any(feature = "wasm", test)), expect(dead_code, reason = "only components have languages"))]
    Language,
    /// Rows that are made for tests.
    Rows,
}

/// SplitMix64: every 64-bit number once, in an order that depends on the seed.
#[derive(Clone, Debug)]
pub(crate) struct Sequence(u64);

impl Sequence {
    /// Starts the sequence of a seed.
    pub(crate) fn new(seed: u64, used_for: Use) -> Self {
        let start = match used_for {
            Use::Sql => 0x5351_4c00_0000_0000,
            Use::Language => 0x4c41_4e00_0000_0000,
            Use::Rows => 0x524f_5753_0000_0000,
        };
        Self(seed ^ start)
    }

    /// Returns the next number.
    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns the next `length` bytes.
    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length.next_multiple_of(8));
        while bytes.len() < length {
            bytes.extend_from_slice(&self.next_u64().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_same_every_time_and_differs_by_seed_and_use() {
        let first = |seed, used_for| Sequence::new(seed, used_for).next_u64();
        assert_eq!(first(7, Use::Sql), first(7, Use::Sql));
        assert_ne!(first(7, Use::Sql), first(8, Use::Sql));
        assert_ne!(first(7, Use::Sql), first(7, Use::Language));
        // The reference implementation's first number for the state 0.
        assert_eq!(Sequence(0).next_u64(), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn gives_as_many_bytes_as_asked_for() {
        for length in [0, 1, 7, 8, 9, 100] {
            assert_eq!(Sequence::new(1, Use::Sql).bytes(length).len(), length);
        }
    }
}
