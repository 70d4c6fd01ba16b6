//! What authors do about a component, by the language that it says it was written in. Only words.

use std::collections::BTreeSet;

use whimbrel::model::Body;
use whimbrel::plan::Step;
use whimbrel::wasm::{self, Inspection, PluginError};

/// Says what to do when the code of a step stopped itself, or asked for what no guest has.
pub(super) fn hint(error: &PluginError, failed: &Step) -> Option<String> {
    let bytes = match &failed.migration.body {
        Body::Component { bytes } | Body::Transform { bytes, .. } => bytes,
        Body::Sql { .. } | Body::Script { .. } | Body::Rust(_) => return None,
    };
    let inspection = wasm::inspect(bytes).ok()?;
    match error {
        PluginError::Trapped { reason, .. } => trapped(reason, &inspection),
        PluginError::Refused { message, statement: None } => refused(message, &inspection),
        _ => None,
    }
}

/// A trap whose reason is the engine's alone: the guest has said nothing before it.
fn trapped(reason: &str, inspection: &Inspection) -> Option<String> {
    let made = inspection.made_in()?;
    let language = made.language.as_str();
    if reason.contains("cannot leave component instance") && language == "Go" {
        return Some(format!("the usual adapter for WASI cannot be used for Go: {}", without_wasi(Some(language))));
    }
    if !reason.contains("unreachable") {
        return None;
    }
    if !reason.starts_with("wasm trap") {
        let tool = made.tool.map_or_else(String::new, |tool| format!(" ({tool})"));
        return Some(format!("these are the guest's own words: mend it in {language}{tool} and build it again"));
    }
    Some(format!("the guest, written in {language}, stopped itself without a word: {}", wordless(language)?))
}

/// Says what ends so in a language, and how it would say more.
fn wordless(language: &str) -> Option<&'static str> {
    let words = match language {
        "Python" => {
            "built with `--stub-wasi` it has no standard output, clock and files, so `print()`, `time.time()` and \
             `open()` end so; use `log` and `ctx.started_at`"
        }
        "JavaScript" | "TypeScript" => {
            "built with `--stub-wasi` it has no standard output and no clock, so `Date.now()` may end so; use `log` and \
             `ctx.startedAt`"
        }
        "Rust" => "a panic outside of `up` and `down`, or of one that does not use `whimbrel_guest::export!`",
        "Go" => "its runtime gave up, for want of memory or because all goroutines wait for each other",
        "C" => {
            "`abort()`, a failed `assert`, or what the compiler made of undefined behaviour; `wh_panic` says why first"
        }
        "Zig" => "with `pub const panic = whimbrel.panic;` a panic says its words first",
        "AssemblyScript" => "with `--use abort=whimbrel/assembly/host/abort` a `throw` says its words first",
        _ => return None,
    };
    Some(words)
}

/// The words of C libraries and their kin for what a closed stand-in answers.
const DENIALS: [&str; 4] = ["permission denied", "no such file", "not supported", "unsupported"];

fn refused(message: &str, inspection: &Inspection) -> Option<String> {
    let message = message.to_lowercase();
    let denied = DENIALS.iter().any(|words| message.contains(words));
    (denied && inspection.wasi().next().is_some()).then(|| {
        "it was built with WASI, for which a closed stand-in answers: there are no files and no network, and nothing can \
         be granted of them; what it needs has to be in the database, or in the `[params]` of its manifest"
            .to_owned()
    })
}

/// Says how to come by a component that does not import these interfaces of WASI.
pub(super) fn imports_wasi(imports: &[String], language: Option<&str>) -> String {
    let named: BTreeSet<String> = imports
        .iter()
        .filter_map(|import| {
            let (package, rest) = import.strip_prefix("wasi:")?.split_once('/')?;
            let version = rest.split_once('@').map_or("", |(_, version)| version);
            let release: Vec<&str> = version.split('.').take(2).collect();
            Some(format!("{package} {}", release.join(".")).trim_end().escape_debug().to_string())
        })
        .collect();
    let named: Vec<String> = named.into_iter().collect();
    format!(
        "built with WASI ({}), of which this host has only a closed stand-in of 0.2, without http and threads, and can \
         grant nothing: {}",
        named.join(", "),
        without_wasi(language)
    )
}

/// Says how a language does without WASI.
fn without_wasi(language: Option<&str>) -> &'static str {
    match language {
        Some("JavaScript" | "TypeScript") => "build it again with `componentize-qjs --stub-wasi`",
        Some("Python") => "build it again with `componentize-py … componentize --stub-wasi`",
        Some("Rust") => "build it again for the target wasm32-unknown-unknown",
        Some("Go") => "give what `go build` made (GOOS=wasip1, -buildmode=c-shared) to `whimbrel componentize`",
        Some("C" | "Zig" | "AssemblyScript") => {
            "give the core module to `whimbrel componentize`, which stands in for WASI"
        }
        _ => {
            "build it again for the target wasm32-unknown-unknown (Rust), with `--stub-wasi` (componentize-qjs, \
             componentize-py), or by `whimbrel componentize` (Go, C)"
        }
    }
}
