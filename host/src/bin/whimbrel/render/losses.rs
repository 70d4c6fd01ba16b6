//! What would be gone, for people and as JSON.

use serde::Serialize;
use whimbrel::exec::Loss;

use super::{amount, style};
use crate::escape;

/// Writes a line for each table and column that would be gone; nothing if there is none.
pub(crate) fn text(losses: &[Loss]) -> String {
    let line = |loss: &Loss| {
        let rows = match loss.rows {
            Some(rows) => amount::count(usize::try_from(rows).unwrap_or(usize::MAX), "row", "rows"),
            None => "more rows than can be counted in a moment".to_owned(),
        };
        let what = match &loss.column {
            None => format!("table {} with {rows}", escape::line(&loss.table)),
            Some(column) => {
                format!("column {}.{} with values in {rows}", escape::line(&loss.table), escape::line(column))
            }
        };
        format!("{}: {what} would be gone\n", style::paint(style::WARNING, "warning"))
    };
    losses.iter().map(line).collect()
}

/// One of them.
#[derive(Serialize)]
pub(crate) struct LossJson {
    table: String,
    column: Option<String>,
    /// `null` where counting them took too long.
    rows: Option<u64>,
}

/// Writes them as JSON.
pub(crate) fn json(losses: &[Loss]) -> Vec<LossJson> {
    let one = |loss: &Loss| LossJson { table: loss.table.clone(), column: loss.column.clone(), rows: loss.rows };
    losses.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_that_rows_were_not_counted() {
        let loss = |column: Option<&str>, rows| Loss { table: "t".into(), column: column.map(Into::into), rows };
        let text = text(&[loss(None, Some(1)), loss(Some("c"), None)]);
        assert!(text.contains("table t with 1 row would be gone\n"), "{text}");
        assert!(text.contains("column t.c with values in more rows than can be counted in a moment would be gone\n"));
    }
}
