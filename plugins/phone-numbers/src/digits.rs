//! Digits and signs in all the forms in which they are typed.

/// Returns the ASCII digit that a digit of any common script stands for.
pub fn digit(letter: char) -> Option<char> {
    /// Where the digits of a script begin.
    const ZEROS: [char; 7] = ['0', '٠', '۰', '०', '০', '๐', '０'];
    let value = ZEROS.iter().find_map(|zero| {
        let distance = u32::from(letter).checked_sub(u32::from(*zero))?;
        (distance < 10).then_some(distance)
    })?;
    char::from_digit(value, 10)
}

/// Returns the digit of a letter on a telephone's keys.
pub fn key(letter: char) -> Option<char> {
    Some(match letter.to_ascii_lowercase() {
        'a'..='c' => '2',
        'd'..='f' => '3',
        'g'..='i' => '4',
        'j'..='l' => '5',
        'm'..='o' => '6',
        'p'..='s' => '7',
        't'..='v' => '8',
        'w'..='z' => '9',
        _ => return None,
    })
}

/// Tells whether a sign only makes a number easier to read.
pub fn is_separator(letter: char) -> bool {
    letter.is_whitespace()
        || matches!(letter, '-' | '.' | '/' | '(' | ')' | '[' | ']' | '·' | '\u{2010}'..='\u{2015}' | '\u{2212}' | 'ー')
        || matches!(
            letter,
            '（' | '）' | '－' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{feff}'
        )
}

/// Tells whether a sign is a plus.
pub fn is_plus(letter: char) -> bool {
    matches!(letter, '+' | '＋')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_digits_of_other_scripts() {
        assert_eq!("٠٩".chars().filter_map(digit).collect::<String>(), "09");
        assert_eq!("０３".chars().filter_map(digit).collect::<String>(), "03");
        assert_eq!("९".chars().filter_map(digit).collect::<String>(), "9");
        assert_eq!(digit('x'), None);
    }

    #[test]
    fn reads_words_as_keys() {
        assert_eq!("FLOWERS".chars().filter_map(key).collect::<String>(), "3569377");
    }
}
