//! Rows before and after a transform, for people and as JSON.

use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use whimbrel::Rejects;
use whimbrel::db::{Value, quote_identifier};
use whimbrel::exec::Retried;
use whimbrel::history::RejectedRow;
use whimbrel::transform::{Preview, PreviewRow};

use super::json::schema;
use super::report::row_counts;
use super::table::Sheet;
use super::{amount, style};
use crate::escape;

/// Characters shown of a value.
const LONGEST: usize = 60;

/// Writes each row: its key, then a line for each column that is written.
pub(crate) fn text(preview: &Preview, several: bool) -> String {
    if preview.rows.is_empty() {
        return format!("No rows of {} would be transformed.\n", escape::line(&preview.source));
    }
    let mut text = String::new();
    for row in &preview.rows {
        let key: Vec<String> =
            preview.key.iter().zip(&row.key).map(|(name, value)| format!("{name} {}", shown(value))).collect();
        text.push_str(&style::paint(style::HEAD, &escape::line(&key.join(", "))));
        text.push('\n');
        text.push_str(&one(preview, row));
    }
    text.push_str(&format!("\n{}\n", summary(preview, several)));
    if let Some(statement) = statement(preview) {
        text.push_str(&format!(
            "{}: on these rows SQL gives the same, and is faster: {}\n",
            style::paint(style::HINT, "hint"),
            escape::line(&statement)
        ));
    }
    text
}

/// Writes the statement that does the same on these rows.
pub(crate) fn statement(preview: &Preview) -> Option<String> {
    let expressions = preview.expressions.as_ref()?;
    let set = preview.write.iter().zip(expressions).map(|(name, sql)| format!("{} = {sql}", quote_identifier(name)));
    Some(format!("UPDATE {} SET {}", quote_identifier(&preview.source), set.collect::<Vec<_>>().join(", ")))
}

fn one(preview: &Preview, row: &PreviewRow) -> String {
    if let Some(reason) = &row.rejected {
        let mut sheet = Sheet::new(&["Column", "Read"], &[]);
        for (name, value) in preview.read.iter().zip(&row.read) {
            sheet.add(&[name.clone(), shown(value)], None);
        }
        let rejected = style::paint(style::BAD, "rejected");
        return format!("{}  {rejected}: {}\n", sheet.draw(), escape::line(reason));
    }
    if preview.into.is_some() {
        let names: Vec<&str> = preview.write.iter().map(String::as_str).collect();
        let mut sheet = Sheet::new(&names, &[]);
        for after in &row.after {
            sheet.add(&after.iter().map(shown).collect::<Vec<_>>(), None);
        }
        return if row.after.is_empty() { "  no rows\n".to_owned() } else { sheet.draw() };
    }
    let mut sheet = Sheet::new(&["Column", "Before", "After", ""], &[]);
    let after = row.after.first().map(Vec::as_slice).unwrap_or_default();
    for (index, name) in preview.write.iter().enumerate() {
        let changed = row.changed.get(index).copied().unwrap_or(false);
        let cell = |values: &[Value]| values.get(index).map(shown).unwrap_or_default();
        let mark = if changed { "changed" } else { "" };
        let cells = [name.clone(), cell(&row.before), cell(after), mark.to_owned()];
        sheet.add(&cells, changed.then_some((mark, style::PENDING)));
    }
    sheet.draw()
}

/// Writes the sentence that sums a preview up; it names the chain where there are several.
pub(crate) fn summary(preview: &Preview, several: bool) -> String {
    let rejected = preview.rows.iter().filter(|row| row.rejected.is_some()).count();
    let rows = amount::count(preview.rows.len(), "row", "rows");
    let what = match &preview.into {
        Some(into) => {
            let made = preview.rows.iter().map(|row| row.after.len()).sum();
            format!("{} for {}", amount::count(made, "row", "rows"), escape::line(into))
        }
        None => {
            let changed = preview.rows.iter().filter(|row| row.changed.contains(&true)).count();
            format!("{} changed", amount::number(changed as u64))
        }
    };
    format!(
        "{rows} of {}{}: {what}, {} rejected. Nothing was written.",
        escape::line(&preview.source),
        if several { format!(" (chain {})", escape::line(&preview.chain)) } else { String::new() },
        amount::number(rejected as u64)
    )
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Boolean(value) => i64::from(*value).to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => format!("{value:?}"),
        Value::Text(text) => {
            let cut: String = text.chars().take(LONGEST).collect();
            let more = if cut.len() < text.len() { "…" } else { "" };
            format!("'{cut}{more}'")
        }
        Value::Blob(bytes) => {
            let hex: String = bytes.iter().take(LONGEST / 2).map(|byte| format!("{byte:02x}")).collect();
            let more = if bytes.len() > LONGEST / 2 { "…" } else { "" };
            format!("x'{hex}{more}'")
        }
    }
}

/// What `preview` prints.
#[derive(Serialize)]
pub(crate) struct PreviewJson {
    schema: String,
    chain: String,
    source: String,
    into: Option<String>,
    rows: Vec<RowJson>,
    /// A statement that does the same on these rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    sql: Option<String>,
}

