//! Names and contents of files as a source: every folder is a set of migrations, or refused with problems.
//!
//! An input is written out as one file after the other: a name, a line feed, its content, a NUL.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use whimbrel::Interrupt;
use whimbrel::model::{Body, Role, Version};
use whimbrel::source::{Embedded, FileName, Layout, Loaded, Part, Source, SourceError, check_name};

fuzz_target!(|bytes: &[u8]| {
    let files: Vec<(&str, &[u8])> = bytes
        .split(|byte| *byte == 0)
        .filter_map(|file| {
            let end = file.iter().position(|byte| *byte == b'\n').unwrap_or(file.len());
            Some((str::from_utf8(&file[..end]).ok()?, file.get(end + 1..).unwrap_or_default()))
        })
        .collect();
    for (name, _) in &files {
        assert_name(name);
    }
    for layout in Layout::ALL {
        assert_source(&files, layout);
    }
});

fn assert_source(files: &[(&str, &[u8])], layout: Layout) {
    let loaded = load(files, layout);
    let again = load(&files.iter().rev().copied().collect::<Vec<_>>(), layout);
    match (&loaded, again) {
        (Ok(loaded), Ok(again)) => {
            assert!(!has_twins(files), "one of two files of a name is lost");
            if layout == Layout::Whimbrel {
                assert_loaded(files, loaded);
            }
            assert_eq!(format!("{:?}", loaded.migrations), format!("{:?}", again.migrations));
            assert_eq!(loaded.ignored, again.ignored);
        }
        // Two files of one name cannot be told apart; which of them is in the way depends on the order.
        (Err(error), Err(again)) => assert!(has_twins(files) || *error == again, "{error}\n\n{again}"),
        (loaded, again) => panic!("the order of the files matters: {loaded:?} {again:?}"),
    }
    if let Err(error) = loaded {
        assert!(!error.problems.is_empty() && error.problems.is_sorted());
        for problem in &error.problems {
            // Its file's name is as it was given; what a reader is shown has nothing that a terminal obeys.
            assert!(!problem.to_string().contains(char::is_control), "{problem:?}");
            assert!(!problem.message.is_empty());
        }
    }
}

fn has_twins(files: &[(&str, &[u8])]) -> bool {
    files.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len() < files.len()
}

fn assert_name(name: &str) {
    match FileName::parse(name) {
        FileName::Part { version, name: words, part, role } => {
            assert!(check_name(&words).is_ok());
            // A script's ending is its language's.
            let ending =
                if part == Part::Script { &name[name.rfind('.').unwrap_or(name.len())..] } else { part.ending() };
            let (start, end) = match role {
                Role::Versioned => ("", format!("{version}_{words}{ending}")),
                Role::Baseline if name.starts_with('B') => ("B", format!("{version}__{words}{ending}")),
                Role::Baseline => ("", format!("{version}_{words}.baseline{ending}")),
                Role::Repeatable => ("R__", format!("{words}{ending}")),
            };
            let zeros = name.strip_prefix(start).and_then(|rest| rest.strip_suffix(&end));
            let zeros = zeros.expect("a name is made of its parts");
            assert!(zeros.bytes().all(|byte| byte == b'0'), "{name}");
            // Any number of zeros in front makes no difference.
            assert_eq!(FileName::parse(&format!("{start}{end}")), FileName::Part { version, name: words, part, role });
        }
        FileName::Library { name: library } => {
            assert!(library.starts_with(|first: char| first.is_ascii_alphabetic()));
            assert_eq!(name, format!("{library}.functions.wasm"));
        }
        FileName::Ignored(reason) => assert!(!reason.is_empty()),
        FileName::Malformed { message, hint } => {
            assert!(!message.is_empty() && !hint.is_empty());
            assert!(!message.contains(char::is_control), "{message:?}");
            let begins = |first: char| first.is_ascii_digit() || matches!(first, 'R' | 'B');
            assert!(name.starts_with(begins) || name.ends_with(".functions.wasm"));
        }
    }
}

/// Loads files that live as long as this call of the target only.
fn load(files: &[(&str, &[u8])], layout: Layout) -> Result<Loaded, SourceError> {
    // SAFETY: the source is for what is compiled into a program. What it returns lends from the files and is dropped
    // before them, when the target returns.
    let files = unsafe { std::mem::transmute::<&[(&str, &[u8])], &'static [(&'static str, &'static [u8])]>(files) };
    Embedded::new("m", files).layout(layout).load(&Interrupt::new())
}

fn assert_loaded(files: &[(&str, &[u8])], loaded: &Loaded) {
    let parts: Vec<(Role, Version, String, Part)> = files
        .iter()
        // Folders are not read, and told as what is ignored.
        .filter(|(name, _)| !name.contains('/'))
        .filter_map(|(name, _)| match FileName::parse(name) {
            FileName::Part { version, name, part, role } => Some((role, version, name, part)),
            FileName::Ignored(_) => None,
            FileName::Malformed { .. } => panic!("{name} was accepted"),
            // Libraries of functions and the like are no migrations.
            _ => None,
        })
        .collect();
    let mut used = 0;
    for migration in &loaded.migrations {
        // What its head or its manifest says may differ from what its name says.
        let file = migration.file.strip_prefix("m/").unwrap_or(&migration.file);
        let FileName::Part { role, version, name, .. } = FileName::parse(file) else { panic!("{file} is none") };
        let has = |part: Part| {
            let own = |other: &&(Role, Version, String, Part)| **other == (role, version, name.clone(), part);
            parts.iter().filter(own).count()
        };
        match &migration.body {
            Body::Sql { down, .. } => {
                assert_eq!(has(Part::Sql) + has(Part::Up), 1);
                assert_eq!((has(Part::Component), has(Part::Down)), (0, usize::from(down.is_some())));
                assert_eq!(has(Part::Manifest), usize::from(migration.manifest.is_some()));
            }
            Body::Component { bytes } | Body::Transform { bytes, .. } => {
                assert!(!bytes.is_empty());
                assert_eq!((has(Part::Component), has(Part::Manifest)), (1, 1));
                assert_eq!(has(Part::Sql) + has(Part::Up) + has(Part::Down), 0);
            }
            Body::Rust(_) => panic!("there is no Rust in a folder"),
            #[allow(unreachable_patterns, reason = "new kinds of body are told by new parts, which are counted below")]
            _ => {}
        }
        let all = [Part::Sql, Part::Up, Part::Component, Part::Script, Part::Down, Part::Verify, Part::Manifest];
        used += all.map(has).iter().sum::<usize>();
        migration.checksum();
        migration.description();
    }
    assert_eq!(used, parts.len(), "every file is part of one migration");
    assert!(loaded.ignored.len() <= files.len() - parts.len(), "or ignored");
    let own: BTreeSet<&String> = loaded.migrations.iter().map(|migration| &migration.file).collect();
    assert_eq!(own.len(), loaded.migrations.len());
}
