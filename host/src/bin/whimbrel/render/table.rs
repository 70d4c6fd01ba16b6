//! Aligned tables. Cells are made safe to show; the colour of a line's state is added afterwards.

use anstyle::Style;
use comfy_table::{CellAlignment, Row, Table, presets};

use super::style;
use crate::escape;

/// A table that is being filled.
pub(crate) struct Sheet {
    table: Table,
    right: Vec<usize>,
    styles: Vec<Option<(String, Style)>>,
}

impl Sheet {
    /// Starts a table; columns at `right` hold numbers.
    pub(crate) fn new(header: &[&str], right: &[usize]) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(header.iter().copied());
        Self { table, right: right.to_vec(), styles: Vec::new() }
    }

    /// Adds a line; the last cell that says `styled` is shown in its style.
    pub(crate) fn add(&mut self, cells: &[String], styled: Option<(&str, Style)>) {
        let safe: Vec<String> = cells.iter().map(|cell| escape::line(cell).into_owned()).collect();
        self.table.add_row(Row::from(safe));
        self.styles.push(styled.map(|(text, style)| (text.to_owned(), style)));
    }

    /// Draws the table, two blanks before each line and none after it.
    pub(crate) fn draw(mut self) -> String {
        for column in self.table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        for index in self.right {
            if let Some(column) = self.table.column_mut(index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let mut text = String::new();
        for (index, line) in self.table.lines().enumerate() {
            let line = line.trim_end();
            let line = match index.checked_sub(1).and_then(|row| self.styles.get(row)) {
                None => style::paint(style::HEAD, line),
                Some(None) => line.to_owned(),
                Some(Some((word, style))) => painted(line, word, *style),
            };
            text.push_str("  ");
            text.push_str(&line);
            text.push('\n');
        }
        text
    }
}

fn painted(line: &str, word: &str, style: Style) -> String {
    match line.rsplit_once(word) {
        Some((before, after)) => format!("{before}{}{after}", style::paint(style, word)),
        None => line.to_owned(),
    }
}
