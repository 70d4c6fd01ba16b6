//! What can be said against a script before it runs. Looks at the first words of each statement only.

use std::ops::Range;

use super::lexer::{Token, TokenKind, tokens};
use super::split::statements;
use super::{Directives, TransactionMode, Word, step_out, word};

/// Something that can be said against a script.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// Whether it keeps the script from running.
    pub severity: Severity,
    /// Bytes of the statement it is about.
    pub range: Range<usize>,
    /// What it is.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl Finding {
    /// Takes ways out of the hint that only the owner's own scripts have.
    pub(crate) fn of_stranger(&mut self) {
        let hint = match self.hint.as_str() {
            TRANSACTION | STEPS_OUT => STRANGERS_TRANSACTION,
            OUTSIDE => STRANGERS_OUTSIDE,
            REBUILD => STRANGERS_REBUILD,
            _ => return,
        };
        hint.clone_into(&mut self.hint);
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// The script runs, but may not do what it says.
    Warning,
    /// The script must not run.
    Error,
}

/// Returns what can be said against a script with these directives, in its order.
///
/// A script outside a transaction runs as written, so there is nothing to say about that one.
pub fn check(sql: &str, directives: &Directives) -> Vec<Finding> {
    match directives.transaction {
        TransactionMode::None => Vec::new(),
        TransactionMode::Normal => {
            let ranges: Vec<Range<usize>> =
                statements(sql).filter(|range| says_something(&sql[range.clone()])).collect();
            if let Some(range) = way_out(sql, &ranges) {
                let message = "COMMIT of a transaction that the script has not begun".to_owned();
                let hint = if directives.rebuild { TRANSACTION_IN_REBUILD } else { STEPS_OUT }.to_owned();
                return vec![Finding { severity: Severity::Error, range, message, hint }];
            }
            let mut findings: Vec<Finding> = ranges
                .into_iter()
                .filter_map(|range| {
                    let (severity, message, hint) = judge(&sql[range.clone()], directives.rebuild)?;
                    Some(Finding { severity, range, message, hint: hint.to_owned() })
                })
                .collect();
            if directives.rebuild {
                let written = super::directives(sql).is_ok_and(|written| written.rebuild);
                explain_rebuild(&mut findings, written, directives.implied_rebuild);
            }
            findings
        }
    }
}

const TRANSACTION: &str = "leave it out: the script runs in a transaction of its own; or name the tool it was written for with `--layout`, or write `-- whimbrel: transaction = none` at the top";
const STEPS_OUT: &str = "leave out what commits and begins: `-- whimbrel: rebuild` at the top has foreign keys off; or name \
                         the tool it was written for with `--layout`, or write `-- whimbrel: transaction = none` at the \
                         top, and it runs as it stands";
const TRANSACTION_IN_REBUILD: &str = "leave it out: `-- whimbrel: rebuild` opens and commits the transaction";
const OUTSIDE: &str = "write `-- whimbrel: transaction = none` at the top of a migration of its own for it";
const REBUILD: &str = "write `-- whimbrel: rebuild` at the top: the host then suspends foreign keys around the \
                       transaction and checks them before it commits";
const ENFORCED: &str = "leave it out: foreign keys are enforced; only `-- whimbrel: rebuild` at the top suspends them";
const IMPLIED: &str = "the migration is run as a rebuild because of it: the host suspends foreign keys around the transaction \
                       and checks them before it commits; write `-- whimbrel: rebuild` at the top to say so";
const STRANGERS_TRANSACTION: &str = "leave it out: the script runs in a transaction of its own, and one of a chain that is not \
                                     trusted in no other way";
const STRANGERS_OUTSIDE: &str = "leave it out: nothing of a chain that is not trusted runs outside a transaction";
const STRANGERS_REBUILD: &str = "leave it out: a chain that is not trusted cannot suspend foreign keys";
const REDUNDANT: &str = "leave it out: `-- whimbrel: rebuild` suspends and restores foreign keys already";

/// Tells by its first word whether there may be something to say of a statement; there is nothing of most.
fn says_something(statement: &str) -> bool {
    let words = ["BEGIN", "COMMIT", "END", "ROLLBACK", "VACUUM", "ATTACH", "PRAGMA"];
    tokens(statement).next().is_some_and(|first| words.iter().any(|word| first.is_word(word)))
}

