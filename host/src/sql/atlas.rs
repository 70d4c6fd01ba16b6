//! What Atlas reads in the text of a script, and its checksum over a folder. Pure.

use sha2::{Digest, Sha256};

/// A directive at the top of a file: its name, its value and the byte it stands at.
pub(crate) struct Directive<'t> {
    /// Its name.
    pub(crate) name: &'t str,
    /// What follows the name.
    pub(crate) value: &'t str,
    /// The byte it stands at.
    pub(crate) at: usize,
}

/// Returns the directives of the head of a file, which is what stands before its first blank line, as long as every
/// line of it is a directive.
pub(crate) fn directives(text: &str) -> Vec<Directive<'_>> {
    let mut found = Vec::new();
    for (at, line) in numbered(text) {
        let line = line.trim_end_matches(['\r', '\n']);
        let Some((name, value)) = directive(line) else {
            // Without a blank line after them they are comments of the first statement.
            return if line.trim().is_empty() { found } else { Vec::new() };
        };
        found.push(Directive { name, value, at });
    }
    found
}

fn directive(line: &str) -> Option<(&str, &str)> {
    let (before, after) = line.split_once("atlas:")?;
    if !before.chars().all(|character| (' '..='~').contains(&character)) {
        return None;
    }
    let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
    Some((&after[..end], after[end..].trim())).filter(|(name, _)| !name.is_empty())
}

/// Tells whether `atlas.sum` has the file's name only.
fn is_left_out_of_sum(text: &str) -> bool {
    directives(text).iter().any(|directive| directive.name == "sum" && directive.value == "ignore")
}

/// Returns what `atlas.sum` is for these files, in the order of their names.
pub(crate) fn sum<'f>(files: impl Iterator<Item = (&'f str, &'f [u8])>) -> String {
    let mut running = Sha256::new();
    let mut whole = Sha256::new();
    let mut lines = String::new();
    for (name, bytes) in files {
        running.update(name.as_bytes());
        if str::from_utf8(bytes).is_ok_and(is_left_out_of_sum) {
            continue;
        }
        running.update(bytes);
        let hash = base64(&running.clone().finalize());
        whole.update(name.as_bytes());
        whole.update(hash.as_bytes());
        lines.push_str(&format!("{name} h1:{hash}\n"));
    }
    format!("h1:{}\n{lines}", base64(&whole.finalize()))
}

/// The lines of a text with the bytes they begin at.
fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line))
    })
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32| char::from(LETTERS[(bits & 63) as usize]);
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        text.push(letter(bits >> 18));
        text.push(letter(bits >> 12));
        text.push(if group.len() > 1 { letter(bits >> 6) } else { '=' });
        text.push(if group.len() > 2 { letter(bits) } else { '=' });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_base64() {
        let cases: [(&[u8], &str); 5] =
            [(b"", ""), (b"f", "Zg=="), (b"fo", "Zm8="), (b"foo", "Zm9v"), (b"\xff\xfe\xfd", "//79")];
        for (bytes, text) in cases {
            assert_eq!(base64(bytes), text);
        }
    }

    #[test]
    fn runs_over_all_files_in_order() {
        // As computed by a few lines of Python from the description of the format.
        let files: [(&str, &[u8]); 2] = [("1.sql", b"SELECT 1;\n"), ("2.sql", b"SELECT 2;\n")];
        insta::assert_snapshot!(sum(files.into_iter()), @r"
        h1:vEYRxJJ2yiQiQ9IOIE4KMMLI4US9tBMRTxsHN6BFs4M=
        1.sql h1:/LIYEXNc34X4BgMCjkBOvNY/5Pgu0dgi84pBUYSOYN0=
        2.sql h1:Q/IWZG2kB1wGzrhowFzZ4rk48BtG9ZOlrMNVl0F5izE=
        ");
    }

    #[test]
    fn leaves_out_what_says_so_but_for_its_name() {
        let ignoring: &[u8] = b"-- atlas:sum ignore\n\nSELECT 1;";
        let with = sum([("1.sql", ignoring), ("2.sql", b"x")].into_iter());
        assert_eq!(with.lines().count(), 2);
        assert_ne!(with, sum([("2.sql", b"x".as_slice())].into_iter()));
        assert_eq!(with, sum([("1.sql", b"-- atlas:sum ignore\n\nSELECT 2;".as_slice()), ("2.sql", b"x")].into_iter()));
    }
}
