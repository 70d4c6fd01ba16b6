//! The layout of refinery: `V1__name.sql` and `U1__name.sql` in any folder; both are ways up.

use super::super::file_name::{FileName, Part};
use super::flyway::beside;
use super::{malformed, words};
use crate::model::Version;

/// Judges a file as refinery's own pattern does, `|` before the version included.
pub(super) fn judge(name: &str) -> FileName {
    const OTHER: &str = "not named like a migration of refinery";
    let Some((stem, ending)) = name.rsplit_once('.').filter(|(_, ending)| matches!(*ending, "sql" | "rs")) else {
        return beside(name, OTHER);
    };
    let Some((version, words_of)) = stem.strip_prefix(['V', 'U', '|']).and_then(|rest| rest.split_once("__")) else {
        return FileName::Ignored(if ending == "rs" { "Rust code" } else { OTHER });
    };
    if !is_version(version) {
        return FileName::Ignored(OTHER);
    }
    if words_of.is_empty() || !words_of.chars().all(|character| character.is_alphanumeric() || character == '_') {
        return FileName::Ignored("refinery skips it: its name has more than letters, digits and `_`");
    }
    if ending == "rs" {
        return FileName::Ignored("Rust code, which only the program that it is part of can run");
    }
    let hint = "refinery's versions are whole numbers; read it with `--layout flyway`, or give it another version";
    match (version.parse::<i64>().ok().and_then(|number| u64::try_from(number).ok()), words(words_of)) {
        (Some(number), Ok(name)) => FileName::part(Version::from(number), name, Part::Sql),
        (None, _) => malformed(format!("version {version} is not one of refinery's"), hint),
        (_, Err(message)) => malformed(message, hint),
    }
}

/// `\d+(\.\d+)?`
fn is_version(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(text),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Layout;
    use super::super::tests::judged;
    use super::*;
    use crate::interrupt::Interrupt;
    use crate::source::{Memory, Source};

    #[test]
    fn reads_hidden_folders_as_refinery_does() {
        let files = |layout| Memory::new("m").layout(layout).file(".old/V1__a.sql", "").file("b/V2__b.sql", "");
        let read = |layout| files(layout).load(&Interrupt::new()).expect("loaded").migrations.len();
        assert_eq!((read(Layout::Refinery), read(Layout::Flyway)), (2, 1));
    }

    #[test]
    fn reads_what_refinery_reads() {
        let cases = [
            ("V1__initial.sql", "1 initial Sql"),
            ("U3__große_Sache.sql", "3 große_Sache Sql"),
            ("|2__x.sql", "2 x Sql"),
            ("V2__split.wasm", "2 split Component"),
            ("V1__add-users.sql", "ignored: refinery skips it: its name has more than letters, digits and `_`"),
            ("V1__x.rs", "ignored: Rust code, which only the program that it is part of can run"),
            ("mod.rs", "ignored: Rust code"),
            ("V1_x.sql", "ignored: not named like a migration of refinery"),
            ("v1__x.sql", "ignored: not named like a migration of refinery"),
            ("V1.2.3__x.sql", "ignored: not named like a migration of refinery"),
            ("V1.2__x.sql", "wrong: version 1.2 is not one of refinery's"),
            ("V99999999999999999999__x.sql", "wrong: version 99999999999999999999 is not one of refinery's"),
        ];
        for (name, expected) in cases {
            assert_eq!(judged(&judge(name)), expected, "{name:?}");
        }
    }
}
