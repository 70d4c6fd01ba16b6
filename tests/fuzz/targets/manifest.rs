//! Text as a manifest: every text is read or refused, with problems that point into it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whimbrel::grants::{Grants, TableGrant, Verb};
use whimbrel::model::{Checksum, Manifest};
use whimbrel::sql;

fuzz_target!(|text: &str| {
    match Manifest::parse("0001_x.toml", text) {
        Ok(manifest) => {
            assert_eq!(manifest.checksum, Checksum::of(text.as_bytes()));
            assert_eq!(Manifest::parse("0001_x.toml", text).as_ref(), Ok(&manifest), "the same text reads the same");
            assert_limits(&manifest);
            if let Some(grants) = &manifest.grants {
                assert_eq!(grants.beyond(grants), [], "what is asked for covers itself");
                // What a transform asks for is made of names that may hold what separates them in the written form.
                if manifest.transform.is_none() {
                    assert_written(grants);
                }
            }
        }
        Err(error) => {
            assert!(!error.problems.is_empty(), "a refusal names a problem");
            assert!(error.problems.is_sorted_by_key(|problem| problem.offset));
            for problem in &error.problems {
                assert!(text.is_char_boundary(problem.offset), "{} is no place in the text", problem.offset);
                assert!(!problem.message.is_empty());
                sql::locate(text, problem.offset);
                sql::line_at(text, problem.offset);
            }
        }
    }
});

/// Reads a table of a manifest that the host itself has written.
fn written(table: &str, lines: &str) -> Manifest {
    let text = format!("[{table}]\n{lines}");
    Manifest::parse("0001_x.toml", &text).unwrap_or_else(|error| panic!("{error} in what was written:\n{text}"))
}

/// No limit is nothing, and what is printed can be pasted back.
fn assert_limits(manifest: &Manifest) {
    for (limit, amount) in manifest.limits.iter() {
        assert!(amount > 0, "{}", limit.key());
    }
    assert_eq!(written("limits", &manifest.limits.to_toml()).limits, manifest.limits);
}

/// What is printed can be pasted back.
fn assert_written(grants: &Grants) {
    for verb in Verb::ALL {
        for grant in grants.of(verb) {
            assert!(!grant.table.is_empty());
            assert!(grant.columns.iter().all(|column| !column.is_empty()));
            assert_eq!(TableGrant::try_from(grant.to_string()).as_ref(), Ok(grant), "the printed form means the same");
        }
    }
    assert_eq!(written("grants", &grants.to_toml()).grants.as_ref(), Some(grants));
}
