//! What a component is made of and asks for, for people and as JSON.

pub(crate) mod text_file;

use serde::Serialize;
use whimbrel::db::{Nulls, Signature};
use whimbrel::exec::Refusal;
use whimbrel::limits::Limits;
use whimbrel::model::{Key, Manifest, Policy, Trust};
use whimbrel::wasm::Inspection;

use super::json::schema;
use super::plan::{self, AsksJson};
use super::refusal::{self, RefusalJson};
use super::{amount, style};
use crate::escape;
use crate::failure::Failure;

/// A component with the manifest beside it.
pub(crate) struct Inspected {
    /// The file.
    pub(crate) file: String,
    /// What its bytes tell.
    pub(crate) inspection: Inspection,
    /// The SQL functions that it brings.
    pub(crate) functions: Vec<Signature>,
    /// What it asks for, if there is such a file.
    pub(crate) manifest: Option<Manifest>,
    /// Why this host cannot run it.
    pub(crate) problem: Option<Failure>,
    /// What an operator's policy makes of it, if there is one.
    pub(crate) policy: Option<Judged>,
}

/// What a policy makes of a component.
pub(crate) struct Judged {
    /// The file of the policy.
    pub(crate) file: String,
    /// Name of the chain.
    pub(crate) chain: String,
    /// The policy.
    pub(crate) policy: Policy,
    /// The component's version, or its name where it is repeatable, by the name of its file.
    pub(crate) key: Key,
    /// What it would refuse.
    pub(crate) refused: Vec<Refusal>,
}

/// Returns the most that a policy lets something use.
fn given(policy: Option<&Judged>) -> Limits {
    policy.map(|judged| judged.policy.limits_for(&judged.key)).unwrap_or_default()
}

impl Judged {
    fn lines(&self) -> Vec<String> {
        let trust = match &self.policy.trust {
            Trust::Owner => "your own".to_owned(),
            Trust::Untrusted { namespace } => format!("not trusted beyond {namespace}*"),
        };
        let mut lines = vec![format!("chain {} in {}: {trust}", self.chain, self.file)];
        lines.extend(self.refused.iter().flat_map(refusal::lines));
        if self.refused.is_empty() {
            lines.push("gives all that is asked for".to_owned());
        }
        lines
    }

    fn hint(&self) -> String {
        let hint = |refused: &Refusal| refusal::hint(refused, &self.chain, &self.key);
        self.refused.iter().map(hint).collect()
    }
}

/// What those of its imports get that are WASI.
const WASI: [&str; 3] = [
    "served by a closed stand-in: no files, no network, no environment, no arguments",
    "the clock stands at the start of the run, random numbers follow from the component's bytes",
    "standard output and standard error go into the log",
];

/// Writes what a component is made of, a block for each thing.
pub(crate) fn text(inspected: &Inspected) -> String {
    let inspection = &inspected.inspection;
    let world = inspection.world().map_or("none that this host knows", |world| world);
    let mut text = head(&inspected.file);
    let mut block = |name: &str, lines: Vec<String>| block(&mut text, name, &lines);
    block("world", vec![world.to_owned()]);
    block("size", vec![size(inspection.size as u64)]);
    block("sha-256", vec![inspection.checksum.to_string()]);
    block("imports", or_nothing(&inspection.imports));
    if inspection.wasi().next().is_some() {
        block("wasi", WASI.map(str::to_owned).to_vec());
    }
    block("exports", or_nothing(&inspection.exports));
    if let Some(made) = inspection.made_in() {
        let tool = made.tool.map(|tool| format!(", by {tool}")).unwrap_or_default();
        block("language", vec![made.language + &tool]);
    }
    let made_by =
        |(field, name, version): &(String, String, String)| format!("{field}: {name} {version}").trim_end().to_owned();
    block("functions", inspected.functions.iter().flat_map(function).collect());
    let producers: Vec<String> = inspection.producers.iter().map(made_by).collect();
    block("made by", or_nothing(&producers));
    match &inspected.manifest {
        // Those who call its functions have manifests, not the library.
        None if !inspected.functions.is_empty() => {}
        manifest => asked(&mut text, manifest.as_ref(), inspected.policy.as_ref()),
    }
    told(&mut text, inspected.policy.as_ref());
    text
}

fn head(file: &str) -> String {
    format!("{}\n", style::paint(style::HEAD, &escape::line(file)))
}

/// Writes lines, the first of them behind a name.
fn block(text: &mut String, name: &str, lines: &[String]) {
    for (index, line) in lines.iter().enumerate() {
        let name = if index == 0 { name } else { "" };
        text.push_str(&format!("  {name:<10} {}\n", escape::line(line)));
    }
}

/// Writes what a manifest asks for.
fn asked(text: &mut String, manifest: Option<&Manifest>, policy: Option<&Judged>) {
    let Some(manifest) = manifest else { return block(text, "manifest", &["none beside it".to_owned()]) };
    block(text, "manifest", std::slice::from_ref(&manifest.file));
    block(text, "", manifest.description.as_slice());
    block(text, "asks for", &plan::asks_of(Some(manifest), manifest.transform.as_deref(), &given(policy)));
    let params: Vec<String> = manifest.params.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    block(text, "params", &params);
}

