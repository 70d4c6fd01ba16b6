//! Rows before and after a transform as one page that needs nothing else. What stands in rows is hostile.

use whimbrel::db::Value;
use whimbrel::transform::{Preview, PreviewRow};

use super::amount;
use super::preview::{statement, summary};
use crate::escape;

/// Characters shown of a value.
const LONGEST: usize = 2000;
/// Bytes shown of a blob.
const BYTES: usize = 256;

/// Nothing is fetched and nothing runs, whatever gets into the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const STYLE: &str = "\
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { margin: 2rem auto; max-width: 80rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
caption { text-align: left; padding-bottom: .5rem }
th, td { border: 1px solid #8886; padding: .3rem .6rem; text-align: left; vertical-align: top; overflow-wrap: anywhere }
thead th { background: #8882 }
td, tbody th { font-family: ui-monospace, monospace; white-space: pre-wrap }
.changed { background: #d9a40033 }
.changed del { color: #b3261e; text-decoration-thickness: 1px }
.changed ins { color: #146c2e; text-decoration: none; font-weight: 600 }
.rejected { background: #b3261e22 }
.null, .blob { color: #777; font-style: italic }
@media (prefers-color-scheme: dark) { .changed del { color: #ff8a80 } .changed ins { color: #8ce99a } }
";

/// Writes the page.
pub(crate) fn page(preview: &Preview, migration: &str) -> String {
    let title = format!("Preview of migration {migration}");
    let title = text(&title);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    );
    page.push_str(&format!("<p id=\"summary\">{}</p>\n", text(&summary(preview, false))));
    if !preview.rows.is_empty() {
        page.push_str(&table(preview));
    }
    if let Some(statement) = statement(preview) {
        page.push_str(&format!(
            "<p id=\"hint\">On these rows SQL gives the same, and is faster: <code>{}</code></p>\n",
            text(&statement)
        ));
    }
    if !preview.log.is_empty() {
        page.push_str("<h2>What the component logged</h2>\n<ul id=\"log\">\n");
        for (_, line) in &preview.log {
            page.push_str(&format!("<li>{}</li>\n", text(line)));
        }
        page.push_str("</ul>\n");
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn table(preview: &Preview) -> String {
    let target = match &preview.into {
        Some(into) => format!("Rows of {} and what goes into {into}", preview.source),
        None => format!("Rows of {} before and after", preview.source),
    };
    let head = |names: &[String], group: &str| -> String {
        names.iter().map(|name| format!("<th scope=\"col\">{}{}</th>", text(name), group)).collect()
    };
    let mut table = format!("<table>\n<caption>{}</caption>\n<thead><tr>", text(&target));
    table.push_str(&head(&preview.key, ""));
    table.push_str(&head(&preview.read, " <small>read</small>"));
    table.push_str(&head(&preview.write, " <small>written</small>"));
    table.push_str("</tr></thead>\n<tbody>\n");
    for row in &preview.rows {
        table.push_str(&one(preview, row));
    }
    table.push_str("</tbody>\n</table>\n");
    table
}

/// Writes a row; in another table as many lines as there are rows made of it.
fn one(preview: &Preview, row: &PreviewRow) -> String {
    let plain = |values: &[Value], tag: &str| -> String {
        values
            .iter()
            .map(|value| format!("<{tag}>{}</{}>", cell(value), tag.split(' ').next().unwrap_or(tag)))
            .collect()
    };
    let given = format!("{}{}", plain(&row.key, "th scope=\"row\""), plain(&row.read, "td"));
    let across = preview.write.len();
    if let Some(reason) = &row.rejected {
        return format!(
            "<tr class=\"rejected\">{given}<td colspan=\"{across}\">rejected: {}</td></tr>\n",
            text(reason)
        );
    }
    if preview.into.is_some() {
        if row.after.is_empty() {
            return format!("<tr>{given}<td colspan=\"{across}\"><span class=\"null\">no rows</span></td></tr>\n");
        }
        let made = row.after.iter().map(|after| format!("<tr>{given}{}</tr>\n", plain(after, "td class=\"made\"")));
        return made.collect();
    }
    let after = row.after.first().map(Vec::as_slice).unwrap_or_default();
    let written: String = row
        .before
        .iter()
        .zip(after)
        .zip(&row.changed)
        .map(|((before, after), changed)| match changed {
            true => format!("<td class=\"changed\"><del>{}</del> → <ins>{}</ins></td>", cell(before), cell(after)),
            false => format!("<td>{}</td>", cell(after)),
        })
        .collect();
    format!("<tr>{given}{written}</tr>\n")
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "<span class=\"null\">NULL</span>".to_owned(),
        Value::Boolean(value) => i64::from(*value).to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => format!("{value:?}"),
        Value::Text(value) => {
            let cut: String = value.chars().take(LONGEST).collect();
            let more = if cut.len() < value.len() { "…" } else { "" };
            format!("{}{more}", text(&cut))
        }
        Value::Blob(bytes) => {
            let hex: String = bytes.iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect();
            let more = if bytes.len() > BYTES { "…" } else { "" };
            let size = amount::bytes(bytes.len() as u64);
            format!("<span class=\"blob\" title=\"{size}\">x'{hex}{more}'</span>")
        }
    }
}

/// Makes text of the page of whatever comes: no character of it is markup, and none disturbs how the others are shown.
fn text(hostile: &str) -> String {
    let mut safe = String::with_capacity(hostile.len());
    for character in escape::lines(hostile).chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_of_a_cell_is_markup() {
        let hostile = "</td><script>alert(\"1\")</script>&lt;'\u{1b}[2J\u{202e}";
        assert_eq!(
            text(hostile),
            "&lt;/td&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;lt;&#39;\\u{1b}[2J\\u{202e}"
        );
    }
}
