//! The layout of sqlx: one flat folder, versions before the first `_`.

use super::super::file_name::{FileName, Part};
use super::{beside, malformed, words};
use crate::model::Version;

const NO_TRANSACTION: &str = "-- no-transaction";

/// Judges a file: without `_` or `.sql` it is none of sqlx's, and what stands before the `_` must be a number.
pub(super) fn judge(name: &str) -> FileName {
    let stem = name.split_once('_').and_then(|(version, rest)| Some((version, rest.strip_suffix(".sql")?)));
    let Some((version, rest)) = stem else { return beside(name, "not named like a migration of sqlx") };
    let (rest, part) = match (rest.strip_suffix(".up"), rest.strip_suffix(".down")) {
        (Some(rest), _) => (rest, Part::Up),
        (None, Some(rest)) => (rest, Part::Down),
        (None, None) => (rest, Part::Sql),
    };
    let hint = "call it like `20210422143411_name.sql`, or with .up.sql and .down.sql, or move it out of the folder";
    match (version.parse::<i64>().map(u64::try_from), words(rest)) {
        (Ok(Ok(number)), Ok(name)) => FileName::part(Version::from(number), name, part),
        (Ok(Err(_)), _) => malformed(format!("version {version} is negative, and versions begin at 0 here"), hint),
        (Err(_), _) => malformed(format!("`{}` before the first `_` is not a version", version.escape_debug()), hint),
        (_, Err(message)) => malformed(message, hint),
    }
}

/// Tells whether the first bytes of a script keep it out of a transaction.
pub(super) fn is_outside(bytes: &[u8]) -> bool {
    bytes.starts_with(NO_TRANSACTION.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::tests::judged;
    use super::*;

    #[test]
    fn reads_what_sqlx_reads() {
        let cases = [
            ("20210422143411_create_history.sql", "20210422143411 create_history Sql"),
            ("1_a.up.sql", "1 a Up"),
            ("0001_a b.down.sql", "1 a b Down"),
            ("1_a.b.sql", "1 a.b Sql"),
            ("1_.sql", "1 unnamed Sql"),
            ("+7_x.sql", "7 x Sql"),
            ("README.md", "ignored: not named like a migration of sqlx"),
            ("schema.sql", "ignored: not named like a migration of sqlx"),
            ("1_x.sql.bak", "ignored: not named like a migration of sqlx"),
            ("1_x.SQL", "ignored: not named like a migration of sqlx"),
            ("2_split.wasm", "2 split Component"),
            ("a_b.sql", "wrong: `a` before the first `_` is not a version"),
            ("-1_b.sql", "wrong: version -1 is negative, and versions begin at 0 here"),
            ("99999999999999999999_b.sql", "wrong: `99999999999999999999` before the first `_` is not a version"),
            ("9223372036854775808_b.sql", "wrong: `9223372036854775808` before the first `_` is not a version"),
            ("1_a\u{1b}.sql", "wrong: `\\u{1b}` cannot stand in a name"),
        ];
        for (name, expected) in cases {
            assert_eq!(judged(&judge(name)), expected, "{name:?}");
        }
    }

    #[test]
    fn looks_at_the_very_first_bytes() {
        assert!(is_outside(b"-- no-transaction\nVACUUM;"));
        for text in ["\n-- no-transaction", "\u{feff}-- no-transaction", "--no-transaction", ""] {
            assert!(!is_outside(text.as_bytes()), "{text:?}");
        }
    }
}
