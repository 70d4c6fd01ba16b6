//! A library of SQL functions: what SQLite does not have for texts.
//!
//! ```sql
//! -- whimbrel: functions = text_tools
//! UPDATE purchase SET slug = slug(item);
//! ```

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Most bytes of a slug.
const LONGEST: usize = 80;

/// Makes of a text what can stand in an address: words in small letters without accents, joined by hyphens. None when
/// nothing is left of it.
pub fn slug(text: &str) -> Option<String> {
    let mut slug = String::with_capacity(text.len());
    for letter in text.nfkd().flat_map(char::to_lowercase).filter(|letter| !is_combining_mark(*letter)) {
        match letter {
            'ß' => slug.push_str("ss"),
            'æ' => slug.push_str("ae"),
            'œ' => slug.push_str("oe"),
            'ø' => slug.push('o'),
            'ł' => slug.push('l'),
            // What stands inside a word and is no part of it.
            '\'' | '’' => {}
            letter if letter.is_alphanumeric() => slug.push(letter),
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
    }
    let mut end = slug.len().min(LONGEST);
    while !slug.is_char_boundary(end) {
        end -= 1;
    }
    slug.truncate(end);
    let slug = slug.trim_end_matches('-');
    (!slug.is_empty()).then(|| slug.nfc().collect())
}

/// Puts an address of mail into the form in which addresses are compared: without blanks around it, the part behind the
/// last @ in small letters. Before it, case may matter.
pub fn normalise_email(email: &str) -> Result<String, &'static str> {
    let (name, domain) = email.trim().rsplit_once('@').ok_or("there is no @ in it")?;
    if name.is_empty() || domain.is_empty() {
        return Err("there is nothing on one side of its @");
    }
    Ok(format!("{name}@{}", domain.to_lowercase()))
}

whimbrel_guest::export_functions! {
    /// Makes of a text what can stand in an address: words in small letters, joined by hyphens.
    slug(text: &str) -> Option<String>;
    /// Puts an address of mail into the form in which addresses are compared.
    normalise_email(email: &str) -> Result<String, &'static str>;
}
