//! Upper and lower case in names that were typed in one case only.

use crate::words;

/// Tells whether the letters of some words are all capitals or all small ones, so that the case says nothing.
pub fn is_one_case<'w>(words: impl IntoIterator<Item = &'w &'w str>) -> bool {
    let (mut upper, mut lower) = (false, false);
    for letter in words.into_iter().flat_map(|word| word.chars()) {
        upper |= letter.is_uppercase();
        lower |= letter.is_lowercase();
    }
    upper != lower
}

/// Tells whether a family name was typed in capitals to mark it, as in `Jean DUPONT`.
pub fn is_marked(family: &[&str]) -> bool {
    let letters = || family.iter().flat_map(|word| word.chars()).filter(|letter| letter.is_alphabetic());
    letters().count() > 2 && letters().all(char::is_uppercase)
}

/// Writes a word of a name with the capitals that names have: `O'NEILL-MCKAY` becomes `O'Neill-McKay`.
pub fn title(word: &str, turkish: bool) -> String {
    let lower = lower(word, turkish);
    let mut parts: Vec<&str> = lower.split('-').collect();
    let last = parts.len() - 1;
    let mut out = String::with_capacity(lower.len());
    for (index, part) in parts.drain(..).enumerate() {
        if index > 0 {
            out.push('-');
        }
        if index < last && words::is_article(part) {
            out.push_str(part);
        } else {
            capitals(part, turkish, &mut out);
        }
    }
    out
}

/// Lower case. Only here the two letters i of Turkish differ from everybody else's.
pub fn lower(word: &str, turkish: bool) -> String {
    if !turkish {
        // Knows that a Greek sigma at the end of a word is another letter.
        return word.to_lowercase();
    }
    let fold = |letter: char| match letter {
        'I' => 'ı',
        'İ' => 'i',
        other => other,
    };
    word.chars().map(fold).collect::<String>().to_lowercase()
}

/// Tells whether letters show that a name is Turkish, where I is the capital of ı.
pub fn is_turkish(text: &str) -> bool {
    !text.is_ascii() && text.chars().any(|letter| matches!(letter, 'İ' | 'ı' | 'ğ' | 'Ğ' | 'ş' | 'Ş'))
}

/// A capital at the start, after `Mc`, and after an apostrophe that follows one letter.
fn capitals(part: &str, turkish: bool, out: &mut String) {
    let mut rest = part;
    if let Some((before, after)) = part.split_once(['\'', '’'])
        && before.chars().count() == 1
        && after.chars().count() > 1
    {
        let apostrophe = &part[before.len()..part.len() - after.len()];
        capital(before, turkish, out);
        out.push_str(apostrophe);
        rest = after;
    } else if let Some(after) = part.strip_prefix("mc")
        && after.chars().count() > 2
    {
        out.push_str("Mc");
        rest = after;
    }
    capital(rest, turkish, out);
}

fn capital(part: &str, turkish: bool, out: &mut String) {
    let mut letters = part.chars();
    // Not only letters: `(rob)` and `"bob"`.
    for letter in letters.by_ref() {
        if !letter.is_alphabetic() {
            out.push(letter);
            continue;
        }
        match letter {
            'i' if turkish => out.push('İ'),
            // One letter of two: only its first half is a capital.
            'ǆ' => out.push('ǅ'),
            'ǉ' => out.push('ǈ'),
            'ǌ' => out.push('ǋ'),
            'ǳ' => out.push('ǲ'),
            // Its capital in capitals would be SS.
            'ß' => out.push('ß'),
            letter => out.extend(letter.to_uppercase()),
        }
        break;
    }
    out.push_str(letters.as_str());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_capitals_where_names_have_them() {
        for (typed, expected) in [
            ("ADA", "Ada"),
            ("o'neill", "O'Neill"),
            ("d’angelo", "D’Angelo"),
            ("MCDONALD", "McDonald"),
            ("MCA", "Mca"),
            ("JEAN-LUC", "Jean-Luc"),
            ("AL-RASHID", "al-Rashid"),
            ("ΓΙΑΝΝΗΣ", "Γιαννης"),
            ("WEIß", "Weiß"),
            ("GROẞ", "Groß"),
            ("ЮЛИЯ", "Юлия"),
            ("ǆENANA", "ǅenana"),
            ("ÉLODIE", "Élodie"),
            ("\"BOB\"", "\"Bob\""),
            ("ta'ufo'ou", "Ta'ufo'ou"),
        ] {
            assert_eq!(title(typed, false), expected);
        }
    }

    #[test]
    fn knows_the_two_letters_i_of_turkish() {
        assert!(is_turkish("İBRAHİM IŞIK"));
        assert!(!is_turkish("ISABEL"));
        assert_eq!(title("İBRAHİM", true), "İbrahim");
        assert_eq!(title("IŞIK", true), "Işık");
        assert_eq!(title("ismail", true), "İsmail");
    }

    #[test]
    fn sees_names_typed_in_one_case() {
        assert!(is_one_case(&["ADA", "LOVELACE"]));
        assert!(is_one_case(&["ada", "lovelace"]));
        assert!(!is_one_case(&["Ada", "Lovelace"]));
        assert!(!is_one_case(&["山田太郎"]));
        assert!(is_marked(&["DUPONT"]));
        assert!(!is_marked(&["van", "GOGH"]) && !is_marked(&["X"]));
    }
}
