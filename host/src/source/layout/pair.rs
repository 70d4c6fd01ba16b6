//! Ways down and ways up in the folders of other tools. Pure.

use std::collections::BTreeMap;

use super::super::Ignored;
use super::super::assemble::{File, Gathered};
use super::super::file_name::Part;

/// Pairs ways down with ways up by their version alone, as other tools do; one that is alone is left out.
pub(super) fn pair(gathered: &mut Gathered) {
    let foreign: Vec<File> = gathered.files.extract_if(.., |file| file.marks.is_some()).collect();
    if foreign.is_empty() {
        return;
    }
    let names: BTreeMap<_, String> = (gathered.files.iter().chain(&foreign))
        .filter(|file| matches!(file.part, Part::Up | Part::Sql) && file.is_versioned())
        .map(|file| (file.version, file.name.clone()))
        .collect();
    for mut file in foreign {
        match names.get(&file.version) {
            Some(name) if file.part == Part::Down => file.name.clone_from(name),
            None if file.part == Part::Down => {
                let reason = "undoes a migration that is not there".to_owned();
                gathered.ignored.push(Ignored { file: file.file, reason });
                continue;
            }
            _ => {}
        }
        // One that stands alone in a folder of pairs is a way up like the others.
        if file.part == Part::Sql && file.is_versioned() {
            file.part = Part::Up;
        }
        gathered.files.push(file);
    }
}