#[derive(Serialize)]
struct RowJson {
    key: Map<String, Json>,
    read: Map<String, Json>,
    before: Option<Map<String, Json>>,
    after: Vec<Map<String, Json>>,
    changed: Vec<String>,
    rejected: Option<String>,
}

/// Writes a preview as JSON. Integers are texts where JavaScript's numbers would lose digits.
pub(crate) fn json(preview: &Preview) -> PreviewJson {
    let row = |row: &PreviewRow| RowJson {
        key: named(&preview.key, &row.key),
        read: named(&preview.read, &row.read),
        before: preview.into.is_none().then(|| named(&preview.write, &row.before)),
        after: row.after.iter().map(|after| named(&preview.write, after)).collect(),
        changed: preview
            .write
            .iter()
            .zip(&row.changed)
            .filter(|(_, changed)| **changed)
            .map(|(name, _)| name.clone())
            .collect(),
        rejected: row.rejected.clone(),
    };
    PreviewJson {
        schema: schema("preview"),
        chain: preview.chain.clone(),
        source: preview.source.clone(),
        into: preview.into.clone(),
        rows: preview.rows.iter().map(row).collect(),
        sql: statement(preview),
    }
}

fn named(names: &[String], values: &[Value]) -> Map<String, Json> {
    names.iter().cloned().zip(values.iter().map(value)).collect()
}

fn value(value: &Value) -> Json {
    const EXACT: i64 = 1 << 53;
    match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => json!(*value),
        Value::Integer(value) if (-EXACT..=EXACT).contains(value) => json!(*value),
        Value::Integer(value) => json!({ "integer": value.to_string() }),
        Value::Real(value) => json!(*value),
        Value::Text(text) => json!(text),
        Value::Blob(bytes) => json!({ "blob": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() }),
    }
}

/// Writes the rows that a transform kept aside; the chain is named where there are several.
pub(crate) fn rejects(rows: &[RejectedRow], chain: Option<&str>) -> String {
    let of_chain = chain.map(|chain| format!(" in chain {}", escape::line(chain))).unwrap_or_default();
    if rows.is_empty() {
        return format!("No rows were kept aside{of_chain}.\n");
    }
    format!("{}\n{} kept aside{of_chain}.\n", reasons(rows), amount::count(rows.len(), "row was", "rows were"))
}

/// Writes the rows that a transform rejected and that nothing keeps; nothing without any.
pub(crate) fn rejected(rows: &[RejectedRow]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let count = amount::count(rows.len(), "row was", "rows were");
    let them = if rows.len() == 1 { "it" } else { "them" };
    format!("{}\n{count} rejected; no migration is recorded, so nothing keeps {them} aside.\n\n", reasons(rows))
}

fn reasons(rows: &[RejectedRow]) -> String {
    let mut sheet = Sheet::new(&["Key", "Reason"], &[]);
    for row in rows {
        sheet.add(&[row.key.clone(), row.reason.clone()], None);
    }
    sheet.draw()
}

/// Writes what became of rows that were tried once more, and those that are left.
pub(crate) fn retried(left: &[RejectedRow], chain: Option<&str>, retried: &Retried) -> String {
    let Retried { rows, gone } = *retried;
    if rows.rows == 0 && gone == 0 {
        return rejects(&[], chain);
    }
    let of_chain = chain.map(|chain| format!(" in chain {}", escape::line(chain))).unwrap_or_default();
    let mut text = format!("Tried once more{of_chain}: {}", row_counts(&rows));
    if gone > 0 {
        text.push_str(&format!("; {} not there any more", amount::number(gone)));
    }
    text.push_str(".\n");
    if !left.is_empty() {
        text.push_str(&format!("\n{}", rejects(left, chain)));
    }
    text
}

/// What `rejects` prints.
#[derive(Serialize)]
pub(crate) struct RejectsJson {
    schema: String,
    /// The chain of the transform; none where no transform of the version is applied.
    chain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retried: Option<RetriedJson>,
    rows: Vec<RejectJson>,
}

/// What became of rows that were tried once more.
#[derive(Serialize)]
struct RetriedJson {
    tried: u64,
    written: u64,
    unchanged: u64,
    rejected: u64,
    gone: u64,
}

/// A row that a transform rejected.
#[derive(Serialize)]
pub(crate) struct RejectJson {
    key: String,
    reason: String,
    values: Json,
}

/// Writes the rows that a transform kept aside as JSON.
pub(crate) fn rejects_json(found: &Rejects, retried: Option<&Retried>) -> RejectsJson {
    let retried = retried.map(|Retried { rows, gone }| RetriedJson {
        tried: rows.rows,
        written: rows.written,
        unchanged: rows.unchanged,
        rejected: rows.rejected,
        gone: *gone,
    });
    let rows = found.rows.iter().map(reject_json).collect();
    RejectsJson { schema: schema("rejects"), chain: found.chain.clone(), retried, rows }
}

/// Writes a row that a transform rejected as JSON.
pub(crate) fn reject_json(row: &RejectedRow) -> RejectJson {
    RejectJson {
        key: row.key.clone(),
        reason: row.reason.clone(),
        values: serde_json::from_str(&row.values).unwrap_or(Json::Null),
    }
}
