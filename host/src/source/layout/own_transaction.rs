//! Scripts that open and commit their own transaction, as those of tools do that open none. The host has one already, so
//! the words that open and close it are blanked, and foreign keys that are switched off around it make it a rebuild. One
//! that steps out of the transaction it is handed runs outside the host's, where its own are left to it.

use std::ops::Range;

use super::super::assemble::Marks;
use super::cut::blank;
use crate::sql::{Word, keys_are_off, statements, step_out, word};

/// Recognises `[PRAGMA foreign_keys = OFF;] [BEGIN;] … [COMMIT;] [PRAGMA foreign_keys = ON;]` and hands its inside over;
/// and `… COMMIT; … BEGIN; …`, which is to run outside a transaction.
///
/// Whatever else a script does with transactions stays as it is. `may_blank` says whether its text may be changed.
pub(super) fn take_over(text: &mut String, marks: &mut Marks, may_blank: bool) {
    let found: Vec<(Range<usize>, Word)> = statements(text).map(|range| (range.clone(), word(&text[range]))).collect();
    let ways: Vec<Word> = found.iter().map(|(_, word)| *word).filter(|word| *word != Word::Other).collect();
    let count = |wanted: Word| ways.iter().filter(|word| **word == wanted).count();
    if count(Word::Odd) > 0 {
        return;
    }
    if step_out(&ways) {
        marks.outside = true;
        return;
    }
    let keys_off = keys_are_off(&ways);
    match (count(Word::Begin), count(Word::Commit)) {
        // Inside a transaction it has no effect, but tables are about to be rebuilt.
        (0, 0) if keys_off && !marks.outside => marks.rebuild = true,
        (1, 1) if may_blank && encloses(&found) => {
            marks.outside = false;
            marks.rebuild = keys_off;
            for (range, _) in found.into_iter().filter(|(_, word)| matches!(word, Word::Begin | Word::Commit)) {
                blank(text, range);
            }
        }
        _ => {}
    }
}

/// Tells whether nothing stands before the beginning and after the end of the transaction but pragmas on foreign keys.
fn encloses(found: &[(Range<usize>, Word)]) -> bool {
    let begin = found.iter().position(|(_, word)| *word == Word::Begin);
    let commit = found.iter().position(|(_, word)| *word == Word::Commit);
    let (Some(begin), Some(commit)) = (begin, commit) else { return false };
    if begin > commit {
        return false;
    }
    let others = |part: &[(Range<usize>, Word)]| part.iter().any(|(_, word)| *word == Word::Other);
    !others(&found[..begin]) && !others(&found[commit + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str, outside: bool) -> String {
        let (mut text, mut marks) = (text.to_owned(), Marks { outside, ..Marks::default() });
        take_over(&mut text, &mut marks, true);
        format!("{}{}{text}", if marks.outside { "outside " } else { "" }, if marks.rebuild { "rebuild " } else { "" })
    }

    #[test]
    fn hands_the_transaction_to_the_host() {
        let cases = [
            ("SELECT 1;", "SELECT 1;"),
            ("BEGIN;\nSELECT 1;\nCOMMIT;\n", "      \nSELECT 1;\n       \n"),
            ("begin immediate transaction; SELECT 1; end", "                             SELECT 1;    "),
            (
                "PRAGMA foreign_keys=OFF;\nBEGIN;\nSELECT 1;\nCOMMIT;\nPRAGMA foreign_keys=ON;",
                "rebuild PRAGMA foreign_keys=OFF;\n      \nSELECT 1;\n       \nPRAGMA foreign_keys=ON;",
            ),
            (
                "SELECT 1; PRAGMA foreign_keys = OFF; DROP TABLE t;",
                "rebuild SELECT 1; PRAGMA foreign_keys = OFF; DROP TABLE t;",
            ),
            (
                "PRAGMA foreign_keys=OFF;\nBEGIN;\nPRAGMA foreign_keys=OFF;\nSELECT 1;\nPRAGMA foreign_keys=ON;\nCOMMIT;",
                "rebuild PRAGMA foreign_keys=OFF;\n      \nPRAGMA foreign_keys=OFF;\nSELECT 1;\nPRAGMA foreign_keys=ON;\n       ",
            ),
            ("PRAGMA foreign_keys = 0;\nDROP TABLE t;", "rebuild PRAGMA foreign_keys = 0;\nDROP TABLE t;"),
            (
                "pragma foreign_keys(no); SELECT 1; PRAGMA foreign_keys = yes",
                "rebuild pragma foreign_keys(no); SELECT 1; PRAGMA foreign_keys = yes",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(taken(text, false), expected, "{text:?}");
        }
        assert_eq!(taken("BEGIN;SELECT 1;COMMIT;", true), "      SELECT 1;       ");
    }

    #[test]
    fn leaves_its_own_to_a_script_that_steps_out_of_what_it_is_handed() {
        for text in [
            "COMMIT;SELECT 1;BEGIN;",
            "PRAGMA foreign_keys=OFF;COMMIT;BEGIN;DROP TABLE t;COMMIT;PRAGMA foreign_keys=ON;BEGIN;",
        ] {
            for outside in [false, true] {
                assert_eq!(taken(text, outside), format!("outside {text}"));
            }
        }
    }

    #[test]
    fn leaves_everything_else_as_it_is() {
        let texts = [
            "BEGIN;SELECT 1;COMMIT;BEGIN;SELECT 2;COMMIT;",
            "SELECT 1;BEGIN;SELECT 1;COMMIT;",
            "BEGIN;SELECT 1;COMMIT;SELECT 2;",
            "COMMIT;SELECT 1;",
            "BEGIN;SELECT 1;ROLLBACK;",
            "BEGIN;SELECT 1;",
            "PRAGMA foreign_keys = ON; SELECT 1;",
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END;",
        ];
        for text in texts {
            assert_eq!(taken(text, false), text);
            assert_eq!(taken(text, true), format!("outside {text}"));
        }
        let mut text = "BEGIN;SELECT 1;COMMIT;".to_owned();
        take_over(&mut text, &mut Marks::default(), false);
        assert_eq!(text, "BEGIN;SELECT 1;COMMIT;");
    }
}
