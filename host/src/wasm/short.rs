//! What short calls of SQL functions hand over by value: the form of `functions.md`, on the host's side.

use wasmtime::component::{ComponentType, Lift, Lower};

use crate::db::Cell;

/// Bytes that are handed over.
const SIZE: usize = 64;
/// Where the bytes of an answer begin.
const START: usize = 8;

const NULL: u8 = 0;
const INTEGER: u8 = 1;
const REAL: u8 = 2;
const TEXT: u8 = 3;
const BLOB: u8 = 4;
const BOOLEAN: u8 = 5;
const LONG: u8 = 255;

/// The bytes, as they cross.
#[derive(Clone, Copy, ComponentType, Lift, Lower)]
#[component(record)]
pub(super) struct Words {
    w0: u64,
    w1: u64,
    w2: u64,
    w3: u64,
    w4: u64,
    w5: u64,
    w6: u64,
    w7: u64,
}

/// The bytes, as they are read and written.
pub(super) struct Bytes([u8; SIZE]);

impl From<Words> for Bytes {
    fn from(words: Words) -> Self {
        let Words { w0, w1, w2, w3, w4, w5, w6, w7 } = words;
        let words = [w0, w1, w2, w3, w4, w5, w6, w7];
        let mut bytes = [0; SIZE];
        bytes.as_chunks_mut().0.iter_mut().zip(words).for_each(|(bytes, word)| *bytes = word.to_le_bytes());
        Self(bytes)
    }
}

impl From<Bytes> for Words {
    fn from(bytes: Bytes) -> Self {
        let mut words = [0; SIZE / 8];
        words.iter_mut().zip(bytes.0.as_chunks().0).for_each(|(word, bytes)| *word = u64::from_le_bytes(*bytes));
        let [w0, w1, w2, w3, w4, w5, w6, w7] = words;
        Self { w0, w1, w2, w3, w4, w5, w6, w7 }
    }
}

