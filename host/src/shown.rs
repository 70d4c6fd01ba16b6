//! Names of files in messages: files of somebody else can have any name, and none may move the cursor or turn a line around.

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
}
