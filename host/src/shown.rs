//! Names of files in messages: files of somebody else can have any name, and none may move the cursor or turn a line around.
//! And long texts where errors are shown to who wrote the program (`Debug`): what is large is only told of.

use std::fmt::{self, Write};

/// A name as it is shown, with what a terminal would obey escaped.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match is_obeyed(character) {
                true => write!(formatter, "{}", character.escape_debug())?,
                false => formatter.write_char(character)?,
            }
        }
        Ok(())
    }
}

/// The longest text, in bytes, that `Debug` shows whole.
const WHOLE: usize = 240;

/// A text as `Debug` shows it: of a long one its beginning and its length.
pub(crate) struct Beginning<'a>(pub(crate) &'a str);

impl fmt::Debug for Beginning<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = self;
        match text.len() {
            ..=WHOLE => write!(formatter, "{text:?}"),
            length => write!(formatter, "{:?}… ({length} bytes)", &text[..text.floor_char_boundary(WHOLE)]),
        }
    }
}

/// Bytes as `Debug` shows them: how many there are.
pub(crate) struct Size<'a>(pub(crate) &'a [u8]);

impl fmt::Debug for Size<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes", self.0.len())
    }
}

/// Shows names with a word between them.
pub(crate) fn joined(names: &[String], word: &str) -> String {
    names.iter().map(|name| Shown(name).to_string()).collect::<Vec<_>>().join(word)
}

/// Tells whether a terminal would do what a character says, or show nothing of it. The program escapes by this, too.
pub fn is_obeyed(character: char) -> bool {
    let turns =
        matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let separates = matches!(character, '\u{2028}' | '\u{2029}');
    let is_invisible = matches!(character, '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    character.is_control() || turns || separates || is_invisible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_name_is_obeyed() {
        let name = "mü/1_a\u{1b}[2J\n\u{202e}lqs.\"x\"\\";
        assert_eq!(Shown(name).to_string(), "mü/1_a\\u{1b}[2J\\n\\u{202e}lqs.\"x\"\\");
        for character in ['\u{61c}', '\u{200b}', '\u{2028}', '\u{2060}', '\u{feff}', '\u{e0041}'] {
            let name = format!("a{character}b");
            assert_eq!(Shown(&name).to_string(), format!("a\\u{{{:x}}}b", u32::from(character)));
        }
        assert_eq!(joined(&["a".to_owned(), "b\r".to_owned()], " and "), "a and b\\r");
    }

    #[test]
    fn of_a_long_text_only_the_beginning_is_shown() {
        assert_eq!(format!("{:?}", Beginning("SELECT 'ü';\n")), r#""SELECT 'ü';\n""#);
        let long = format!("{}{}", "x".repeat(WHOLE - 1), "ü".repeat(1000));
        let shown = format!("{:?}", Beginning(&long));
        assert_eq!(shown, format!("\"{}\"… (2239 bytes)", "x".repeat(WHOLE - 1)));
        assert_eq!(format!("{:?}", Size(&[0; 7])), "7 bytes");
    }
}
