//! Aligned tables. Cells are made safe to show; the word for a line's state is shown in colour.

use std::fmt::Write;
use std::iter;
use std::ops::Range;

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use super::style;
use crate::escape;

/// Blanks between two columns.
const BETWEEN: usize = 2;

/// A table that is being filled.
pub(crate) struct Sheet {
    columns: Vec<Column>,
    /// Of the header, then of each line, cell by cell.
    text: String,
    cells: Vec<Cell>,
    lines: Vec<Option<Styled>>,
}

struct Column {
    width: usize,
    is_number: bool,
}

struct Cell {
    /// Where it ends in the text.
    end: usize,
    width: usize,
}

struct Styled {
    /// Where it is in the text.
    word: Range<usize>,
    style: Style,
}

impl Sheet {
    /// Starts a table; columns at `right` hold numbers.
    pub(crate) fn new(header: &[&str], right: &[usize]) -> Self {
        let column = |index| Column { width: 0, is_number: right.contains(&index) };
        let columns = (0..header.len()).map(column).collect();
        let mut sheet = Self { columns, text: String::new(), cells: Vec::new(), lines: Vec::new() };
        sheet.add(header, None);
        sheet
    }

    /// Adds a line, with a cell for each column; the last one that says `styled` is shown in its style.
    pub(crate) fn add(&mut self, cells: &[impl AsRef<str>], styled: Option<(&str, Style)>) {
        let mut word = None;
        for (index, column) in self.columns.iter_mut().enumerate() {
            let cell = escape::line(cells.get(index).map_or("", AsRef::as_ref));
            let start = self.text.len();
            self.text.push_str(&cell);
            let width = cell.width();
            column.width = column.width.max(width);
            self.cells.push(Cell { end: self.text.len(), width });
            if let Some((wanted, _)) = styled
                && let Some(at) = cell.rfind(wanted)
            {
                word = Some(start + at..start + at + wanted.len());
            }
        }
        self.lines.push(word.zip(styled).map(|(word, (_, style))| Styled { word, style }));
    }

    /// Draws the table, two blanks before each line and none after it.
    pub(crate) fn draw(self) -> String {
        let width: usize = self.columns.iter().map(|column| column.width + BETWEEN).sum();
        let mut drawn = String::with_capacity((width + BETWEEN) * self.lines.len());
        let mut at = 0;
        for (index, styled) in self.lines.iter().enumerate() {
            blanks(&mut drawn, BETWEEN);
            let start = drawn.len();
            // Writing to a String cannot fail.
            if index == 0 {
                let _ = write!(drawn, "{}", style::HEAD);
            }
            let cells = &self.cells[index * self.columns.len()..][..self.columns.len()];
            for (column, cell) in self.columns.iter().zip(cells) {
                let (before, after) = match column.is_number {
                    true => (column.width - cell.width, 0),
                    false => (0, column.width - cell.width),
                };
                blanks(&mut drawn, before);
                let here = styled.as_ref().filter(|styled| styled.word.start >= at && styled.word.end <= cell.end);
                match here {
                    Some(Styled { word, style }) => {
                        drawn.push_str(&self.text[at..word.start]);
                        let _ = write!(drawn, "{style}{}{style:#}", &self.text[word.clone()]);
                        drawn.push_str(&self.text[word.end..cell.end]);
                    }
                    None => drawn.push_str(&self.text[at..cell.end]),
                }
                blanks(&mut drawn, after + BETWEEN);
                at = cell.end;
            }
            drawn.truncate(drawn.trim_end().len().max(start));
            if index == 0 {
                let _ = write!(drawn, "{:#}", style::HEAD);
            }
            drawn.push('\n');
        }
        drawn
    }
}

fn blanks(text: &mut String, count: usize) {
    text.extend(iter::repeat_n(' ', count));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligns_by_what_is_seen() {
        let mut sheet = Sheet::new(&["No", "Name", "State"], &[0]);
        sheet.add(&["1", "größe", "applied"], Some(("applied", style::GOOD)));
        sheet.add(&["1000", "漢字\u{1b}", "pending, pending"], Some(("pending", style::PENDING)));
        sheet.add(&["", "", ""], Some(("applied", style::GOOD)));
        sheet.add(&["7"], None);
        let (good, pending, head) = (style::GOOD, style::PENDING, style::HEAD);
        let expected = format!(
            "  {head}  No  Name        State{head:#}\n\
             \u{20}    1  größe       {good}applied{good:#}\n\
             \u{20} 1000  漢字\\u{{1b}}  pending, {pending}pending{pending:#}\n\
             \u{20} \n\
             \u{20}    7\n"
        );
        assert_eq!(sheet.draw(), expected);
        assert_eq!(Sheet::new(&[], &[]).draw(), format!("  {0}{0:#}\n", style::HEAD));
    }
}
