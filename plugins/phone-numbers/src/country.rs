//! What has to be known about a country to read its numbers.

/// A country's numbering plan, in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country {
    /// ISO 3166 code.
    pub iso: &'static str,
    /// Calling code.
    pub code: &'static str,
    /// What is dialled before a number inside the country; no part of the number abroad.
    pub trunk: &'static str,
    /// What is dialled before a number abroad.
    pub abroad: &'static str,
    /// Fewest digits after the calling code.
    pub shortest: usize,
    /// Most digits after the calling code.
    pub longest: usize,
}

const fn country(
    iso: &'static str,
    code: &'static str,
    trunk: &'static str,
    abroad: &'static str,
    shortest: usize,
    longest: usize,
) -> Country {
    Country { iso, code, trunk, abroad, shortest, longest }
}

/// The countries that are known. Where several share a code, the first stands for it.
const COUNTRIES: &[Country] = &[
    country("US", "1", "1", "011", 10, 10),
    country("CA", "1", "1", "011", 10, 10),
    country("RU", "7", "8", "810", 10, 10),
    country("KZ", "7", "8", "810", 10, 10),
    country("EG", "20", "0", "00", 8, 10),
    country("ZA", "27", "0", "00", 9, 9),
    country("GR", "30", "", "00", 10, 10),
    country("NL", "31", "0", "00", 9, 9),
    country("BE", "32", "0", "00", 8, 9),
    country("FR", "33", "0", "00", 9, 9),
    country("ES", "34", "", "00", 9, 9),
    country("HU", "36", "06", "00", 8, 9),
    // The zero of Italian numbers is part of them.
    country("IT", "39", "", "00", 6, 11),
    country("CH", "41", "0", "00", 9, 9),
    country("AT", "43", "0", "00", 4, 13),
    country("GB", "44", "0", "00", 9, 10),
    country("DK", "45", "", "00", 8, 8),
    country("SE", "46", "0", "00", 7, 10),
    country("NO", "47", "", "00", 8, 8),
    country("PL", "48", "", "00", 9, 9),
    country("DE", "49", "0", "00", 5, 12),
    country("MX", "52", "", "00", 10, 10),
    country("BR", "55", "0", "00", 10, 11),
    country("AU", "61", "0", "0011", 9, 9),
    country("NZ", "64", "0", "00", 8, 10),
    country("JP", "81", "0", "010", 9, 10),
    country("KR", "82", "0", "001", 8, 10),
    country("VN", "84", "0", "00", 9, 10),
    country("CN", "86", "0", "00", 9, 11),
    country("TR", "90", "0", "00", 10, 10),
    country("IN", "91", "0", "00", 10, 10),
    country("PT", "351", "", "00", 9, 9),
    country("IE", "353", "0", "00", 7, 9),
    country("IS", "354", "", "00", 7, 7),
    country("FI", "358", "0", "00", 5, 11),
    country("EE", "372", "", "00", 7, 8),
    country("UA", "380", "0", "00", 9, 9),
    country("CZ", "420", "", "00", 9, 9),
    country("HK", "852", "", "001", 8, 8),
    country("SA", "966", "0", "00", 8, 9),
    country("AE", "971", "0", "00", 8, 9),
    country("IL", "972", "0", "00", 8, 9),
];

/// Finds a country by its ISO code in any case.
pub fn by_iso(iso: &str) -> Option<&'static Country> {
    COUNTRIES.iter().find(|country| country.iso.eq_ignore_ascii_case(iso.trim()))
}

/// Finds the country whose calling code an international number begins with. No code begins with another.
pub fn by_code(digits: &str) -> Option<&'static Country> {
    COUNTRIES.iter().find(|country| digits.starts_with(country.code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_calling_code_begins_with_another() {
        for one in COUNTRIES {
            for other in COUNTRIES {
                assert!(one.code == other.code || !one.code.starts_with(other.code), "{} {}", one.iso, other.iso);
            }
        }
    }

    #[test]
    fn finds_countries() {
        assert_eq!(by_iso("de").map(|country| country.code), Some("49"));
        assert_eq!(by_code("4420").map(|country| country.iso), Some("GB"));
        assert_eq!(by_iso("XX"), None);
    }
}
