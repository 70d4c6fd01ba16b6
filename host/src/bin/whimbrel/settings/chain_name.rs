//! Which names chains may have in the settings: those that can be told apart wherever a chain is named.

use serde::{Deserialize, Deserializer};

/// Says what is wrong with the name of a chain. `billing:7` names a migration, and lists of chains have commas and blanks.
pub(super) fn check(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("the name of a chain is empty".to_owned());
    }
    let stray = |letter: &char| letter.is_control() || letter.is_whitespace() || matches!(letter, ':' | ',');
    match name.chars().find(stray) {
        Some(stray) => Err(format!("`{}` cannot stand in the name of a chain", stray.escape_debug())),
        None => Ok(()),
    }
}

/// Reads a name.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let name = String::deserialize(deserializer)?;
    check(&name).map_err(serde::de::Error::custom)?;
    Ok(Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word_without_what_stands_between_names() {
        for name in ["main", "acme-2", "a.b", "äö", "vendor/billing"] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        for (name, stray) in [("a:1", ":"), ("a,b", ","), ("a b", " "), ("a\u{1b}", "\\u{1b}"), (" ", " ")] {
            assert_eq!(check(name), Err(format!("`{stray}` cannot stand in the name of a chain")), "{name:?}");
        }
        assert_eq!(check(""), Err("the name of a chain is empty".to_owned()));
    }
}
