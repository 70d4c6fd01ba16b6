//! What the history has kept of a migration, for people and as JSON.

use std::path::Path;

use serde::Serialize;
use whimbrel::model::Checksum;
use whimbrel::{KeptBytesOf, KeptPart};

use super::json::schema;
use crate::escape;

/// Names a part in a sentence.
pub(crate) fn part(part: KeptPart) -> &'static str {
    match part {
        KeptPart::Body => "the body",
        KeptPart::Down => "the down script",
        KeptPart::Manifest => "the manifest",
    }
}

/// Writes the text that was kept, or where it was written to.
pub(crate) fn text(found: &KeptBytesOf, of: KeptPart, bytes: &[u8], file: Option<&Path>) -> String {
    match file {
        Some(file) => {
            let (title, file) = (found.row.title(), file.display().to_string());
            let (title, file, bytes) = (escape::line(&title), escape::line(&file), bytes.len());
            format!("Wrote {} of {title} to {file}: {bytes} bytes.\n", part(of))
        }
        None => {
            let text = String::from_utf8_lossy(bytes);
            let end = if text.ends_with('\n') { "" } else { "\n" };
            format!("{}{end}", escape::lines(&text))
        }
    }
}

/// What `history --body` prints.
#[derive(Serialize)]
pub(crate) struct KeptJson {
    schema: String,
    chain: String,
    version: Option<String>,
    name: String,
    kind: String,
    state: &'static str,
    part: &'static str,
    checksum: String,
    bytes: usize,
    text: Option<String>,
    file: Option<String>,
}

/// Writes the same as JSON; only what is text, and is not written to a file, is in it.
pub(crate) fn json(found: &KeptBytesOf, of: KeptPart, bytes: &[u8], file: Option<&Path>) -> KeptJson {
    let row = &found.row;
    KeptJson {
        schema: schema("history-body"),
        chain: row.chain.to_string(),
        version: (!row.repeatable).then(|| row.version.to_string()),
        name: row.name.clone(),
        kind: row.kind.to_string(),
        state: row.state.as_str(),
        part: match of {
            KeptPart::Body => "body",
            KeptPart::Down => "down",
            KeptPart::Manifest => "manifest",
        },
        checksum: Checksum::of(bytes).to_string(),
        bytes: bytes.len(),
        text: file.is_none().then(|| str::from_utf8(bytes).ok().map(str::to_owned)).flatten(),
        file: file.map(|file| file.display().to_string()),
    }
}
