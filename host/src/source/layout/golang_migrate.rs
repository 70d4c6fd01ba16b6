//! The layout of golang-migrate: `1_name.up.sql` and `1_name.down.sql`, paired by their version alone.

use super::super::file_name::{FileName, Part};
use super::{beside, malformed, words};
use crate::model::Version;

/// Judges a file as golang-migrate's own pattern does: any ending, and as many dots as the name has.
pub(super) fn judge(name: &str) -> FileName {
    const OTHER: &str = "not named like a migration of golang-migrate";
    let digits = name.bytes().take_while(u8::is_ascii_digit).count();
    let (version, rest) = name.split_at(digits);
    let Some(rest) = rest.strip_prefix('_').filter(|_| digits > 0) else { return beside(name, OTHER) };
    // The last of them counts, since the name before it may have dots of its own.
    let last = [(".up.", Part::Up), (".down.", Part::Down)]
        .into_iter()
        .filter_map(|(mark, part)| Some((rest.rfind(mark)?, part)));
    let Some((at, part)) = last.max_by_key(|(at, _)| *at) else { return beside(name, OTHER) };
    let hint = "call it like `1_name.up.sql`";
    match (Version::parse(version), words(&rest[..at])) {
        (Ok(version), Ok(name)) => FileName::part(version, name, part),
        (Err(error), _) => malformed(error.to_string(), hint),
        (_, Err(message)) => malformed(message, hint),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::judged;
    use super::*;

    #[test]
    fn reads_what_golang_migrate_reads() {
        let cases = [
            ("1_init.up.sql", "1 init Up"),
            ("000002_a-b.down.sql", "2 a-b Down"),
            ("20240813211251_passkey_backup_flags..up.sql", "20240813211251 passkey_backup_flags Up"),
            ("30_ignore_autotag.up..sql", "30 ignore_autotag Up"),
            ("1_a.up.b.down.sql", "1 a.up.b Down"),
            ("1_x.up.cql", "1 x Up"),
            ("1_.up.sql", "1 unnamed Up"),
            ("3_split.wasm", "3 split Component"),
            ("1_x.sql", "ignored: not named like a migration of golang-migrate"),
            ("52_postmigrate.go", "ignored: not named like a migration of golang-migrate"),
            ("x_1.up.sql", "ignored: not named like a migration of golang-migrate"),
            (
                "18446744073709551616_x.up.sql",
                "wrong: version 18446744073709551616 is too large: the largest is 18446744073709551615",
            ),
        ];
        for (name, expected) in cases {
            assert_eq!(judged(&judge(name)), expected, "{name:?}");
        }
    }
}
