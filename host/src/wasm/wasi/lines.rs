//! Cuts what a guest prints into lines for the log. Knows no log.

/// Longest line; a longer one is cut.
const LINE_BYTES: usize = 16 << 10;

/// Where a guest prints to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::wasm) enum Output {
    /// Standard output.
    Standard,
    /// Standard error.
    Error,
}

/// What was printed since the last end of a line.
#[derive(Debug, Default)]
pub(in crate::wasm) struct Lines {
    standard: Vec<u8>,
    error: Vec<u8>,
}

impl Lines {
    /// Takes printed bytes and hands over the lines they complete.
    pub(in crate::wasm) fn print(&mut self, output: Output, bytes: &[u8], mut line: impl FnMut(String)) {
        let pending = self.pending(output);
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let mut part = part;
            while pending.len() + part.len() > LINE_BYTES {
                let (now, later) = part.split_at(LINE_BYTES - pending.len());
                pending.extend_from_slice(now);
                line(take(pending));
                part = later;
            }
            pending.extend_from_slice(part);
            if part.ends_with(b"\n") {
                line(take(pending));
            }
        }
    }

    /// Hands over a line that was not ended.
    pub(in crate::wasm) fn end(&mut self, output: Output, line: impl FnOnce(String)) {
        let pending = self.pending(output);
        if !pending.is_empty() {
            line(take(pending));
        }
    }

    fn pending(&mut self, output: Output) -> &mut Vec<u8> {
        match output {
            Output::Standard => &mut self.standard,
            Output::Error => &mut self.error,
        }
    }
}

fn take(pending: &mut Vec<u8>) -> String {
    let text = String::from_utf8_lossy(pending).trim_end_matches(['\n', '\r']).to_owned();
    pending.clear();
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_at_line_ends_and_after_too_many_bytes() {
        let mut lines = Lines::default();
        let mut seen = Vec::new();
        for piece in ["a", "b\nc", "", "\r\n\nend"] {
            lines.print(Output::Standard, piece.as_bytes(), |line| seen.push(line));
        }
        lines.print(Output::Error, b"other", |line| seen.push(line));
        assert_eq!(seen, ["ab", "c", ""]);
        lines.end(Output::Standard, |line| seen.push(line));
        lines.end(Output::Standard, |line| seen.push(line));
        lines.print(Output::Error, &[b'x'; 2 * LINE_BYTES], |line| seen.push(line));
        lines.print(Output::Error, b"\xff\n", |line| seen.push(line));
        let lengths: Vec<usize> = seen.iter().map(String::len).collect();
        assert_eq!(lengths, [2, 1, 0, 3, LINE_BYTES, LINE_BYTES, 8]);
        assert_eq!(seen[6], "xxxxx\u{fffd}");
    }
}
