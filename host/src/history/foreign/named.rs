//! Finds the migrations of a tool that knows them by the whole names of their files, and keeps nothing else of them. To such a tool
//! another name is another migration, whatever its number.

use super::make::{Maker, versioned};
use super::row::ForeignRow;
use super::verdict::Verdict;
use super::{AdoptProblem, Adopted};
use crate::model::{Migration, Version};

/// What is said where a checksum would be of a migration that was found by its words.
const MOVED: &str = "its file has another number now";

impl Maker<'_> {
    /// Makes a row for each name.
    pub(super) fn by_name(&self, rows: &[ForeignRow]) -> (Vec<Adopted>, Vec<AdoptProblem>) {
        let all: Vec<&Migration> = versioned(self.chain).collect();
        let applied = |file: &str| rows.iter().any(|row| row.version.as_deref() == Some(file));
        let is_free = |migration: &&Migration| !applied(file_name(migration));
        let (mut adopted, mut problems): (Vec<Adopted>, Vec<AdoptProblem>) = (Vec::new(), Vec::new());
        for row in rows {
            let name = row.version.clone().unwrap_or_default();
            let made = if let Some(same) = all.iter().find(|migration| file_name(migration) == name) {
                self.adopted(row, same.version, Some(same))
            } else {
                self.without_file(row, &name, &all, is_free)
            };
            let is_known = |row: &Adopted| adopted.iter().any(|other| other.row.version == row.row.version);
            match made {
                Ok(row) if is_known(&row) => problems.push(AdoptProblem::NoSuchFile { migration: name }),
                Ok(row) => adopted.push(row),
                Err(problem) => problems.push(problem),
            }
        }
        (adopted, problems)
    }

    /// Makes a row of one whose file has another name now, or is gone.
    fn without_file(
        &self,
        row: &ForeignRow,
        name: &str,
        all: &[&Migration],
        is_free: impl Fn(&&Migration) -> bool,
    ) -> Result<Adopted, AdoptProblem> {
        let version = self.version(row)?;
        let of_version = |version: Version| all.iter().copied().find(|migration| migration.version == version);
        match of_version(version) {
            None => {
                let called = ForeignRow { name: words(name).map(str::to_owned), ..row.clone() };
                self.adopted(&called, version, None)
            }
            Some(other) if is_free(&other) && self.choice.accept_changed => self.adopted(row, version, Some(other)),
            Some(other) if is_free(&other) => {
                Err(AdoptProblem::OtherName { migration: name.to_owned(), file: other.file.clone() })
            }
            // Two of one number are no matter to the tool, and here one of them had to get another.
            Some(_) => {
                let mut moved = all.iter().filter(|other| is_free(other) && words(name) == Some(&*other.name));
                match (moved.next(), moved.next()) {
                    (Some(moved), None) => self
                        .adopted(row, moved.version, Some(moved))
                        .map(|adopted| Adopted { verdict: Verdict::Unverifiable(MOVED), ..adopted }),
                    _ => Err(AdoptProblem::NoSuchFile { migration: name.to_owned() }),
                }
            }
        }
    }
}

fn file_name(migration: &Migration) -> &str {
    migration.file.rsplit(['/', '\\']).next().unwrap_or_default()
}

/// Returns what stands between the number and the ending.
fn words(name: &str) -> Option<&str> {
    name.trim_start_matches(|other: char| other.is_ascii_digit()).strip_prefix('_')?.strip_suffix(".sql")
}
