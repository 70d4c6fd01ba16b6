//! Splits one full name. Pure: a text in, parts out.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::{case, east_asia, key, words};

/// The parts of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    /// Given names, or none where there is only one name.
    pub first: Option<String>,
    /// Family name with its particles, or the only name; none where there is no name at all.
    pub last: Option<String>,
    /// What stands after a name, in its usual form.
    pub suffix: Option<&'static str>,
    /// Family name and given names to search for, without case and accents.
    pub key: Option<String>,
}

impl Name {
    /// Splits a name as it was typed.
    pub fn parse(typed: &str) -> Self {
        let text = tidy(typed);
        if text.is_empty() {
            return Self::default();
        }
        if let Some((first, last)) = east_asia::split_foreign(&text) {
            return Self::from_parts(first.to_owned(), last.to_owned(), None);
        }
        if let Some((last, first)) = east_asia::split(&text) {
            return Self::from_parts(first.to_owned(), last.to_owned(), None);
        }
        let (given, family, suffix) = match text.split_once(',') {
            None => western(text.split(' ').collect()),
            Some((before, after)) => with_comma(before, after),
        };
        let one_case = case::is_one_case(given.iter().chain(&family));
        let marked = one_case || case::is_marked(&family);
        let turkish = marked && case::is_turkish(&text);
        let first = join(&given, one_case, turkish);
        let last = join(&family, marked, turkish);
        Self::from_parts(first, last, suffix)
    }

    fn from_parts(first: String, last: String, suffix: Option<&'static str>) -> Self {
        // Somebody with one name has it as the last one, whatever it was called before.
        let (first, last) = if last.is_empty() { (last, first) } else { (first, last) };
        let mut key = String::with_capacity(last.len() + 1 + first.len());
        key::push(&last, &mut key);
        if !first.is_empty() {
            key.push(' ');
            key::push(&first, &mut key);
        }
        let part = |text: String| if text.is_empty() { None } else { Some(text) };
        Self { first: part(first), last: part(last), suffix, key: part(key) }
    }
}

/// The words of given names, those of the family name, and the suffix.
type Parts<'t> = (Vec<&'t str>, Vec<&'t str>, Option<&'static str>);

/// Composes characters, and makes one blank of any number of any kind.
fn tidy(typed: &str) -> Cow<'_, str> {
    let composed = match is_nfc_quick(typed.chars()) {
        IsNormalized::Yes => Cow::Borrowed(typed),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(typed.nfc().collect::<String>()),
    };
    let other_blank = |letter: char| (letter.is_whitespace() && letter != ' ') || is_invisible(letter);
    let untidy = composed.starts_with(' ')
        || composed.ends_with(' ')
        || composed.contains("  ")
        || composed.contains(other_blank);
    if !untidy {
        return composed;
    }
    let visible: String = composed.chars().filter(|letter| !is_invisible(*letter)).collect();
    Cow::Owned(visible.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// What copying from elsewhere leaves in a name: byte order marks, zero-width blanks, direction marks.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}')
}

/// `Last, First`, or `First Last, Suffix`, or both.
fn with_comma<'t>(before: &'t str, after: &'t str) -> Parts<'t> {
    let rest: Vec<&str> = after.split([',', ' ']).filter(|word| !word.is_empty()).collect();
    let suffix = rest.last().and_then(|word| words::suffix(word));
    let given = &rest[..rest.len() - usize::from(suffix.is_some())];
    if given.is_empty() {
        let (given, family, other) = western(before.trim().split(' ').collect());
        return (given, family, suffix.or(other));
    }
    let mut family: Vec<&str> = before.trim().split(' ').filter(|word| !word.is_empty()).collect();
    // Mustermann Jr., Max
    let inner = family.last().and_then(|word| words::suffix(word)).filter(|_| family.len() > 1);
    if inner.is_some() {
        family.pop();
    }
    let given = given.iter().copied().filter(|word| !words::is_title(word)).collect();
    (given, family, suffix.or(inner))
}

/// Given names first, family name last, with everything that can stand around them.
fn western(mut all: Vec<&str>) -> Parts<'_> {
    while all.len() > 1 && words::is_title(all[0]) {
        all.remove(0);
    }
    let mut suffix = None;
    while all.len() > 1
        && let Some(found) = all.last().and_then(|word| words::suffix(word))
    {
        suffix = Some(found);
        all.pop();
    }
    if all.len() > 2 && words::is_vietnamese(all[0]) {
        let given = all.split_off(1);
        return (given, all, suffix);
    }
    let at = family_start(&all);
    let family = all.split_off(at);
    (all, family, suffix)
}

/// Where the family name begins: at the last word, or before it where particles stand.
fn family_start(all: &[&str]) -> usize {
    let one_case = case::is_one_case(all);
    let mut start = all.len() - 1;
    while start > 0 {
        if start == 1 {
            return usize::from(!words::is_first_particle(all[0], all[1], one_case));
        }
        if words::is_particle(all[start - 1]) {
            start -= 1;
        } else if start > 2 && words::is_connector(all[start - 1], one_case) {
            start -= 2;
        } else {
            break;
        }
    }
    start
}

fn join(parts: &[&str], one_case: bool, turkish: bool) -> String {
    if !one_case {
        return parts.join(" ");
    }
    let written = |part: &&str| {
        let particle = words::is_particle(part) || words::is_connector(part, true);
        // A particle at the end is a name: Joe Van.
        if particle && parts.len() > 1 { case::lower(part, turkish) } else { case::title(part, turkish) }
    };
    parts.iter().map(written).collect::<Vec<_>>().join(" ")
}
