//! Whether a text may change the connection that runs it, and not only the database.

/// Words of which one stands in every text that changes its connection: settings, other databases, temporary objects.
const WORDS: [&[u8]; 4] = [b"pragma", b"attach", b"detach", b"temp"];

/// Tells whether a script may change its connection. Looks for words, inside others, in strings and in comments as well:
/// that is fast, and to say yes too often costs only a look at the connection.
pub fn may_change_connection(text: &str) -> bool {
    let text = text.as_bytes();
    text.iter().enumerate().any(|(at, byte)| {
        matches!(byte | 0x20, b'p' | b'a' | b'd' | b't')
            && WORDS.iter().any(|word| text[at..].get(..word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_changes_a_connection() {
        for text in [
            "PRAGMA recursive_triggers = ON",
            "SELECT 1; attach 'x' AS y",
            "DETACH y",
            "create TEMPORARY table t (x)",
            "CREATE TABLE \"temp\".t (x)",
            "-- é\nDROP TABLE Temp.t",
        ] {
            assert!(may_change_connection(text), "{text}");
        }
        for text in ["", "tem", "CREATE TABLE t (x); INSERT INTO t VALUES ('at'); DROP TABLE t", "é pragm"] {
            assert!(!may_change_connection(text), "{text}");
        }
    }
}
