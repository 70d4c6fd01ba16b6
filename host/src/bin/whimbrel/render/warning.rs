//! What a plan lets pass, for people and as JSON.

use serde::Serialize;
use whimbrel::plan::Warning;

use super::json::{PlaceJson, place_json};
use super::{snippet, style};
use crate::escape;
use crate::place::{self, Place};

/// Writes a warning with its place and what to do.
pub(crate) fn text(warning: &Warning) -> String {
    let head = style::paint(style::WARNING, "warning");
    let mut text =
        format!("{head}: migration {}: {}\n", escape::line(&warning.migration), escape::hung(&warning.message, 4));
    if let Some(place) = place(warning) {
        text.push_str(&snippet::draw(&place));
    }
    text.push_str(&format!("{}: {}\n", style::paint(style::HINT, "hint"), escape::hung(&warning.hint, 4)));
    text
}

fn place(warning: &Warning) -> Option<Place> {
    warning.place.as_ref().map(|(script, range)| place::in_statement(script, range, None))
}

/// A warning.
#[derive(Serialize)]
pub(crate) struct WarningJson {
    migration: String,
    message: String,
    hint: String,
    #[serde(flatten)]
    place: PlaceJson,
}

/// Writes warnings as JSON.
pub(crate) fn json<'a>(warnings: impl Iterator<Item = &'a Warning>) -> Vec<WarningJson> {
    let one = |warning: &Warning| WarningJson {
        migration: warning.migration.clone(),
        message: warning.message.clone(),
        hint: warning.hint.clone(),
        place: place(warning).as_ref().map(place_json).unwrap_or_default(),
    };
    warnings.map(one).collect()
}
