//! Text as a manifest: every text is read or refused, with problems that point into it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whimbrel::grants::{Grants, TableGrant};
use whimbrel::model::{Checksum, Manifest};
use whimbrel::sql;

fuzz_target!(|text: &str| {
    match Manifest::parse("0001_x.toml", text) {
        Ok(manifest) => {
            assert_eq!(manifest.checksum, Checksum::of(text.as_bytes()));
            assert_limits(&manifest);
            assert_grants(&manifest.grants);
            assert_eq!(Manifest::parse("0001_x.toml", text).as_ref(), Ok(&manifest), "the same text reads the same");
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

fn assert_limits(manifest: &Manifest) {
    let limits = &manifest.limits;
    assert_ne!(limits.fuel, Some(0));
    assert_ne!(limits.memory, Some(0));
    assert!(limits.time.is_none_or(|time| !time.is_zero()));
}

/// What was granted can be printed and pasted back.
fn assert_grants(grants: &Grants) {
    let tables = [
        &grants.read,
        &grants.insert,
        &grants.update,
        &grants.delete,
        &grants.create,
        &grants.alter,
        &grants.drop,
        &grants.trigger,
        &grants.view,
    ];
    for grant in tables.into_iter().flatten() {
        assert!(!grant.table.is_empty());
        assert!(grant.columns.iter().all(|column| !column.is_empty()));
        assert_eq!(TableGrant::try_from(grant.to_string()).as_ref(), Ok(grant), "the printed form means the same");
    }
}