/// Finds where a script of these statements steps out of the transaction that it is handed, if it does.
fn way_out(sql: &str, statements: &[Range<usize>]) -> Option<Range<usize>> {
    let words: Vec<Word> = statements.iter().map(|range| word(&sql[range.clone()])).collect();
    let commit = words.iter().position(|word| *word == Word::Commit)?;
    step_out(&words).then(|| statements[commit].clone())
}

/// Where a script is a rebuild because of what it says of foreign keys, there is nothing to leave out: that is told once,
/// and of scripts of other tools, which are run as those tools mean it, not at all.
fn explain_rebuild(findings: &mut Vec<Finding>, written: bool, implied: bool) {
    if written {
        return;
    }
    let mut first = implied;
    findings.retain_mut(|finding| {
        if finding.hint != REDUNDANT {
            return true;
        }
        IMPLIED.clone_into(&mut finding.hint);
        std::mem::take(&mut first)
    });
}

/// Judges one statement that is to run inside a transaction.
fn judge(statement: &str, rebuild: bool) -> Option<(Severity, String, &'static str)> {
    // Enough for `ROLLBACK TRANSACTION TO` and for `PRAGMA schema.name = value`.
    let head: Vec<Token<'_>> = tokens(statement).filter(Token::is_significant).take(5).collect();
    let starts_with = |keyword| head.first().is_some_and(|token| token.is_word(keyword));
    if let Some(keyword) = ["BEGIN", "COMMIT", "END", "ROLLBACK"].into_iter().find(|keyword| starts_with(keyword)) {
        if keyword == "ROLLBACK" && is_rollback_to(&head) {
            return None;
        }
        let message = format!("{keyword} inside the transaction of the migration");
        return Some((Severity::Error, message, if rebuild { TRANSACTION_IN_REBUILD } else { TRANSACTION }));
    }
    if starts_with("VACUUM") {
        return Some((Severity::Error, "VACUUM does not work inside a transaction".to_owned(), OUTSIDE));
    }
    if starts_with("ATTACH") {
        let message = "a database that is attached inside a transaction stays attached until that has ended";
        return Some((Severity::Warning, message.to_owned(), OUTSIDE));
    }
    if starts_with("PRAGMA") {
        return judge_pragma(statement, &head[1..], rebuild);
    }
    None
}

