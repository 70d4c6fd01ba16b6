//! Reads the text of a string literal from its source code.

/// Returns what a string literal says; `None` for other literals and for escapes no path needs.
pub(crate) fn text(source: &str) -> Option<String> {
    if let Some(raw) = source.strip_prefix('r') {
        let inner = raw.trim_start_matches('#');
        let hashes = raw.len() - inner.len();
        let inner = inner.strip_suffix(&"#".repeat(hashes))?;
        return Some(inner.strip_prefix('"')?.strip_suffix('"')?.to_owned());
    }
    let mut text = String::new();
    let mut characters = source.strip_prefix('"')?.strip_suffix('"')?.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.push(characters.next().filter(|escaped| matches!(escaped, '\\' | '"' | '\''))?),
            other => text.push(other),
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_plain_and_raw_strings() {
        let cases = [
            (r#""migrations""#, Some("migrations")),
            (r#""a\\b\"c""#, Some("a\\b\"c")),
            (r##"r"a\b""##, Some("a\\b")),
            (r###"r#"a"b"#"###, Some("a\"b")),
            (r#""a\n""#, None),
            (r#"b"a""#, None),
            ("3", None),
            ("'c'", None),
        ];
        for (source, expected) in cases {
            assert_eq!(text(source).as_deref(), expected, "{source}");
        }
    }
}
