//! What a line of the prompt was answered, for people and as JSON.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::json::schema;
use super::table::Sheet;
use crate::escape;

/// Characters shown of a cell.
const LONGEST: usize = 80;

/// What the script that answers a line says.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    /// Why there is no answer.
    pub(crate) error: Option<String>,
    #[serde(flatten)]
    pub(crate) answer: Answered,
}

/// Rows, a value, or nothing.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Answered {
    columns: Option<Vec<String>>,
    rows: Option<Vec<Vec<Json>>>,
    /// There are more rows than are shown.
    more: Option<bool>,
    /// A value that is no rows, as JSON writes it.
    value: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct AnswerJson {
    schema: String,
    line: String,
    #[serde(flatten)]
    answer: Answered,
    logs: Vec<String>,
}

/// Writes what was logged, and then the answer.
pub(crate) fn text(logged: &[String], answer: &Answered) -> String {
    let mut text = logs(logged);
    if let (Some(columns), Some(rows)) = (&answer.columns, &answer.rows) {
        text.push_str(&table(columns, rows));
        if rows.is_empty() {
            text.push_str("  no rows\n");
        }
        if answer.more == Some(true) {
            text.push_str(&format!("  … the first {} rows\n", rows.len()));
        }
    }
    if let Some(value) = &answer.value {
        text.push_str(&format!("{}\n", escape::lines(value)));
    }
    text
}

/// Writes what was logged.
pub(crate) fn logs(logs: &[String]) -> String {
    logs.iter().map(|line| format!("{}\n", escape::hung(line, 4))).collect()
}

fn table(columns: &[String], rows: &[Vec<Json>]) -> String {
    let is_number =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).all(|cell| cell.is_number() || cell.is_null());
    let right: Vec<usize> = (0..columns.len()).filter(|column| is_number(*column)).collect();
    let header: Vec<String> = columns.iter().map(|name| escape::line(name).into_owned()).collect();
    let mut sheet = Sheet::new(&header.iter().map(String::as_str).collect::<Vec<_>>(), &right);
    for row in rows {
        sheet.add(&row.iter().map(cell).collect::<Vec<_>>(), None);
    }
    sheet.draw()
}

fn cell(value: &Json) -> String {
    let text = match value {
        Json::Null => "NULL".to_owned(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Writes it as JSON.
pub(crate) fn json(line: &str, logs: &[String], answer: &Answered) -> AnswerJson {
    AnswerJson { schema: schema("repl"), line: line.to_owned(), answer: answer.clone(), logs: logs.to_vec() }
}
