//! Words that have a place of their own in a name. Compared in lower case and without a full stop.

/// Words that begin a family name: the first word of `van der Berg`.
const PARTICLES: &[&str] = &[
    "'t", "abu", "af", "al", "av", "ben", "bin", "bint", "binti", "da", "dal", "das", "de", "degli", "dei", "del",
    "dela", "della", "dello", "den", "der", "des", "di", "do", "dos", "du", "el", "ibn", "in", "la", "las", "le",
    "les", "lo", "los", "mac", "nic", "ní", "op", "san", "santa", "te", "ten", "ter", "und", "van", "vande", "vander",
    "vom", "von", "zu", "zum", "zur",
];

/// Particles that begin a name without being a given name too, as Al, Ben and Van can be.
const FIRST_PARTICLES: &[&str] = &["abu", "ibn"];

/// Words that join two family names: the second word of `Ortega y Gasset`.
const CONNECTORS: &[&str] = &["e", "i", "y"];

/// What may stand before a hyphen and belongs to the word after it.
const ARTICLES: &[&str] = &["al", "ad", "an", "ar", "as", "ash", "at", "az", "el", "ul"];

/// Words before a name that are no part of it.
const TITLES: &[&str] = &[
    "dame", "dr", "frau", "herr", "ing", "lord", "madame", "mag", "miss", "mme", "mr", "mrs", "ms", "prof", "sir",
    "sra",
];

/// Words after a name, and how they are written.
const SUFFIXES: &[(&str, &str)] = &[
    ("cbe", "CBE"),
    ("dds", "DDS"),
    ("esq", "Esq."),
    ("ii", "II"),
    ("iii", "III"),
    ("iv", "IV"),
    ("jnr", "Jr."),
    ("jr", "Jr."),
    ("júnior", "Jr."),
    ("md", "MD"),
    ("mbe", "MBE"),
    ("obe", "OBE"),
    ("ph.d", "PhD"),
    ("phd", "PhD"),
    ("snr", "Sr."),
    ("sr", "Sr."),
];

/// Family names that stand first in a Vietnamese name, as far as their accents show that it is one.
const VIETNAMESE: &[&str] =
    &["nguyễn", "trần", "lê", "phạm", "huỳnh", "hoàng", "vũ", "võ", "đặng", "bùi", "đỗ", "hồ", "ngô", "dương", "lý"];

/// Tells whether a word begins a family name.
pub fn is_particle(word: &str) -> bool {
    is_listed(PARTICLES, word)
}

/// Tells whether a word at the start of a name is its particle and no given name.
pub fn is_first_particle(word: &str, next: &str, one_case: bool) -> bool {
    let on_purpose = !one_case && word.starts_with(char::is_lowercase);
    is_listed(FIRST_PARTICLES, word) || (is_particle(word) && (on_purpose || is_particle(next)))
}

/// Tells whether a word joins two family names. In capitals `E` and `I` are initials more often.
pub fn is_connector(word: &str, one_case: bool) -> bool {
    CONNECTORS.contains(&word) || (one_case && word == "Y")
}

/// Tells whether a word is an article that a hyphen ties to the next.
pub fn is_article(word: &str) -> bool {
    is_listed(ARTICLES, word)
}

/// Tells whether a word before a name is a title.
pub fn is_title(word: &str) -> bool {
    is_listed(TITLES, word)
}

/// Tells whether a word is a Vietnamese family name.
pub fn is_vietnamese(word: &str) -> bool {
    !word.is_ascii() && is_listed(VIETNAMESE, word)
}

/// Returns the usual way to write a word after a name.
pub fn suffix(word: &str) -> Option<&'static str> {
    let bare = word.trim_end_matches('.');
    let found = SUFFIXES.iter().find(|(plain, _)| is_same(plain, bare));
    found.map(|(_, written)| *written)
}

fn is_listed(list: &[&str], word: &str) -> bool {
    let bare = word.strip_suffix('.').unwrap_or(word);
    // Longer than the longest of the lists.
    bare.len() <= 9 && list.iter().any(|listed| is_same(listed, bare))
}

/// Compares with a listed word, which is in lower case, without new memory.
fn is_same(listed: &str, word: &str) -> bool {
    if word.is_ascii() {
        return listed.eq_ignore_ascii_case(word);
    }
    listed.chars().eq(word.chars().flat_map(char::to_lowercase))
}
