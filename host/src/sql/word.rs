//! What the statements of a script say of transactions and of foreign keys.

use super::lexer::{Token, tokens};
use super::split::statements;

/// What a statement does about transactions or foreign keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Word {
    /// Begins a transaction.
    Begin,
    /// Commits it.
    Commit,
    /// Switches foreign keys off.
    KeysOff,
    /// Switches foreign keys on.
    KeysOn,
    /// Ends or leaves a transaction in another way.
    Odd,
    /// Nothing.
    Other,
}

/// Tells what a statement does about transactions or foreign keys.
pub fn word(statement: &str) -> Word {
    let mut head = tokens(statement).filter(Token::is_significant).filter(|token| token.text != ";").take(7).peekable();
    // Most statements say nothing of them: nothing is made of those.
    let says_something =
        |first: &Token<'_>| ["BEGIN", "COMMIT", "END", "ROLLBACK", "PRAGMA"].iter().any(|word| first.is_word(word));
    if !head.peek().is_some_and(says_something) {
        return Word::Other;
    }
    let words: Vec<String> = head.map(|token| token.text.trim_matches(['"', '\'', '`']).to_ascii_lowercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["begin", rest @ ..]
            if rest.iter().all(|word| ["transaction", "deferred", "immediate", "exclusive"].contains(word)) =>
        {
            Word::Begin
        }
        ["commit" | "end"] | ["commit" | "end", "transaction"] => Word::Commit,
        ["begin" | "commit" | "end" | "rollback", ..] => Word::Odd,
        ["pragma", "foreign_keys", "=" | "(", value, ..] => match *value {
            "off" | "0" | "false" | "no" => Word::KeysOff,
            "on" | "1" | "true" | "yes" => Word::KeysOn,
            _ => Word::Odd,
        },
        _ => Word::Other,
    }
}

impl Word {
    /// Tells whether it is about transactions.
    fn is_about_transactions(self) -> bool {
        matches!(self, Self::Begin | Self::Commit | Self::Odd)
    }
}

fn words(sql: &str) -> Vec<Word> {
    statements(sql).map(|range| word(&sql[range])).collect()
}

/// Tells whether the first that is said of foreign keys switches them off.
pub fn keys_are_off(words: &[Word]) -> bool {
    words.iter().find(|word| matches!(word, Word::KeysOff | Word::KeysOn)) == Some(&Word::KeysOff)
}

/// Tells whether what is said of transactions fits a script that is handed an open one and leaves one open: it commits that,
/// and begins another at its end. So scripts step out of the transaction that their tool runs them in.
pub fn step_out(words: &[Word]) -> bool {
    let mut open = true;
    let mut left = false;
    for word in words.iter().filter(|word| word.is_about_transactions()) {
        open = match (word, open) {
            (Word::Commit, true) => false,
            (Word::Begin, false) => true,
            _ => return false,
        };
        left |= !open;
    }
    open && left
}

/// Tells whether a script steps out of the transaction that it is handed.
pub fn steps_out(sql: &str) -> bool {
    step_out(&words(sql))
}

/// Tells whether a script without a transaction of its own is to run with foreign keys off.
pub fn switches_keys_off(sql: &str) -> bool {
    let is_named = |at: usize| {
        let name = at.checked_sub(7).and_then(|start| sql.as_bytes().get(start..start + 12));
        name.is_some_and(|name| name.eq_ignore_ascii_case(b"foreign_keys"))
    };
    // A script is cut into statements only if there may be such a one.
    if !sql.match_indices('_').any(|(at, _)| is_named(at)) {
        return false;
    }
    let words = words(sql);
    keys_are_off(&words) && !words.iter().any(|word| word.is_about_transactions())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_steps_out_of_its_transaction() {
        let out = [
            "COMMIT; BEGIN;",
            "SELECT 1; COMMIT TRANSACTION; PRAGMA foreign_keys = OFF; BEGIN TRANSACTION; DROP TABLE a; COMMIT; begin immediate",
            "end; VACUUM; begin",
        ];
        for sql in out {
            assert!(steps_out(sql), "{sql}");
        }
        let others = [
            "",
            "SELECT 1;",
            "COMMIT;",
            "BEGIN; COMMIT;",
            "COMMIT; COMMIT; BEGIN;",
            "COMMIT; BEGIN; BEGIN;",
            "COMMIT; BEGIN; COMMIT;",
            "ROLLBACK; BEGIN;",
            "COMMIT; BEGIN; ROLLBACK; BEGIN;",
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END;",
        ];
        for sql in others {
            assert!(!steps_out(sql), "{sql}");
        }
    }

    #[test]
    fn finds_what_switches_foreign_keys_off() {
        let off = [
            "PRAGMA foreign_keys = OFF;",
            "pragma FOREIGN_KEYS(0); DROP TABLE a;",
            "SELECT 1; PRAGMA foreign_keys=no; SELECT 2; PRAGMA foreign_keys = ON",
            "-- é\nPRAGMA \"foreign_keys\" = 'off';",
        ];
        for sql in off {
            assert!(switches_keys_off(sql), "{sql}");
        }
        let others = [
            "",
            "_",
            "CREATE TABLE foreign_keys (off);",
            "PRAGMA foreign_keys;",
            "PRAGMA foreign_keys = ON;",
            "PRAGMA foreign_keys = ON; PRAGMA foreign_keys = OFF;",
            "PRAGMA foreign_keys = OFF; BEGIN; COMMIT;",
            "-- PRAGMA foreign_keys = OFF;\nSELECT 'PRAGMA foreign_keys = OFF;'",
            "PRAGMA foreign_keys = 2;",
        ];
        for sql in others {
            assert!(!switches_keys_off(sql), "{sql}");
        }
    }
}
