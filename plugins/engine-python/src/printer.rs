//! Takes what scripts print, and writes it into the host's log line by line.

use std::borrow::Cow;

use monty_types::{MontyException, PrintWriterCallback};

use crate::bindings::whimbrel::migration::log::{self, Level};

/// A line with more bytes is cut into pieces.
const LONGEST: usize = 16 << 10;

/// What was printed and has not ended its line.
#[derive(Default)]
pub(crate) struct Printer {
    line: String,
}

impl Printer {
    /// Writes what is left.
    pub(crate) fn flush(&mut self) {
        if !self.line.is_empty() {
            log::write(Level::Info, &std::mem::take(&mut self.line));
        }
    }

    /// Adds to the line. Something is left after a cut, so that no empty line follows it.
    fn add(&mut self, text: &str) {
        let mut rest = text;
        while self.line.len() + rest.len() > LONGEST {
            let (piece, after) = rest.split_at(rest.floor_char_boundary(LONGEST - self.line.len()));
            self.line.push_str(piece);
            self.end();
            rest = after;
        }
        self.line.push_str(rest);
    }

    fn end(&mut self) {
        log::write(Level::Info, &self.line);
        self.line.clear();
    }
}

impl PrintWriterCallback for Printer {
    fn stdout_write(&mut self, output: Cow<'_, str>) -> Result<(), MontyException> {
        for (index, piece) in output.split('\n').enumerate() {
            if index > 0 {
                self.end();
            }
            self.add(piece);
        }
        Ok(())
    }

    fn stdout_push(&mut self, end: char) -> Result<(), MontyException> {
        if end == '\n' {
            self.end();
        } else {
            self.add(end.encode_utf8(&mut [0; 4]));
        }
        Ok(())
    }
}