fn is_rollback_to(head: &[Token<'_>]) -> bool {
    let next = usize::from(head.get(1).is_some_and(|token| token.is_word("TRANSACTION"))) + 1;
    head.get(next).is_some_and(|token| token.is_word("TO"))
}

/// Judges a pragma by what follows the keyword: `[schema .] name [= value | (value)]`.
fn judge_pragma(statement: &str, words: &[Token<'_>], rebuild: bool) -> Option<(Severity, String, &'static str)> {
    let qualified = words.get(1).is_some_and(|token| token.text == ".");
    let words = if qualified { &words[2..] } else { words };
    let name = unquoted(words.first()?).to_ascii_lowercase();
    let sets = words.get(1).is_some_and(|token| token.text == "=" || token.text == "(");
    match (name.as_str(), sets) {
        ("foreign_keys", true) => {
            let message = "PRAGMA foreign_keys has no effect inside a transaction".to_owned();
            let hint = match word(statement) {
                _ if rebuild => REDUNDANT,
                Word::KeysOn => ENFORCED,
                _ => REBUILD,
            };
            Some((Severity::Warning, message, hint))
        }
        ("journal_mode", true) => {
            let message = "PRAGMA journal_mode cannot change the mode inside a transaction".to_owned();
            Some((Severity::Warning, message, OUTSIDE))
        }
        ("synchronous", true) | ("wal_checkpoint", _) => {
            Some((Severity::Error, format!("PRAGMA {name} does not work inside a transaction"), OUTSIDE))
        }
        _ => None,
    }
}

fn unquoted<'a>(token: &Token<'a>) -> &'a str {
    match token.kind {
        TokenKind::QuotedIdentifier | TokenKind::String => token.text.trim_matches(['\'', '"', '`', '[', ']']),
        _ => token.text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(sql: &str, directives: &Directives) -> Vec<String> {
        check(sql, directives)
            .into_iter()
            .map(|finding| {
                let severity = if finding.severity == Severity::Error { 'E' } else { 'W' };
                let hint = match finding.hint.as_str() {
                    TRANSACTION => "transaction",
                    STEPS_OUT => "steps out",
                    TRANSACTION_IN_REBUILD => "rebuild opens",
                    OUTSIDE => "outside",
                    REBUILD => "rebuild",
                    REDUNDANT => "redundant",
                    ENFORCED => "enforced",
                    IMPLIED => "implied",
                    other => panic!("{other}"),
                };
                format!("{severity} {} {hint}", &sql[finding.range])
            })
            .collect()
    }

    fn normal() -> Directives {
        Directives::default()
    }

    fn none() -> Directives {
        Directives { transaction: TransactionMode::None, ..Directives::default() }
    }

    fn rebuilding() -> Directives {
        Directives { rebuild: true, ..Directives::default() }
    }

    #[test]
    fn judges_each_statement() {
        let cases: [(&str, &[&str]); 25] = [
            ("SELECT 1; UPDATE t SET a = 'BEGIN; COMMIT;' -- COMMIT;", &[]),
            ("begin immediate; SELECT 1; COMMIT;", &["E begin immediate; transaction", "E COMMIT; transaction"]),
            ("/* x */ END TRANSACTION", &["E END TRANSACTION transaction"]),
            ("ROLLBACK;ROLLBACK TRANSACTION;", &["E ROLLBACK; transaction", "E ROLLBACK TRANSACTION; transaction"]),
            ("PRAGMA foreign_keys = OFF; COMMIT; BEGIN; COMMIT; BEGIN;", &["E COMMIT; steps out"]),
            ("COMMIT; SELECT 1;", &["E COMMIT; transaction"]),
            ("SAVEPOINT a; ROLLBACK TO a; rollback transaction to a; RELEASE a;", &[]),
            ("CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END;", &[]),
            ("EXPLAIN BEGIN;", &[]),
            ("VACUUM;", &["E VACUUM; outside"]),
            ("ATTACH 'x' AS x;", &["W ATTACH 'x' AS x; outside"]),
            ("PRAGMA foreign_keys;", &[]),
            ("PRAGMA foreign_keys = OFF;", &["W PRAGMA foreign_keys = OFF; rebuild"]),
            ("PRAGMA foreign_keys = ON;", &["W PRAGMA foreign_keys = ON; enforced"]),
            ("pragma main . \"Foreign_Keys\" (0);", &["W pragma main . \"Foreign_Keys\" (0); rebuild"]),
            ("PRAGMA foreign_key_check(t);", &[]),
            ("PRAGMA journal_mode;", &[]),
            ("PRAGMA journal_mode=WAL;", &["W PRAGMA journal_mode=WAL; outside"]),
            ("PRAGMA synchronous=OFF;", &["E PRAGMA synchronous=OFF; outside"]),
            ("PRAGMA synchronous;", &[]),
            ("PRAGMA wal_checkpoint;", &["E PRAGMA wal_checkpoint; outside"]),
            ("PRAGMA user_version = 3;", &[]),
            ("PRAGMA", &[]),
            ("PRAGMA main.", &[]),
            ("", &[]),
        ];
        for (sql, expected) in cases {
            assert_eq!(shown(sql, &normal()), expected, "{sql:?}");
            assert!(check(sql, &none()).is_empty(), "{sql:?}");
        }
    }

    #[test]
    fn tells_once_what_made_a_script_a_rebuild_and_not_of_other_tools() {
        let sql = "PRAGMA foreign_keys = off; SELECT 1; PRAGMA foreign_keys = on;";
        assert!(shown(sql, &rebuilding()).is_empty());
        let implied = Directives { implied_rebuild: true, ..rebuilding() };
        assert_eq!(shown(sql, &implied), ["W PRAGMA foreign_keys = off; implied"]);
    }

    #[test]
    fn knows_what_a_rebuild_does_itself() {
        assert_eq!(
            shown("-- whimbrel: rebuild\nPRAGMA foreign_keys=0; BEGIN; SELECT 1; COMMIT;", &rebuilding()),
            ["W PRAGMA foreign_keys=0; redundant", "E BEGIN; rebuild opens", "E COMMIT; rebuild opens"]
        );
    }
}
