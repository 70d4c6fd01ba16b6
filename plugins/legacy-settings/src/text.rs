//! Texts in the character sets of the old program.

/// What Windows-1252 has from 0x80 to 0x9f. The five bytes it leaves open stay what they are.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Reads Windows-1252. Every byte is a character.
pub fn windows_1252(bytes: &[u8]) -> String {
    let character = |byte: &u8| match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        byte => char::from(*byte),
    };
    bytes.iter().map(character).collect()
}

/// Reads UTF-16, little endian. None when it is none.
pub fn utf_16(bytes: &[u8]) -> Option<String> {
    let (units, []) = bytes.as_chunks() else { return None };
    char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit))).collect::<Result<_, _>>().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_windows_1252() {
        assert_eq!(windows_1252(b"5 \x80 \x93na\xefve\x94"), "5 € “naïve”");
    }

    #[test]
    fn reads_utf_16() {
        assert_eq!(utf_16(&[0x3d, 0xd8, 0x00, 0xde]).as_deref(), Some("😀"));
        assert_eq!(utf_16(&[0x3d, 0xd8]), None);
        assert_eq!(utf_16(&[0x3d]), None);
    }
}
