//! Expressions that match one character out of a set, or a run of them: what texts are mostly split by. Such an expression
//! is searched for without the regular expressions' own machine.

use std::ops::Range;

/// Characters that `\s` is.
const BLANKS: [(char, char); 11] = [
    ('\t', '\r'),
    (' ', ' '),
    ('\u{A0}', '\u{A0}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{2000}', '\u{200A}'),
    ('\u{2028}', '\u{2028}'),
    ('\u{2029}', '\u{2029}'),
    ('\u{202F}', '\u{202F}'),
    ('\u{205F}', '\u{205F}'),
    ('\u{3000}', '\u{3000}'),
    ('\u{FEFF}', '\u{FEFF}'),
];

/// Which characters part a text. None of them is a letter or lies beyond 2^16, so that no flag changes what is meant.
#[derive(Debug)]
pub(crate) struct Separator {
    /// Which of those up to 255.
    narrow: [bool; 256],
    wide: Vec<(u16, u16)>,
    /// Several in a row part it once.
    run: bool,
}

impl Separator {
    /// Reads the source of an expression; nothing where it says more than such a set.
    pub(crate) fn read(source: &str) -> Option<Self> {
        let (set, run) = match source.strip_suffix('+') {
            // `\+` is a plus.
            Some(set) if !set.ends_with('\\') || set.ends_with("\\\\") => (set, true),
            _ => (source, false),
        };
        let mut separator = Self { narrow: [false; 256], wide: Vec::new(), run };
        let mut letters = set.chars();
        match (letters.next()?, set.strip_prefix('[').and_then(|set| set.strip_suffix(']'))) {
            (_, Some(items)) => separator.add_items(items)?,
            ('\\', None) => separator.add_escape(letters.next()?)?,
            (letter, None) if !"^$.*+?()[]{}|".contains(letter) => separator.add(letter, letter)?,
            _ => return None,
        }
        let is_read = set.starts_with('[') || letters.next().is_none();
        is_read.then_some(separator)
    }

    /// Reads what stands between brackets: characters and escapes, without ranges and what means something with the flag
    /// `v` or without.
    fn add_items(&mut self, items: &str) -> Option<()> {
        let mut letters = items.chars().peekable();
        letters.peek()?;
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => self.add_escape(letters.next()?)?,
                '^' | '-' | '[' | ']' => return None,
                // With `v` two of a kind may be an operator.
                letter if letters.peek() == Some(&letter) => return None,
                letter => self.add(letter, letter)?,
            }
        }
        Some(())
    }

    fn add_escape(&mut self, letter: char) -> Option<()> {
        match letter {
            's' => BLANKS.iter().try_for_each(|(first, last)| self.add(*first, *last)),
            'd' => self.add('0', '9'),
            't' => self.add('\t', '\t'),
            'n' => self.add('\n', '\n'),
            'r' => self.add('\r', '\r'),
            '^' | '$' | '\\' | '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '/' => {
                self.add(letter, letter)
            }
            _ => None,
        }
    }

    fn add(&mut self, first: char, last: char) -> Option<()> {
        if first.is_alphabetic() {
            return None;
        }
        let (first, last) = (u16::try_from(u32::from(first)).ok()?, u16::try_from(u32::from(last)).ok()?);
        match self.narrow.get_mut(usize::from(first)..=usize::from(last)) {
            Some(these) => these.fill(true),
            None => self.wide.push((first, last)),
        }
        Some(())
    }

    fn has(&self, unit: u16) -> bool {
        match self.narrow.get(usize::from(unit)) {
            Some(has) => *has,
            None => self.wide.iter().any(|(first, last)| (*first..=*last).contains(&unit)),
        }
    }

    /// Tells where the parts of a text lie, as far as there are fewer than `limit`. Half of a surrogate pair is in no set,
    /// so that it does not matter whether the text has any.
    pub(crate) fn split<U: Copy + Into<u16>>(&self, text: &[U], limit: u32) -> impl Iterator<Item = Range<usize>> {
        let mut next = Some(0);
        (0..limit).map_while(move |_| {
            let start = next.take()?;
            let Some(part) = text[start..].iter().position(|unit| self.has((*unit).into())) else {
                return Some(start..text.len());
            };
            let end = start + part;
            let others = text[end..].iter().take_while(|unit| self.run && self.has((**unit).into())).count();
            next = Some(end + others.max(1));
            Some(start..end)
        })
    }
}
