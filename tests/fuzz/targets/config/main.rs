//! Text as `whimbrel.toml`: every text is read or refused, with a place in it and nothing that a terminal obeys.
#![no_main]

#[allow(dead_code, unused_imports, reason = "the program has more use of it")]
mod settings;

/// What the program says to do where a file cannot be read, which here none is.
mod failure {
    pub(crate) mod hint {
        pub(crate) fn file(_: &std::io::Error) -> Option<&'static str> {
            None
        }
    }
}

use std::cell::RefCell;
use std::io::{Seek, SeekFrom, Write};

use libfuzzer_sys::fuzz_target;
use tempfile::NamedTempFile;

thread_local! {
    /// Written again and again.
    static FILE: RefCell<NamedTempFile> = RefCell::new(NamedTempFile::with_suffix(".toml").expect("a file"));
}

fuzz_target!(|text: &str| {
    FILE.with_borrow_mut(|kept| {
        let file = kept.as_file_mut();
        let written = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0)));
        written.and_then(|_| file.write_all(text.as_bytes())).expect("written");
        let Err(error) = settings::read(kept.path()) else { return };
        assert!(!error.message.is_empty() && !error.message.contains(char::is_control), "{:?}", error.message);
        assert!(error.hint.iter().all(|hint| !hint.is_empty() && !hint.contains(char::is_control)), "{error:?}");
        let place = error.place.expect("a mistake in a file has a place");
        if let Some((line, column)) = place.position {
            let lines: Vec<&str> = text.split('\n').collect();
            let line = lines.get(line as usize - 1).expect("the line is there");
            assert!(column as usize <= line.chars().count() + 1, "{column} of {line:?}");
        }
    });
});
