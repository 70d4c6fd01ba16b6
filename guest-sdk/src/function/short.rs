//! What is handed over by value: the form of `functions.md`, on the guest's side.

use whimbrel_packed::Cell;

use super::Answer;
use crate::error::Result;

/// Words that are handed over.
const WORDS: usize = 8;
/// Most bytes of a text or a blob in an answer: all but the first word.
const ROOM: usize = 8 * (WORDS - 1);

const NULL: u8 = 0;
const INTEGER: u8 = 1;
const REAL: u8 = 2;
const TEXT: u8 = 3;
const BLOB: u8 = 4;
const BOOLEAN: u8 = 5;
const LONG: u8 = 255;

/// Reads arguments one by one.
pub(super) struct Arguments<'a> {
    left: usize,
    rest: &'a [u8],
}

/// Reads the arguments of a call. The host writes them: what is not in the form ends the component.
#[inline(always)]
pub(super) fn arguments(bytes: &[u8]) -> Arguments<'_> {
    Arguments { left: usize::from(bytes[0]), rest: &bytes[1..] }
}

impl<'a> Arguments<'a> {
    #[inline(always)]
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(count);
        self.rest = rest;
        taken
    }

    #[inline(always)]
    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    #[inline(always)]
    fn word(&mut self) -> [u8; 8] {
        let (word, rest) = self.rest.split_first_chunk().expect("the host writes whole words");
        self.rest = rest;
        *word
    }

    /// Counts those that are left.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.left
    }
}

impl<'a> Iterator for Arguments<'a> {
    type Item = Cell<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Cell<'a>> {
        self.left = self.left.checked_sub(1)?;
        Some(match self.byte() {
            INTEGER => Cell::Integer(i64::from_le_bytes(self.word())),
            REAL => Cell::Real(f64::from_le_bytes(self.word())),
            TEXT => {
                let length = usize::from(self.byte());
                // SAFETY: the host writes texts in UTF-8 only, as it does for a `string` of the contract, whose bytes the
                // generated bindings do not look at either.
                Cell::Text(unsafe { str::from_utf8_unchecked(self.take(length)) })
            }
            BLOB => {
                let length = usize::from(self.byte());
                Cell::Blob(self.take(length))
            }
            BOOLEAN => Cell::Boolean(self.byte() != 0),
            _ => Cell::Null,
        })
    }
}

/// Writes an answer. One that is too long, or an error, it only tells to be so.
#[inline(always)]
pub(super) fn answer(answer: &Result<Answer>) -> [u64; WORDS] {
    let number = |code: u8, word: u64| [u64::from(code), word, 0, 0, 0, 0, 0, 0];
    match answer {
        Ok(Answer::Null) => number(NULL, 0),
        Ok(Answer::Boolean(value)) => number(BOOLEAN, u64::from(*value)),
        Ok(Answer::Integer(value)) => number(INTEGER, value.cast_unsigned()),
        Ok(Answer::Real(value)) => number(REAL, value.to_bits()),
        Ok(Answer::Text(text)) if text.len() <= ROOM => run(TEXT, text.as_bytes()),
        Ok(Answer::Blob(blob)) if blob.len() <= ROOM => run(BLOB, blob),
        Ok(Answer::Text(_) | Answer::Blob(_)) | Err(_) => number(LONG, 0),
    }
}

/// Tells whether there is more of an answer than was written.
#[inline(always)]
pub(super) fn is_long(words: &[u64; WORDS]) -> bool {
    words[0] == u64::from(LONG)
}

/// Writes a run of bytes, word by word: to copy it as it is would be a call of the host's.
#[inline(always)]
fn run(code: u8, mut bytes: &[u8]) -> [u64; WORDS] {
    let mut words = [0; WORDS];
    words[0] = u64::from(code) | (bytes.len() as u64) << 8;
    for word in &mut words[1..] {
        let Some((whole, rest)) = bytes.split_first_chunk() else {
            *word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
            break;
        };
        *word = u64::from_le_bytes(*whole);
        bytes = rest;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_arguments_of_every_kind() {
        let form = b"\x07\x01\xfe\xff\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\0\0\xf8\x3f\x03\x03\xc3\xa9!\x04\x01\xff\
            \x05\x01\0\x03\0";
        let mut bytes = [0; 8 * WORDS];
        bytes[..form.len()].copy_from_slice(form);
        let arguments = arguments(&bytes);
        assert_eq!(arguments.len(), 7);
        let expected = [
            Cell::Integer(-2),
            Cell::Real(1.5),
            Cell::Text("é!"),
            Cell::Blob(&[255]),
            Cell::Boolean(true),
            Cell::Null,
            Cell::Text(""),
        ];
        assert_eq!(arguments.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn writes_answers_that_fit() {
        let begins = |given: Answer, head: [u8; 2], rest: &[u8]| {
            let bytes = answer(&Ok(given)).map(u64::to_le_bytes);
            let bytes = bytes.as_flattened();
            bytes.starts_with(&head)
                && bytes[8..].starts_with(rest)
                && bytes[8 + rest.len()..].iter().all(|&byte| byte == 0)
        };
        assert!(begins(Answer::Null, [0, 0], &[]));
        assert!(begins(Answer::Integer(-2), [1, 0], b"\xfe\xff\xff\xff\xff\xff\xff\xff"));
        assert!(begins(Answer::Real(1.5), [2, 0], b"\0\0\0\0\0\0\xf8\x3f"));
        assert!(begins(Answer::Boolean(true), [5, 0], &[1]));
        for length in 0..=ROOM {
            let text: String = ('0'..='z').take(length).collect();
            assert!(begins(Answer::Text(text.clone()), [3, length as u8], text.as_bytes()), "{text}");
            assert!(begins(Answer::Blob(text.clone().into()), [4, length as u8], text.as_bytes()), "{text}");
        }
        for long in [Ok(Answer::Text("x".repeat(57))), Ok(Answer::Blob(vec![0; 57])), Err(crate::Error::msg("no"))] {
            assert!(is_long(&answer(&long)), "{long:?}");
        }
        assert!(!is_long(&answer(&Ok(Answer::Integer(255)))));
    }
}
