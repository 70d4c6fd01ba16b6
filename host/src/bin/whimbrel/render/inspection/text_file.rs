//! What a file of SQL or a script says and asks for, for people and as JSON.

use serde::Serialize;
use whimbrel::model::{Body, Migration, Script, ScriptFiles, TransactionMode};
use whimbrel::sql::{self, Token};

use super::{Judged, ManifestJson, PolicyJson, asked, block, head, manifest_json, policy_json, size, told};
use crate::render::json::schema;

/// A text with the manifest beside it.
pub(crate) struct InspectedText {
    /// The file.
    pub(crate) file: String,
    /// What it holds.
    pub(crate) migration: Migration,
    /// What an operator's policy makes of it, if there is one.
    pub(crate) policy: Option<Judged>,
}

impl InspectedText {
    fn script(&self) -> Option<&Script> {
        if let Body::Sql { up, .. } = &self.migration.body { Some(up) } else { None }
    }

    fn files(&self) -> Option<&ScriptFiles> {
        self.migration.body.script().map(AsRef::as_ref)
    }

    fn size(&self) -> u64 {
        let own = |script: &Script| script.text.len();
        let all = |files: &ScriptFiles| files.files().map(|file| file.text.len()).sum();
        self.script().map(own).or_else(|| self.files().map(all)).unwrap_or_default() as u64
    }

    fn kind(&self) -> String {
        match self.files() {
            Some(files) => format!("{} in .{}", self.migration.kind(), files.extension),
            None => self.migration.kind().to_string(),
        }
    }

    fn imports(&self) -> Vec<&str> {
        self.files().into_iter().flat_map(|files| &files.imports).map(|file| file.file.as_str()).collect()
    }
}

/// Counts the statements of a script, as far as its text alone tells.
fn statements(script: &Script) -> usize {
    let says_something = |range: &std::ops::Range<usize>| {
        sql::tokens(&script.text[range.clone()]).any(|token: Token<'_>| token.is_significant() && token.text != ";")
    };
    sql::statements(&script.text).filter(says_something).count()
}

/// Returns the directives of a script, each as it would be written.
fn directives(script: &Script) -> Vec<String> {
    let directives = &script.directives;
    let mut lines = Vec::new();
    if directives.transaction == TransactionMode::None {
        lines.push("transaction = none".to_owned());
    }
    if directives.rebuild {
        let why = if directives.implied_rebuild { " (not written: it switches foreign keys off)" } else { "" };
        lines.push(format!("rebuild{why}"));
    }
    lines.extend(directives.description.iter().map(|text| format!("description = {text}")));
    let mut list = |name: &str, values: &[String]| {
        lines.extend((!values.is_empty()).then(|| format!("{name} = {}", values.join(", "))));
    };
    list("functions", &directives.functions);
    list("depends_on", &directives.depends_on);
    for (is_there, line) in [
        (directives.out_of_order, "out_of_order = allow"),
        (directives.repeat, "repeat = on-change"),
        (directives.baseline, "baseline"),
        (directives.placeholders == Some(true), "placeholders = on"),
        (directives.placeholders == Some(false), "placeholders = off"),
    ] {
        lines.extend(is_there.then(|| line.to_owned()));
    }
    let precondition = |of: &sql::Precondition| format!("{} = {}", word(of), of.sql);
    lines.extend(directives.preconditions.iter().map(precondition));
    lines
}

fn word(precondition: &sql::Precondition) -> &'static str {
    match precondition.otherwise {
        sql::Unmet::Fail => "require",
        sql::Unmet::Skip => "skip_unless",
        sql::Unmet::MarkApplied => "mark_applied_unless",
    }
}

/// Writes what a text says and asks for, a block for each thing.
pub(crate) fn text(inspected: &InspectedText) -> String {
    let InspectedText { file, migration, policy } = inspected;
    let mut text = head(file);
    let mut say = |name: &str, lines: &[String]| block(&mut text, name, lines);
    say("kind", &[inspected.kind()]);
    say("size", &[size(inspected.size())]);
    say("sha-256", &[migration.checksum().to_string()]);
    let normalised = migration.normalised_checksum().map(|checksum| checksum.to_string());
    say("normalised", normalised.as_slice());
    if let Some(script) = inspected.script() {
        say("statements", &[statements(script).to_string()]);
        say("directives", &directives(script));
    }
    say("imports", &inspected.imports().into_iter().map(str::to_owned).collect::<Vec<_>>());
    asked(&mut text, migration.manifest.as_deref(), policy.as_ref());
    told(&mut text, policy.as_ref());
    text
}

/// What `inspect` prints of a text.
#[derive(Serialize)]
pub(crate) struct TextJson<'a> {
    schema: String,
    file: &'a str,
    kind: String,
    size: u64,
    sha256: String,
    normalised_sha256: Option<String>,
    /// Of SQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    statements: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    directives: Option<Vec<String>>,
    /// Files that a script may import.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    imports: Vec<&'a str>,
    manifest: Option<ManifestJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<PolicyJson<'a>>,
}

/// Writes what a text says and asks for as JSON.
pub(crate) fn json(inspected: &InspectedText) -> TextJson<'_> {
    let InspectedText { file, migration, policy } = inspected;
    TextJson {
        schema: schema("inspect"),
        file,
        kind: migration.kind().to_string(),
        size: inspected.size(),
        sha256: migration.checksum().to_string(),
        normalised_sha256: migration.normalised_checksum().map(|checksum| checksum.to_string()),
        statements: inspected.script().map(statements),
        directives: inspected.script().map(directives),
        imports: inspected.imports(),
        manifest: migration.manifest.as_deref().map(|manifest| manifest_json(manifest, policy.as_ref())),
        policy: policy.as_ref().map(policy_json),
    }
}
