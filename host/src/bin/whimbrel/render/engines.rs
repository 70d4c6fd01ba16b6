//! The script engines, for people and as JSON.

use serde::Serialize;
use whimbrel::exec::EngineFound;

use super::json::schema;
use super::style;
use crate::escape;
use crate::failure;

#[derive(Serialize)]
pub(crate) struct EnginesJson {
    schema: String,
    engines: Vec<EngineJson>,
}

#[derive(Serialize)]
struct EngineJson {
    name: String,
    extensions: Vec<String>,
    place: String,
    engine: Option<String>,
    version: Option<String>,
    size: Option<usize>,
    sha256: Option<String>,
    problem: Option<String>,
}

/// Writes what is known of each engine.
pub(crate) fn text(found: &[EngineFound]) -> String {
    if found.is_empty() {
        return "There are no script engines.\n".to_owned();
    }
    let mut text = String::new();
    for engine in found {
        let extensions: Vec<String> = engine.extensions.iter().map(|extension| format!(".{extension}")).collect();
        let head = style::paint(style::HEAD, &escape::line(&engine.name));
        text.push_str(&format!("{head}  {}  {}\n", extensions.join(" "), escape::line(&engine.place)));
        match &engine.answer {
            Ok(answer) => {
                let (name, version) = (escape::line(&answer.used.name), escape::line(&answer.used.version));
                text.push_str(&format!("  {name} {version}, {} bytes\n", answer.size));
                text.push_str(&format!("  sha256 {}\n", answer.used.checksum));
            }
            Err(error) => {
                let failure = failure::explain_engine(error);
                let problem = std::iter::once(failure.message).chain(failure.causes).collect::<Vec<_>>().join(": ");
                text.push_str(&format!("  {}: {}\n", style::paint(style::ERROR, "error"), escape::line(&problem)));
                if let Some(hint) = failure.hint {
                    text.push_str(&format!("  {}: {}\n", style::paint(style::HINT, "hint"), escape::hung(&hint, 6)));
                }
            }
        }
    }
    text
}

/// Writes them as JSON.
pub(crate) fn json(found: &[EngineFound]) -> EnginesJson {
    let one = |engine: &EngineFound| {
        let answer = engine.answer.as_ref().ok();
        EngineJson {
            name: engine.name.clone(),
            extensions: engine.extensions.clone(),
            place: engine.place.clone(),
            engine: answer.map(|answer| answer.used.name.clone()),
            version: answer.map(|answer| answer.used.version.clone()),
            size: answer.map(|answer| answer.size),
            sha256: answer.map(|answer| answer.used.checksum.to_string()),
            problem: engine.answer.as_ref().err().map(ToString::to_string),
        }
    };
    EnginesJson { schema: schema("engines"), engines: found.iter().map(one).collect() }
}
