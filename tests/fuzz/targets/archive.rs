//! Bytes as an archive: every one is a set of migrations within its limits, or refused with problems.
#![no_main]

use std::cell::RefCell;
use std::io::{Seek, SeekFrom, Write};

use libfuzzer_sys::fuzz_target;
use tempfile::NamedTempFile;
use whimbrel::Interrupt;
use whimbrel::model::Body;
use whimbrel::source::{Archive, ArchiveLimits, Layout, Source};

/// Small ones, so that they are met.
const LIMITS: ArchiveLimits = ArchiveLimits { packed: 4_000, entries: 20, unpacked: 20_000, ratio: 200 };

thread_local! {
    /// Written again and again.
    static FILE: RefCell<NamedTempFile> = RefCell::new(NamedTempFile::with_suffix(".zip").expect("a file"));
}

fuzz_target!(|bytes: &[u8]| {
    FILE.with_borrow_mut(|kept| {
        let file = kept.as_file_mut();
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(bytes))
            .expect("written");
        for layout in [Layout::Whimbrel, Layout::Diesel, Layout::Flyway] {
            examine(&Archive::new(kept.path()).limits(LIMITS).layout(layout).recursive(true), bytes);
        }
    });
});

fn examine(archive: &Archive, bytes: &[u8]) {
    match archive.load(&Interrupt::new()) {
        Ok(loaded) => {
            assert!(bytes.len() as u64 <= LIMITS.packed);
            assert!(loaded.migrations.len() + loaded.ignored.len() <= LIMITS.entries);
            let size = |body: &Body| match body {
                Body::Sql { up, down } => up.text.len() + down.as_ref().map_or(0, |down| down.text.len()),
                Body::Component { bytes } | Body::Transform { bytes, .. } => bytes.len(),
                _ => 0,
            };
            let all: usize = loaded.migrations.iter().map(|migration| size(&migration.body)).sum();
            assert!(all as u64 <= LIMITS.unpacked);
            for migration in &loaded.migrations {
                assert!(!migration.file.contains(char::is_control), "{}", migration.file);
            }
        }
        Err(error) => {
            assert!(!error.problems.is_empty() && error.problems.is_sorted());
            for problem in &error.problems {
                // Its file's name is as the archive has it; what a reader is shown has nothing that a terminal obeys.
                assert!(!problem.to_string().contains(char::is_control), "{problem:?}");
                assert!(!problem.message.is_empty() && !problem.message.contains(char::is_control), "{problem:?}");
            }
        }
    }
}
