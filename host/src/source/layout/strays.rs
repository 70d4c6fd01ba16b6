//! Files of other languages that lie between the scripts of a tool which runs only SQL. Pure.

use std::collections::BTreeSet;

use super::super::Ignored;
use super::super::assemble::File;
use super::super::file_name::Part;
use crate::model::Version;

/// Why such a file is none of a migration.
pub(in crate::source) const STRAY: &str = "the tool runs the SQL script of its version";

/// Finds the scripts for engines that lie beside an SQL script of the same version, such as the program that wrote it. One that has
/// a manifest is meant to be run here, and is refused for its version.
pub(in crate::source) fn find(files: &[(Version, Part)]) -> Vec<bool> {
    let of = |is: fn(Part) -> bool| -> BTreeSet<Version> {
        files.iter().filter(|(_, part)| is(*part)).map(|(version, _)| *version).collect()
    };
    let (scripts, manifests) = (of(Part::is_sql), of(|part| part == Part::Manifest));
    let is_stray = |(version, part): &(Version, Part)| {
        *part == Part::Script && scripts.contains(version) && !manifests.contains(version)
    };
    files.iter().map(is_stray).collect()
}

/// Leaves them out.
pub(super) fn leave_out(files: &mut Vec<File>, ignored: &mut Vec<Ignored>) {
    let parts: Vec<(Version, Part)> = files.iter().map(|file| (file.version, file.part)).collect();
    let mut strays = find(&parts).into_iter();
    let left_out = files.extract_if(.., |_| strays.next() == Some(true));
    ignored.extend(left_out.map(|file| Ignored { file: file.file, reason: STRAY.to_owned() }));
}

#[cfg(test)]
mod tests {
    use crate::interrupt::Interrupt;
    use crate::source::{Layout, Memory, Source};

    #[test]
    fn leaves_out_what_wrote_a_script_and_keeps_what_is_meant() {
        let up = "-- +goose Up\nSELECT 1;\n";
        let folder = Memory::new("m").layout(Layout::Goose).file("00001_a.sql", up);
        let folder = folder.file("00001_generate_a.py", "print(1)").file("00002_b.js", "export function up(db) {}");
        let loaded = folder.clone().load(&Interrupt::new()).expect("loaded");
        let titles: Vec<String> = loaded.migrations.iter().map(|migration| migration.title()).collect();
        assert_eq!(titles, ["1 a", "2 b"]);
        assert_eq!(loaded.ignored[0].file, "m/00001_generate_a.py");
        let meant = folder.file("00001_generate_a.toml", "description = 'x'");
        assert!(meant.load(&Interrupt::new()).is_err());
    }
}
