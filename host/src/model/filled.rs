//! A script with its values put in, and where each part of that stands in the file. Never shows a value.

use std::fmt;
use std::ops::Range;

use crate::db::DbError;

/// A script with its values put in.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Filled {
    text: String,
    pieces: Vec<Piece>,
    /// Values that there were none for.
    pub(crate) missing: Vec<MissingValue>,
    /// The moment that it asks for, so that it is another one in every run.
    pub(crate) moment: Option<String>,
}

/// A value that was put in.
#[derive(Clone, Eq, PartialEq)]
struct Piece {
    /// Its bytes in the text.
    at: Range<usize>,
    /// What it stands for in the file.
    from: Range<usize>,
}

/// A value that there is none for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MissingValue {
    /// The bytes of the file where it should stand.
    pub range: Range<usize>,
    /// What it is called.
    pub name: String,
    /// Why there is none.
    pub reason: NoValue,
}

impl fmt::Display for MissingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.reason {
            NoValue::NotSet => write!(f, "there is no value for {name}"),
            NoValue::NotForThisChain => write!(f, "there is no value for {name} among those of its chain"),
            NoValue::Variable { variable } => {
                write!(f, "there is no value for {name}: the variable {variable} is not set")
            }
            NoValue::Environment => {
                write!(f, "it asks for the variable {name} of the environment, which it is not given")
            }
            NoValue::Form => write!(f, "`${{{name}` begins a form that is not read"),
            NoValue::Told { message } => write!(f, "there is no value for {name}: {}", message.escape_debug()),
        }
    }
}

/// Why there is no value.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum NoValue {
    /// Nobody has said it.
    NotSet,
    /// The chain is not trusted with the values of others, and has none of its own.
    NotForThisChain,
    /// It is to be taken from a variable of the environment, which is not set.
    Variable {
        /// Name of the variable.
        variable: String,
    },
    /// The script asks for the environment itself, and it is not for this chain or this program to give.
    Environment,
    /// It stands in a form of another tool that is not read here.
    Form,
    /// The script says why itself.
    Told {
        /// Its words.
        message: String,
    },
}

impl Filled {
    /// Returns what is to be run.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Appends a part of the file as it is.
    pub(super) fn keep(&mut self, part: &str) {
        self.text.push_str(part);
    }

    /// Appends a value in the place of a part of the file.
    pub(super) fn put(&mut self, value: &str, from: Range<usize>) {
        let start = self.text.len();
        self.text.push_str(value);
        self.pieces.push(Piece { at: start..self.text.len(), from });
    }

    /// Returns where in the file these bytes of the text come from.
    pub(crate) fn origin(&self, range: &Range<usize>) -> Range<usize> {
        let start = match self.before(range.start) {
            Some(piece) if range.start < piece.at.end => piece.from.start,
            Some(piece) => piece.from.end + (range.start - piece.at.end),
            None => range.start,
        };
        let end = match self.before(range.end.saturating_sub(1)) {
            Some(piece) if range.end <= piece.at.end => piece.from.end,
            Some(piece) => piece.from.end + (range.end - piece.at.end),
            None => range.end,
        };
        start..end.max(start)
    }

    /// Returns the last value that begins at or before a byte of the text.
    fn before(&self, at: usize) -> Option<&Piece> {
        let next = self.pieces.partition_point(|piece| piece.at.start <= at);
        // One that is empty takes no byte, so that none can lie in it.
        self.pieces[..next].last()
    }

    /// Returns a statement as it stands in the file, so that its values are not shown.
    pub(crate) fn as_written(&self, file: &str, statement: &str) -> String {
        match self.text.find(statement) {
            Some(at) => file.get(self.origin(&(at..at + statement.len()))).unwrap_or_default().to_owned(),
            None => self.masked(file, statement),
        }
    }

