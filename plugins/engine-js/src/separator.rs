//! Expressions that match one character out of a set, or a run of them: what texts are mostly split by. Such an expression
//! is searched for without the regular expressions' own machine.

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
    /// Those of ASCII, a bit for each.
    ascii: u128,
    others: Vec<(char, char)>,
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
        let mut separator = Self { ascii: 0, others: Vec::new(), run };
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
        if first.is_alphabetic() || u32::from(last) > 0xFFFF {
            return None;
        }
        match last.is_ascii() {
            true => (u32::from(first)..=u32::from(last)).for_each(|code| self.ascii |= 1 << code),
            false => self.others.push((first, last)),
        }
        Some(())
    }

    fn has(&self, letter: char) -> bool {
        match letter.is_ascii() {
            true => self.ascii >> u32::from(letter) & 1 == 1,
            false => self.others.iter().any(|(first, last)| (*first..=*last).contains(&letter)),
        }
    }

    /// Splits a text, as far as there are fewer parts than `limit`.
    pub(crate) fn split<'t>(&self, text: &'t str, limit: u32) -> impl Iterator<Item = &'t str> {
        let mut left = Some(text);
        (0..limit).map_while(move |_| {
            let text = left.take()?;
            let Some((at, found)) = text.char_indices().find(|(_, letter)| self.has(*letter)) else {
                return Some(text);
            };
            let after = &text[at + found.len_utf8()..];
            left = Some(if self.run { after.trim_start_matches(|letter| self.has(letter)) } else { after });
            Some(&text[..at])
        })
    }
}
