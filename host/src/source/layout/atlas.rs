//! The layout of Atlas: one flat folder, what stands before the first `_` is the version; directives at the top.

use super::super::assemble::Marks;
use super::super::file_name::{FileName, Part};
use super::{beside, malformed, words};
use crate::model::Version;
use crate::sql::atlas::{Directive, directives};

/// The file with the checksums.
pub(super) const SUM: &str = "atlas.sum";

/// Judges a file.
pub(super) fn judge(name: &str) -> FileName {
    let Some(stem) = name.strip_suffix(".sql") else { return beside(name, "not a script of Atlas") };
    let (version, rest) = stem.split_once('_').unwrap_or((stem, ""));
    let hint = "call it like `20240131120000_name.sql`";
    match (Version::parse(version), words(rest)) {
        (Ok(version), Ok(name)) => FileName::part(version, name, Part::Sql),
        (Err(error), _) => malformed(error.to_string(), hint),
        (_, Err(message)) => malformed(message, hint),
    }
}

/// Reads what a file says about how it is run; the error is a byte and what is wrong there.
pub(super) fn marks(text: &str) -> Result<Marks, (usize, String)> {
    let mut marks = Marks::default();
    for Directive { name, value, at } in directives(text) {
        match (name, value) {
            ("txmode", "none") => marks.outside = true,
            ("txmode", "file" | "all") | ("sum" | "nolint" | "import" | "checkpoint", _) => {}
            ("delimiter", value) if is_harmless(value) => {}
            ("delimiter" | "txtar" | "assert" | "txmode", _) => {
                return Err((at, format!("the directive `atlas:{name}` of Atlas is not understood here")));
            }
            _ => {}
        }
    }
    Ok(marks)
}

/// A delimiter that SQL does not see.
fn is_harmless(value: &str) -> bool {
    let value = value.replace("\\n", "").replace("\\r", "").replace("\\t", "");
    let value = value.trim_matches(['"', ' ']);
    value.is_empty() || value == ";" || value.starts_with("--")
}

#[cfg(test)]
mod tests {
    use super::super::tests::judged;
    use super::*;

    #[test]
    fn reads_what_atlas_reads() {
        let cases = [
            ("20240131120000_add_users.sql", "20240131120000 add_users Sql"),
            ("1.sql", "1 unnamed Sql"),
            ("1.2_x.sql", "1.2 x Sql"),
            ("atlas.sum", "ignored: not a script of Atlas"),
            ("2_split.wasm", "2 split Component"),
            ("schema.sql", "wrong: \"schema\" is not a version: a version is made of digits"),
        ];
        for (name, expected) in cases {
            assert_eq!(judged(&judge(name)), expected, "{name:?}");
        }
    }

    #[test]
    fn reads_directives_up_to_the_blank_line() {
        let outside = |text| marks(text).map(|marks| marks.outside);
        assert_eq!(outside("-- atlas:txmode none\n\nVACUUM;"), Ok(true));
        assert_eq!(outside("-- atlas:sum ignore\r\n-- atlas:txmode none\r\n\r\nVACUUM;"), Ok(true));
        assert_eq!(outside("-- atlas:txmode none\nVACUUM;"), Ok(false));
        assert_eq!(outside("\n-- atlas:txmode none\n\n"), Ok(false));
        assert_eq!(outside("-- atlas:delimiter \\n\\n\n\nSELECT 1"), Ok(false));
        assert_eq!(outside("-- atlas:delimiter -- end\n\nSELECT 1"), Ok(false));
        let error = outside("-- atlas:sum ignore\n-- atlas:txtar\n\n").expect_err("unknown");
        assert_eq!(error, (20, "the directive `atlas:txtar` of Atlas is not understood here".to_owned()));
    }
}
