//! Makes a migration of what the history has kept of it. Pure, as everything that puts files together.

use std::borrow::Cow;
use std::sync::Arc;

use super::SourceError;
use super::assemble::{File, Gathered, Marks, assemble};
use super::file_name::Part;
use super::scripts::Shared;
use crate::model::{Applied, AppliedState, Checksum, KeptForm, Migration, Role, ScriptFiles, Substitution};

/// The bytes that the history has kept of a migration.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeptBytes {
    /// What has the row's checksum.
    pub(crate) body: Option<Vec<u8>>,
    /// The script that reverts it.
    pub(crate) down: Option<Vec<u8>>,
    /// Its manifest.
    pub(crate) manifest: Option<Vec<u8>>,
}

/// Stands for the way up of a migration that is only to be reverted.
const NO_BODY: &[u8] = b"-- not kept";

/// Makes the migration that a row tells of. `place` says in messages where its bytes are.
pub(crate) fn migration(
    place: &str,
    row: &Applied,
    form: &KeptForm,
    bytes: KeptBytes,
    endings: &[String],
) -> Result<Migration, String> {
    let KeptBytes { body, down, manifest } = bytes;
    let role = match row.state {
        _ if row.repeatable => Role::Repeatable,
        AppliedState::Baseline => Role::Baseline,
        _ => Role::Versioned,
    };
    let file = |part: Part, ending: &str, bytes: Vec<u8>, marks: Option<Marks>| File {
        file: format!("{place}/{}.{ending}", row.title().replace(' ', "_")),
        path: form.path.clone().unwrap_or_default(),
        role,
        version: row.version,
        name: row.name.clone(),
        part,
        bytes: Cow::Owned(bytes),
        kind: None,
        marks,
    };
    let mut gathered = Gathered { endings: endings.to_vec(), ..Gathered::default() };
    let mut files = Vec::new();
    match &*row.kind {
        "sql" => {
            let down = down.ok_or("the script that reverts it is not kept")?;
            let body = body.unwrap_or_else(|| NO_BODY.to_vec());
            files.push(file(Part::Up, "up.sql", body, Some(Marks::default())));
            files.push(file(Part::Down, "down.sql", down, Some(marks(form))));
        }
        "component" | "transform" => {
            files.push(file(Part::Component, "wasm", body.ok_or("its component is not kept")?, None));
        }
        "script" => {
            let joined = String::from_utf8(body.ok_or("the script is not kept")?).map_err(|_| "it is not UTF-8")?;
            let (main, imports) = ScriptFiles::split(&joined).ok_or("its files cannot be told apart")?;
            gathered.shared.extend(imports.into_iter().map(|(path, text)| Shared {
                path: path.to_owned(),
                file: format!("{place}/{path}"),
                bytes: Cow::Owned(text.as_bytes().to_vec()),
            }));
            let ending = form.path.as_deref().and_then(|path| path.rsplit_once('.')).map_or("js", |(_, ending)| ending);
            files.push(file(Part::Script, ending, main.as_bytes().to_vec(), None));
        }
        other => return Err(format!("nothing is kept of a migration of the kind {}", other.escape_debug())),
    }
    // What the head of a script says is part of the script.
    let says_itself = *row.kind == *"script" && in_head(&files, &gathered, row.manifest_checksum);
    if let Some(manifest) = manifest.filter(|_| !says_itself) {
        files.push(file(Part::Manifest, "toml", manifest, None));
    }
    gathered.files = files;
    let loaded = assemble(gathered).map_err(|SourceError { problems, .. }| {
        problems.first().map_or_else(String::new, |problem| problem.message.clone())
    })?;
    let migration = loaded.migrations.into_iter().next().ok_or("nothing can be made of it")?;
    let same = match &*row.kind {
        "sql" => migration.down_checksum() == row.down_checksum,
        _ => migration.checksum() == row.checksum && migration.manifest_checksum() == row.manifest_checksum,
    };
    if same {
        Ok(Arc::unwrap_or_clone(migration))
    } else {
        Err("what can be made of it is not what was applied".to_owned())
    }
}

fn in_head(files: &[File], gathered: &Gathered, manifest: Option<Checksum>) -> bool {
    let alone = Gathered { files: files.to_vec(), shared: gathered.shared.clone(), ..Gathered::default() };
    let loaded = assemble(Gathered { endings: gathered.endings.clone(), ..alone });
    loaded.is_ok_and(|loaded| loaded.migrations.iter().any(|made| made.manifest_checksum() == manifest))
}

fn marks(form: &KeptForm) -> Marks {
    let substitution = Substitution { wanted: form.values, ..Substitution::default() };
    Marks { outside: form.outside, rebuild: form.rebuild, keys_off: form.keys_off, substitution, ..Marks::default() }
}
