//! The rows of a batch that a statement is run for, by their places and by their keys. Pure.

use std::cell::Cell;

use whimbrel_packed::{RawCell, RawCells};

/// The rows that a statement is run for.
pub(in crate::db::sqlite) struct Source<'b> {
    /// The columns, and which of their rows is row 0 here.
    columns: Vec<(RawCells<'b>, usize)>,
    rows: Rows<'b>,
    /// Where the row was that was found last.
    at: Cell<usize>,
}

/// Which rows.
#[derive(Clone, Copy)]
enum Rows<'b> {
    First(usize),
    These(&'b [u32]),
}

impl<'b> Source<'b> {
    /// Takes the first rows.
    pub(in crate::db::sqlite) fn first(columns: Vec<(RawCells<'b>, usize)>, rows: usize) -> Self {
        Self { columns, rows: Rows::First(rows), at: Cell::new(0) }
    }

    /// Takes these rows.
    pub(in crate::db::sqlite) fn these(columns: Vec<(RawCells<'b>, usize)>, rows: &'b [u32]) -> Self {
        Self { columns, rows: Rows::These(rows), at: Cell::new(0) }
    }

    /// Counts the rows.
    pub(in crate::db::sqlite) fn len(&self) -> usize {
        match self.rows {
            Rows::First(count) => count,
            Rows::These(rows) => rows.len(),
        }
    }

    /// Counts the columns.
    pub(in crate::db::sqlite) fn width(&self) -> usize {
        self.columns.len()
    }

    /// Returns the number of the row at a place, counted from 0.
    pub(in crate::db::sqlite) fn row(&self, place: usize) -> u32 {
        match self.rows {
            Rows::First(_) => u32::try_from(place).unwrap_or(u32::MAX),
            Rows::These(rows) => rows[place],
        }
    }

    /// Returns a cell of the row with this number.
    #[inline(always)]
    pub(in crate::db::sqlite) fn cell(&self, row: u32, column: usize) -> RawCell<'b> {
        let (cells, first) = &self.columns[column];
        cells.cell(first + row as usize)
    }

    /// Returns the same without its last row, and that row.
    pub(super) fn split_last(&self) -> Option<(Self, Self)> {
        let (rest, last) = match self.rows {
            Rows::First(count) => {
                let rest = count.checked_sub(1)?;
                let shifted = self.columns.iter().map(|(cells, first)| (*cells, first + rest)).collect();
                (Rows::First(rest), Self::first(shifted, 1))
            }
            Rows::These(rows) => {
                let (_, rest) = rows.split_last()?;
                (Rows::These(rest), Self::these(self.columns.clone(), &rows[rest.len()..]))
            }
        };
        Some((Self { columns: self.columns.clone(), rows: rest, at: Cell::new(0) }, last))
    }

    #[inline(always)]
    pub(super) fn at_place(&self, place: usize, column: usize) -> Option<RawCell<'b>> {
        if place >= self.len() || column >= self.columns.len() {
            return None;
        }
        Some(self.cell(self.row(place), column))
    }

    /// Returns the key at a place: the last column of an update.
    #[inline(always)]
    fn key(&self, place: usize) -> Option<i64> {
        match self.at_place(place, self.columns.len().checked_sub(1)?)? {
            RawCell::Integer(key) => Some(key),
            _ => None,
        }
    }

    /// Returns the first and the last key if all keys are whole numbers that rise from row to row.
    pub(super) fn rising_keys(&self) -> Option<(i64, i64)> {
        let first = self.key(0)?;
        let mut last = first;
        for place in 1..self.len() {
            let key = self.key(place)?;
            if key <= last {
                return None;
            }
            last = key;
        }
        Some((first, last))
    }

    /// Finds the row with a key. Keys rise, and are mostly asked for in their order.
    #[inline(always)]
    pub(super) fn find(&self, key: i64) -> Option<usize> {
        let at = self.at.get();
        for place in [at, at + 1] {
            if self.key(place) == Some(key) {
                self.at.set(place);
                return Some(place);
            }
        }
        self.search(key)
    }

    #[cold]
    fn search(&self, key: i64) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.key(middle)?.cmp(&key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => {
                    self.at.set(middle);
                    return Some(middle);
                }
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}