    /// Puts the names back where a message has values: whole ones, and words of them that nobody could guess.
    pub(crate) fn masked(&self, file: &str, message: &str) -> String {
        let mut secrets: Vec<(&str, &str)> = Vec::new();
        for piece in &self.pieces {
            let (value, name) = (&self.text[piece.at.clone()], file.get(piece.from.clone()).unwrap_or("${…}"));
            let part = |inner: &str| {
                // Both are of one text, so that the distance tells the place.
                let start = piece.at.start + (inner.as_ptr() as usize - value.as_ptr() as usize);
                start..start + inner.len()
            };
            let words = value.split(|c: char| !is_word(c)).filter(|word| !word.is_empty()).map(part);
            let inside = part(value.trim_matches(['\'', '"', '`']));
            for (is_whole, at) in
                [(true, piece.at.clone()), (true, inside)].into_iter().chain(words.map(|at| (false, at)))
            {
                // It may be a part of a word only, as in `${tenant}_note`: then the word goes as it stands in the file.
                let word = self.word_around(&at);
                let is_short = !is_whole && at.len() < 4;
                if is_short && word == at {
                    continue;
                }
                if !is_short {
                    secrets.push((&self.text[at], name));
                }
                let written = file.get(self.origin(&word)).unwrap_or(name);
                secrets.push((&self.text[word], written));
            }
        }
        // A value may be empty, and would be found everywhere.
        secrets.retain(|(value, _)| !value.is_empty());
        secrets.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        secrets.dedup();
        let mut shown = String::with_capacity(message.len());
        let mut rest = message;
        'next: while let Some(first) = rest.chars().next() {
            let begins = shown.chars().next_back().is_none_or(|before| !is_word(before));
            for (value, name) in &secrets {
                let Some(after) = rest.strip_prefix(*value) else { continue };
                let starts = begins || !value.starts_with(is_word);
                let ends = !value.ends_with(is_word) || !after.starts_with(is_word);
                if starts && ends {
                    shown.push_str(name);
                    rest = after;
                    continue 'next;
                }
            }
            shown.push(first);
            rest = &rest[first.len_utf8()..];
        }
        shown
    }

    /// Widens a part of the text to the ends of the words that it begins and ends with.
    fn word_around(&self, part: &Range<usize>) -> Range<usize> {
        let (before, inside, after) = (&self.text[..part.start], &self.text[part.clone()], &self.text[part.end..]);
        let left = if inside.starts_with(is_word) { before.len() - before.trim_end_matches(is_word).len() } else { 0 };
        let right = if inside.ends_with(is_word) { after.len() - after.trim_start_matches(is_word).len() } else { 0 };
        part.start - left..part.end + right
    }

    /// Tells an error in a statement of the text as one in the file: `statement` is made that of the file.
    pub(crate) fn error_as_written(&self, file: &str, statement: &mut Range<usize>, error: &mut DbError) {
        let origin = self.origin(statement);
        if let Some(offset) = error.offset.and_then(|offset| usize::try_from(offset).ok()) {
            let at = statement.start.saturating_add(offset);
            let place = self.origin(&(at..at + 1)).start.saturating_sub(origin.start);
            error.offset = u32::try_from(place).ok();
        }
        error.message = self.masked(file, &error.message);
        for (_, detail) in &mut error.details {
            *detail = self.masked(file, detail);
        }
        *statement = origin;
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

impl fmt::Debug for Filled {
    /// Leaves the text out: it has the values in it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Filled").field("values", &self.pieces.len()).field("missing", &self.missing).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(file: &str, values: &[(&str, &str)]) -> Filled {
        let mut filled = Filled::default();
        let mut end = 0;
        for (slot, value) in values {
            let start = end + file[end..].find(slot).expect("the slot");
            filled.keep(&file[end..start]);
            end = start + slot.len();
            filled.put(value, start..end);
        }
        filled.keep(&file[end..]);
        filled
    }

    #[test]
    fn finds_its_way_back_to_the_file() {
        let file = "SELECT ${a}, x${b}y FROM ${c}z;";
        let filled = filled(file, &[("${a}", "'long value'"), ("${b}", ""), ("${c}", "t")]);
        assert_eq!(filled.text(), "SELECT 'long value', xy FROM tz;");
        for (part, origin) in [
            ("SELECT", "SELECT"),
            ("long", "${a}"),
            ("'long value'", "${a}"),
            ("', x", "${a}, x"),
            ("xy", "x${b}y"),
            ("y FROM", "y FROM"),
            ("tz;", "${c}z;"),
            ("z;", "z;"),
        ] {
            let at = filled.text().find(part).expect("the part");
            assert_eq!(&file[filled.origin(&(at..at + part.len()))], origin, "{part}");
        }
        assert_eq!(filled.as_written(file, "xy FROM tz"), "x${b}y FROM ${c}z");
        assert_eq!(filled.origin(&(0..filled.text().len())), 0..file.len());
    }

    #[test]
    fn shows_no_value_in_messages() {
        let file = "${table} ${secret} ${one}";
        let filled = filled(file, &[("${table}", "customers"), ("${secret}", "'my hunter2'"), ("${one}", "1")]);
        for (message, shown) in [
            ("no such table: customers", "no such table: ${table}"),
            ("no such table: main.customers_old", "no such table: main.customers_old"),
            ("near \"hunter2\": syntax error", "near \"${secret}\": syntax error"),
            ("11 values for 1 columns", "11 values for ${one} columns"),
        ] {
            assert_eq!(filled.masked(file, message), shown);
        }
        assert!(!format!("{filled:?}").contains("hunter2"));
    }

    #[test]
    fn shows_no_value_that_is_a_part_of_a_word() {
        let file = "${a}_note, x${b}${a}z, $${b}$";
        let filled = filled(file, &[("${a}", "hunter2"), ("${b}", "s3"), ("${a}", "hunter2"), ("${b}", "s3")]);
        for (message, shown) in [
            ("no such table: hunter2_note", "no such table: ${a}_note"),
            ("no such table: main.xs3hunter2z", "no such table: main.x${b}${a}z"),
            ("near \"hunter2\"", "near \"${a}\""),
            ("as3 is no s3", "as3 is no ${b}"),
        ] {
            assert_eq!(filled.masked(file, message), shown);
        }
        let short = self::filled("DROP TABLE t_${v};", &[("${v}", "ab c1")]);
        assert_eq!(short.masked("DROP TABLE t_${v};", "no such table: t_ab, ab"), "no such table: t_${v}, ab");
        let file = "SELECT t_${v}, ${empty} FRM";
        let filled = self::filled(file, &[("${v}", "hunter2-word"), ("${empty}", "")]);
        assert_eq!(filled.masked(file, "no such column: t_hunter2"), "no such column: t_${v}");
        assert_eq!(filled.masked(file, "near \"FRM\""), "near \"FRM\"");
    }

    #[test]
    fn tells_an_error_as_one_in_the_file() {
        let file = "SELECT 1;\nSELECT ${a} FRM x;";
        let filled = filled(file, &[("${a}", "'a long secret'")]);
        let start = filled.text().rfind("SELECT").expect("statement");
        let mut statement = start..filled.text().len();
        let offset = filled.text().find("FRM").and_then(|at| u32::try_from(at - start).ok());
        let mut error = DbError { offset, ..DbError::new(crate::db::ErrorCode::Syntax, "near \"FRM\"") };
        filled.error_as_written(file, &mut statement, &mut error);
        assert_eq!(&file[statement.clone()], "SELECT ${a} FRM x;");
        assert!(file[statement.start + error.offset.expect("offset") as usize..].starts_with("FRM"));
    }
}
