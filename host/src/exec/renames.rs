//! What tables were called before a script has renamed them: what was wrong with one is no news under its new name.

use super::prepare::PreparedStep;
use crate::model::Script;
use crate::sql::{self, Token};

/// Tables that scripts rename, in their order: what each was called, and what it is called then.
#[derive(Debug, Default)]
pub(super) struct Renames(Vec<(String, String)>);

impl Renames {
    /// Reads them in the scripts of some steps. What code renames is not known.
    pub(super) fn of<'a>(steps: impl IntoIterator<Item = &'a PreparedStep>) -> Self {
        Self::read(steps.into_iter().filter_map(|step| step.step.script()).map(Script::runs))
    }

    pub(super) fn read<'a>(scripts: impl Iterator<Item = &'a str>) -> Self {
        let one = |script: &'a str| {
            sql::statements(script).filter_map(|range| {
                let tokens = significant(&script[range])?;
                let at = renamed(&tokens)?;
                Some((tokens.get(at.checked_sub(1)?)?.name()?, tokens.get(at + 2)?.name()?))
            })
        };
        Self(scripts.flat_map(one).collect())
    }

    /// Tells whether a table may be one that was called so.
    pub(super) fn is_same(&self, before: &str, now: &str) -> bool {
        before.eq_ignore_ascii_case(now) || self.before(now).eq_ignore_ascii_case(before)
    }

    fn before<'a>(&'a self, now: &'a str) -> &'a str {
        let renamed = self.0.iter().rev();
        renamed.fold(now, |name, (from, to)| if to.eq_ignore_ascii_case(name) { from } else { name })
    }
}

/// Tells whether a statement renames a table.
pub(super) fn renames_table(statement: &str) -> bool {
    significant(statement).is_some_and(|tokens| renamed(&tokens).is_some())
}

/// Returns the tokens of a statement that begins as one which renames does; of the many others none are gathered.
fn significant(statement: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = sql::tokens(statement).filter(Token::is_significant).peekable();
    tokens.next_if(|token| token.is_word("ALTER")).map(|alter| std::iter::once(alter).chain(tokens).collect())
}

/// Finds the word RENAME in a statement that renames a table.
fn renamed(tokens: &[Token<'_>]) -> Option<usize> {
    let mut pairs = tokens.windows(2).enumerate();
    pairs.find(|(_, pair)| pair[0].is_word("RENAME") && pair[1].is_word("TO")).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_which_statements_rename_a_table() {
        assert!(renames_table("-- x\nALTER TABLE a RENAME TO b"));
        assert!(!renames_table("ALTER TABLE a RENAME COLUMN b TO c") && !renames_table("SELECT 1"));
    }

    #[test]
    fn knows_what_a_table_was_called() {
        let script = "ALTER TABLE main.\"a b\" RENAME TO c; DROP TABLE x; ALTER TABLE c RENAME TO D;";
        let renames = Renames::read([script, "ALTER TABLE t_new RENAME TO t"].into_iter());
        for (before, now, expected) in [
            ("a b", "d", true),
            ("A B", "D", true),
            ("e", "e", true),
            ("c", "d", false),
            ("a b", "e", false),
            // A rebuilt one has its old name again.
            ("t", "t", true),
        ] {
            assert_eq!(renames.is_same(before, now), expected, "{before} {now}");
        }
    }
}
