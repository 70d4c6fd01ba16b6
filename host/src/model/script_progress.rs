//! How far a script outside a transaction came.

use std::ops::Range;

use super::{Checksum, Script, TransactionMode};
use crate::sql;

/// How far a script outside a transaction came, statement by statement.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ScriptProgress {
    /// Checksums of the statements that were run, in order; see [`Script::statements`].
    pub done: Vec<Checksum>,
    /// Nobody can tell whether the next statement was run: it works in no transaction.
    pub unknown: bool,
    /// What was run has made temporary tables, which are gone with their connection.
    pub temporary: bool,
}

/// What a script is to what was run of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Resumption {
    /// It goes on after what was run.
    Next,
    /// Somebody has to look: it cannot be told what was run, or it cannot be gone on with.
    Unknown,
    /// A statement that was run is another one now, or gone; counted from 0.
    Changed(usize),
}

impl ScriptProgress {
    /// Tells whether a script could go on after what was run, if that is still the same.
    pub fn can_go_on(&self) -> bool {
        !self.unknown && !self.temporary
    }

    /// Tells how a script goes on.
    pub(crate) fn resume(&self, script: &Script) -> Resumption {
        if !self.can_go_on() {
            return Resumption::Unknown;
        }
        if script.directives.transaction != TransactionMode::None {
            return Resumption::Changed(0);
        }
        let statements = script.statements();
        let mut done = self.done.iter().enumerate();
        let changed = done.find(|(index, sum)| statements.get(*index).is_none_or(|(_, now)| now != *sum));
        changed.map_or(Resumption::Next, |(index, _)| Resumption::Changed(index))
    }
}

impl Script {
    /// Returns where each of its statements stands in the file, with the checksum that forgives blanks and comments.
    pub fn statements(&self) -> Vec<(Range<usize>, Checksum)> {
        let statement = |range: Range<usize>| {
            let place = self.origin(range);
            let mut builder = Checksum::builder();
            let plain = sql::Directives::default();
            sql::normalise(&self.text[place.clone()], &plain, |piece| builder.update(piece.as_bytes()));
            (place, builder.finish())
        };
        sql::statements(self.runs()).map(statement).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_on_only_after_the_same_statements() {
        let script = |text: &str| {
            let text = format!("-- whimbrel: transaction = none\n{text}");
            let directives = sql::directives(&text).expect("directives");
            Script::new("x.sql", text.into(), directives)
        };
        let sums = |text: &str| script(text).statements().into_iter().map(|(_, sum)| sum).collect();
        let progress = ScriptProgress { done: sums("SELECT 1; SELECT 2;"), ..ScriptProgress::default() };
        for (text, expected) in [
            ("SELECT 1; SELECT 2; SELECT 3;", Resumption::Next),
            ("SELECT 1;\n-- words\nSELECT  2 ; SELECT 4;", Resumption::Next),
            ("SELECT 1; SELECT 2;", Resumption::Next),
            ("SELECT 1; SELECT 5; SELECT 3;", Resumption::Changed(1)),
            ("SELECT 0; SELECT 1; SELECT 2;", Resumption::Changed(0)),
            ("SELECT 1;", Resumption::Changed(1)),
        ] {
            assert_eq!(progress.resume(&script(text)), expected, "{text}");
        }
        let inside = Script::new("x.sql", "SELECT 1; SELECT 2;".into(), sql::Directives::default());
        assert_eq!(progress.resume(&inside), Resumption::Changed(0));
        let unknown = ScriptProgress { unknown: true, ..progress };
        assert_eq!(unknown.resume(&script("SELECT 1; SELECT 2;")), Resumption::Unknown);
    }
}
