//! Checks the files of a folder against `atlas.sum`. Pure.

use super::super::problem::Problem;

/// Compares `atlas.sum` with what it should be; names the first file that differs.
pub(super) fn check(file: &str, found: &str, expected: &str) -> Option<Problem> {
    let mut found = found.lines().map(str::trim_end);
    let mut expected = expected.lines();
    // The first line covers all others, which tell more.
    let heads = (found.next(), expected.next());
    for (number, pair) in (2..).zip(std::iter::from_fn(|| match (found.next(), expected.next()) {
        (None, None) => None,
        pair => Some(pair),
    })) {
        let name = |line: Option<&str>| {
            line.and_then(|line| line.rsplit_once(" h1:")).map(|(name, _)| name.escape_debug().to_string())
        };
        let message = match pair {
            (Some(left), Some(right)) if left == right => continue,
            (Some(left), Some(right)) if name(Some(left)) == name(Some(right)) => {
                format!("{} is not what it was when its checksum was written", name(Some(right)).unwrap_or_default())
            }
            (found, Some(right)) if found.is_none() || name(found) > name(Some(right)) => {
                format!("{} is not in it", name(Some(right)).unwrap_or_default())
            }
            (found, _) => {
                format!("{} is in it, and not in the folder", name(found).unwrap_or_else(|| "a line".to_owned()))
            }
        };
        return Some(problem(file, number, message));
    }
    (heads.0 != heads.1).then(|| problem(file, 1, "its first line does not cover the others".to_owned()))
}

fn problem(file: &str, line: u32, message: String) -> Problem {
    let hint = "if the change is meant, write the checksums anew with `atlas migrate hash`".to_owned();
    Problem { line: Some(line), column: Some(1), ..Problem::of_file(file, message, Some(hint)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::atlas::sum;

    #[test]
    fn names_the_first_file_that_differs() {
        let files =
            |names: &[(&'static str, &'static str)]| sum(names.iter().map(|(name, text)| (*name, text.as_bytes())));
        let kept = files(&[("1.sql", "a"), ("2.sql", "b")]);
        let checked = |now: String| check("m/atlas.sum", &kept, &now).map(|problem| problem.to_string());
        assert_eq!(checked(kept.clone()), None);
        assert_eq!(check("x", &kept.replace('\n', "\r\n"), &kept), None);
        let cases = [
            (
                files(&[("1.sql", "a"), ("2.sql", "c")]),
                "m/atlas.sum:3:1: 2.sql is not what it was when its checksum was written",
            ),
            (files(&[("1.sql", "a"), ("2.sql", "b"), ("3.sql", "c")]), "m/atlas.sum:4:1: 3.sql is not in it"),
            (files(&[("0.sql", "a"), ("1.sql", "a"), ("2.sql", "b")]), "m/atlas.sum:2:1: 0.sql is not in it"),
            (files(&[("1.sql", "a")]), "m/atlas.sum:3:1: 2.sql is in it, and not in the folder"),
        ];
        for (now, expected) in cases {
            assert_eq!(checked(now).as_deref(), Some(expected));
        }
        let torn = kept.replacen("h1:", "h1:x", 1);
        assert!(check("x", &torn, &kept).is_some());
    }
}