/// Writes what a policy makes of it.
fn told(text: &mut String, policy: Option<&Judged>) {
    if let Some(judged) = policy {
        block(text, "policy", &judged.lines());
        text.push_str(&judged.hint());
    }
}

/// Writes a function: how it is called, what is special about it, what it does.
fn function(signature: &Signature) -> Vec<String> {
    let mut line = signature.to_string();
    if !signature.deterministic {
        line.push_str(", not deterministic");
    }
    if signature.nulls == Nulls::Call {
        line.push_str(", called with NULL too");
    }
    let description = Some(format!("  {}", signature.description)).filter(|_| !signature.description.is_empty());
    std::iter::once(line).chain(description).collect()
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => amount::bytes(bytes),
        _ => format!("{} ({} bytes)", amount::bytes(bytes), amount::number(bytes)),
    }
}

fn or_nothing(names: &[String]) -> Vec<String> {
    if names.is_empty() { vec!["nothing".to_owned()] } else { names.to_vec() }
}

/// What `inspect` prints.
#[derive(Serialize)]
pub(crate) struct InspectJson<'a> {
    schema: String,
    file: &'a str,
    usable: bool,
    problem: Option<&'a str>,
    hint: Option<&'a str>,
    world: Option<&'static str>,
    size: usize,
    sha256: String,
    imports: &'a [String],
    /// Those of the imports that the closed stand-in serves.
    wasi: Vec<&'a str>,
    exports: &'a [String],
    /// The SQL functions of a library of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    functions: Vec<FunctionJson<'a>>,
    /// The language it was written in, if it says so.
    language: Option<String>,
    /// What made it, if it says so.
    tool: Option<String>,
    producers: Vec<ProducerJson<'a>>,
    manifest: Option<ManifestJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<PolicyJson<'a>>,
}

/// What a policy makes of a component.
#[derive(Serialize)]
struct PolicyJson<'a> {
    file: &'a str,
    chain: &'a str,
    /// `null` for an owner's chain.
    namespace: Option<&'a str>,
    refused: Option<RefusalJson>,
}

#[derive(Serialize)]
struct FunctionJson<'a> {
    name: &'a str,
    description: &'a str,
    parameters: Vec<ParameterJson<'a>>,
    more: Option<&'static str>,
    returns: &'static str,
    deterministic: bool,
    null_if_any_null: bool,
}

#[derive(Serialize)]
struct ParameterJson<'a> {
    name: &'a str,
    kind: &'static str,
}

fn function_json(signature: &Signature) -> FunctionJson<'_> {
    let parameters = signature.parameters.iter();
    FunctionJson {
        name: &signature.name,
        description: &signature.description,
        parameters: parameters.map(|of| ParameterJson { name: &of.name, kind: of.kind.as_str() }).collect(),
        more: signature.more.map(whimbrel::db::ValueType::as_str),
        returns: signature.returns.as_str(),
        deterministic: signature.deterministic,
        null_if_any_null: signature.nulls == Nulls::MakeNull,
    }
}

#[derive(Serialize)]
struct ProducerJson<'a> {
    field: &'a str,
    name: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
struct ManifestJson<'a> {
    file: &'a str,
    description: Option<&'a str>,
    #[serde(flatten)]
    asks: AsksJson,
    params: &'a std::collections::BTreeMap<String, String>,
}

/// Writes what a component is made of as JSON.
pub(crate) fn json(inspected: &Inspected) -> InspectJson<'_> {
    let inspection = &inspected.inspection;
    let made = inspection.made_in();
    InspectJson {
        schema: schema("inspect"),
        file: &inspected.file,
        usable: inspected.problem.is_none(),
        problem: inspected.problem.as_ref().map(|problem| problem.message.as_str()),
        hint: inspected.problem.as_ref().and_then(|problem| problem.hint.as_deref()),
        world: inspection.world(),
        size: inspection.size,
        sha256: inspection.checksum.to_string(),
        imports: &inspection.imports,
        wasi: inspection.wasi().collect(),
        exports: &inspection.exports,
        functions: inspected.functions.iter().map(function_json).collect(),
        language: made.as_ref().map(|made| made.language.clone()),
        tool: made.and_then(|made| made.tool),
        producers: inspection
            .producers
            .iter()
            .map(|(field, name, version)| ProducerJson { field, name, version })
            .collect(),
        manifest: inspected.manifest.as_ref().map(|manifest| manifest_json(manifest, inspected.policy.as_ref())),
        policy: inspected.policy.as_ref().map(policy_json),
    }
}

fn manifest_json<'a>(manifest: &'a Manifest, policy: Option<&Judged>) -> ManifestJson<'a> {
    ManifestJson {
        file: &manifest.file,
        description: manifest.description.as_deref(),
        asks: plan::asks_json(Some(manifest), manifest.transform.as_deref(), &given(policy)),
        params: &manifest.params,
    }
}

fn policy_json(judged: &Judged) -> PolicyJson<'_> {
    PolicyJson {
        file: &judged.file,
        chain: &judged.chain,
        namespace: match &judged.policy.trust {
            Trust::Owner => None,
            Trust::Untrusted { namespace } => Some(namespace),
        },
        refused: judged.refused.first().map(refusal::json),
    }
}
