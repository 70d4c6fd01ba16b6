//! What is wrong with the files of a source.

use std::fmt;

use crate::shown::Shown;
use crate::sql;

/// One thing that is wrong with one file.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Problem {
    /// What to call the file in messages.
    pub file: String,
    /// The line, from 1, if it is in the text.
    pub line: Option<u32>,
    /// The character of the line, from 1.
    pub column: Option<u32>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// What kind of problem it is.
    pub kind: ProblemKind,
}

/// What is wrong with a file, to branch on.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum ProblemKind {
    /// Its name, its contents, or what it is.
    #[default]
    File,
    /// It claims a version, or the name of a repeatable migration, that another one has.
    DuplicateVersion,
}

impl ProblemKind {
    /// Returns one word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "source",
            Self::DuplicateVersion => "duplicate-version",
        }
    }
}

/// Everything that is wrong with a source.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SourceError {
    /// The problems, ordered by file and place; at least one.
    pub problems: Vec<Problem>,
    /// Reading was stopped from outside, and nothing is wrong otherwise.
    pub interrupted: bool,
}

impl Problem {
    /// Makes a problem of a whole file.
    pub fn of_file(file: impl Into<String>, message: impl Into<String>, hint: Option<String>) -> Self {
        Self { file: file.into(), line: None, column: None, message: message.into(), hint, kind: ProblemKind::File }
    }

    /// Makes a problem of the place in `text` where the byte `offset` stands.
    pub fn at(file: impl Into<String>, text: &str, offset: usize, message: String, hint: Option<String>) -> Self {
        let sql::Position { line, column } = sql::locate(text, offset);
        Self { line: Some(line), column: Some(column), ..Self::of_file(file, message, hint) }
    }
}

impl SourceError {
    /// Orders the problems.
    pub(crate) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort();
        Self { problems, interrupted: false }
    }

    /// Says that a place was not read to its end because somebody stopped it.
    #[cfg(feature = "http")]
    pub(super) fn stopped(place: impl Into<String>) -> Self {
        let problem = Problem::of_file(place, "was not read to its end: interrupted", None);
        Self { problems: vec![problem], interrupted: true }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", Shown(&self.file))?;
        for number in [self.line, self.column].into_iter().flatten() {
            write!(formatter, ":{number}")?;
        }
        write!(formatter, ": {}", self.message)
    }
}

impl fmt::Display for SourceError {
    /// Writes one line for each problem.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            let separator = if i == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SourceError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_in_order() {
        let whole = Problem::of_file("b.sql", "is empty", None);
        let at = |offset| Problem::at("a.sql", "x\nyz", offset, format!("byte {offset}"), None);
        let error = SourceError::new(vec![whole, at(3), at(0)]);
        assert_eq!(error.to_string(), "a.sql:1:1: byte 0\na.sql:2:2: byte 3\nb.sql: is empty");
    }
}
