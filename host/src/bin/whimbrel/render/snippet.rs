//! Draws the lines of a file with a caret under the marked part.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::escape;
use crate::place::Place;

/// Draws a place; without its lines only where it is.
pub(crate) fn draw(place: &Place) -> String {
    let file = escape::line(&place.file);
    let at = match place.position {
        Some((line, column)) => format!("{file}:{line}:{column}"),
        None => file.into_owned(),
    };
    let Some(excerpt) = &place.excerpt else { return format!("  --> {at}\n") };
    let snippet = Snippet::source(excerpt.text.as_str())
        .line_start(usize::try_from(excerpt.first_line).unwrap_or(1))
        .fold(false)
        .annotation(AnnotationKind::Primary.span(excerpt.marked.clone()));
    let drawn = Renderer::styled().render(&[Group::with_level(Level::ERROR).element(snippet)]);
    let lines = excerpt.text.lines().count().max(1);
    let last = excerpt.first_line as usize + lines - 1;
    let pad = " ".repeat(last.to_string().len());
    format!("{pad}--> {at}\n{}\n", drawn.trim_end())
}
