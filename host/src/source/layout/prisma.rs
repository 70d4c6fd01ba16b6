//! The layout of Prisma: a folder for each migration, with `migration.sql` in it.

use super::super::file_name::{FileName, Part};
use super::{beside, malformed, words};
use crate::model::Version;

/// Judges a file by its folder.
pub(super) fn judge(path: &str) -> FileName {
    const OTHER: &str = "not a folder with migration.sql";
    let Some((folder, file)) = path.split_once('/') else { return beside(path, OTHER) };
    if file != "migration.sql" {
        return FileName::Ignored("not migration.sql");
    }
    let (version, rest) = folder.split_once('_').unwrap_or((folder, ""));
    let hint = "call its folder like `20240131120000_name`";
    match (Version::parse(version), words(rest)) {
        (Ok(version), Ok(name)) => FileName::part(version, name, Part::Sql),
        (Err(error), _) => malformed(error.to_string(), hint),
        (_, Err(message)) => malformed(message, hint),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::judged;
    use super::*;

    #[test]
    fn reads_what_prisma_reads() {
        let cases = [
            ("20240131120000_add_users/migration.sql", "20240131120000 add_users Sql"),
            ("0_init/migration.sql", "0 init Sql"),
            ("0_init/README.md", "ignored: not migration.sql"),
            ("migration_lock.toml", "ignored: not a folder with migration.sql"),
            ("init/migration.sql", "wrong: \"init\" is not a version: a version is made of digits"),
        ];
        for (path, expected) in cases {
            assert_eq!(judged(&judge(path)), expected, "{path:?}");
        }
    }
}