/// Writes the arguments of a call; none if they do not fit.
pub(super) fn arguments(cells: &[Cell<'_>]) -> Option<Bytes> {
    let mut bytes = [0; SIZE];
    let mut at = 0;
    let mut put = |part: &[u8]| {
        bytes.get_mut(at..)?.get_mut(..part.len())?.copy_from_slice(part);
        at += part.len();
        Some(())
    };
    put(&[u8::try_from(cells.len()).ok()?])?;
    for cell in cells {
        match *cell {
            Cell::Null => put(&[NULL])?,
            Cell::Boolean(value) => put(&[BOOLEAN, u8::from(value)])?,
            Cell::Integer(value) => put(&[INTEGER]).and_then(|()| put(&value.to_le_bytes()))?,
            Cell::Real(value) => put(&[REAL]).and_then(|()| put(&value.to_le_bytes()))?,
            Cell::Text(text) => put(&[TEXT, u8::try_from(text.len()).ok()?]).and_then(|()| put(text.as_bytes()))?,
            Cell::Blob(blob) => put(&[BLOB, u8::try_from(blob.len()).ok()?]).and_then(|()| put(blob))?,
        }
    }
    Some(Bytes(bytes))
}

/// What a guest answered.
#[derive(Debug, PartialEq)]
pub(super) enum Answer<'a> {
    /// This.
    Cell(Cell<'a>),
    /// It is longer, or an error, and has to be asked for.
    Long,
}

impl Bytes {
    /// Reads an answer. On failure says what is wrong with it.
    pub(super) fn answer(&self) -> Result<Answer<'_>, String> {
        let ([kind, size, ..], rest) = self.0.split_first_chunk::<START>().expect("it is longer");
        let word = || *rest.first_chunk().expect("it is longer than a word");
        let run = || {
            let run = rest.get(..usize::from(*size));
            run.ok_or_else(|| format!("{size} bytes do not fit into {}", rest.len()))
        };
        Ok(Answer::Cell(match *kind {
            NULL => Cell::Null,
            INTEGER => Cell::Integer(i64::from_le_bytes(word())),
            REAL => Cell::Real(f64::from_le_bytes(word())),
            TEXT => {
                let text = str::from_utf8(run()?);
                Cell::Text(text.map_err(|error| format!("byte {} of a text is not UTF-8", error.valid_up_to()))?)
            }
            BLOB => Cell::Blob(run()?),
            BOOLEAN => match rest[0] {
                0 => Cell::Boolean(false),
                1 => Cell::Boolean(true),
                other => return Err(format!("a boolean is {other}")),
            },
            LONG => return Ok(Answer::Long),
            other => return Err(format!("there is no kind {other}")),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(form: &[u8]) -> Bytes {
        let mut bytes = [0; SIZE];
        bytes[..form.len()].copy_from_slice(form);
        // They cross as words.
        Bytes::from(Words::from(Bytes(bytes)))
    }

    #[test]
    fn writes_arguments_that_fit() {
        let cells = [
            Cell::Integer(-2),
            Cell::Real(1.5),
            Cell::Text("é!"),
            Cell::Blob(&[255]),
            Cell::Boolean(true),
            Cell::Null,
            Cell::Text(""),
        ];
        let form = b"\x07\x01\xfe\xff\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\0\0\xf8\x3f\x03\x03\xc3\xa9!\x04\x01\xff\
            \x05\x01\0\x03\0";
        assert_eq!(arguments(&cells).unwrap().0, bytes(form).0);
        let text = "x".repeat(SIZE);
        assert_eq!(arguments(&[Cell::Text(&text[..SIZE - 3])]).unwrap().0[..4], [1, 3, 61, b'x']);
        assert!(arguments(&[Cell::Text(&text[..SIZE - 2])]).is_none());
        assert!(arguments(&[Cell::Blob(&[0; 1000])]).is_none());
        assert!(arguments(&[Cell::Null; SIZE - 1]).is_some() && arguments(&[Cell::Null; SIZE]).is_none());
        assert!(arguments(&[Cell::Integer(1); 7]).is_some() && arguments(&[Cell::Integer(1); 8]).is_none());
    }

    #[test]
    fn reads_answers_and_says_what_is_wrong_with_them() {
        let answer = |code: u8, size: u8, rest: &[u8]| bytes(&[&[code, size, 9, 9, 9, 9, 9, 9], rest].concat());
        let cells: [(u8, u8, &[u8], Cell<'_>); 7] = [
            (0, 9, b"rest", Cell::Null),
            (1, 0, b"\xfe\xff\xff\xff\xff\xff\xff\xff", Cell::Integer(-2)),
            (2, 0, b"\0\0\0\0\0\0\xf8\x3f", Cell::Real(1.5)),
            (3, 2, "é rest".as_bytes(), Cell::Text("é")),
            (4, 1, &[255], Cell::Blob(&[255])),
            (4, 56, &[], Cell::Blob(&[0; 56])),
            (5, 0, &[1, 9], Cell::Boolean(true)),
        ];
        for (code, size, rest, expected) in cells {
            assert_eq!(answer(code, size, rest).answer(), Ok(Answer::Cell(expected)), "{code}");
        }
        assert_eq!(answer(255, 1, b"rest").answer(), Ok(Answer::Long));
        let wrong: [(u8, u8, &[u8], &str); 5] = [
            (6, 0, &[], "there is no kind 6"),
            (5, 1, &[2], "a boolean is 2"),
            (3, 57, &[], "57 bytes do not fit into 56"),
            (4, 255, &[], "255 bytes do not fit into 56"),
            (3, 3, b"a\xc3b", "byte 1 of a text is not UTF-8"),
        ];
        for (code, size, rest, expected) in wrong {
            assert_eq!(answer(code, size, rest).answer(), Err(expected.to_owned()), "{code}");
        }
    }
}
