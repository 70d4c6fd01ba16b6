//! The handle on the transaction, as scripts use it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use whimbrel_packed::CheckedBatch;

use crate::bindings::whimbrel::migration::sql::{self, Transaction};
use crate::bindings::whimbrel::migration::types::{SqlError, Value};
use crate::failure::{Kind, fail, fail_sql};
use crate::js::{Js, Result, Thrown};
use crate::many::Rows;
use crate::values::{self, Names, Shape};

/// Rows fetched first, and later: who wants only the first row should not wait for a thousand.
const FIRST_ROWS: u32 = 64;
const ROWS: u32 = 1024;
/// The word without which a statement that changes something has no columns.
const RETURNING: &[u8] = b"RETURNING";
const SELECT: &[u8] = b"SELECT";
/// Statements that are kept prepared.
const KEPT: usize = 32;

thread_local! {
    static TRANSACTION: RefCell<Option<Rc<Transaction>>> = const { RefCell::new(None) };
    static STATEMENTS: RefCell<VecDeque<Kept>> = const { RefCell::new(VecDeque::new()) };
    /// Errors that are thrown where the rows of a query are never read that were given away; nothing where they were.
    static GIVEN: RefCell<Vec<Option<Js>>> = const { RefCell::new(Vec::new()) };
}

/// A statement that was run before.
struct Kept {
    /// The text as JavaScript has it: the same constant of a script is the same value each time.
    key: Js,
    text: String,
    /// None when it was run only once.
    statement: Option<Rc<sql::Statement>>,
}

/// Takes the handle over.
pub(crate) fn lend(transaction: Transaction) {
    TRANSACTION.set(Some(Rc::new(transaction)));
}

fn transaction() -> Result<Rc<Transaction>> {
    TRANSACTION.with_borrow(Clone::clone).ok_or_else(|| {
        fail(Kind::Plain, "there is no database here: a transform sees the columns of its row and nothing else")
    })
}

/// Throws what the database refused.
pub(crate) fn said<T>(result: std::result::Result<T, SqlError>) -> Result<T> {
    result.map_err(|error| fail_sql(&error))
}

/// Reads a statement's text.
fn text(statement: &Js) -> Result<String> {
    if statement.kind() != crate::js::Type::Text {
        return Err(fail(Kind::Type, "the statement is a text: db.execute(\"UPDATE …\", [a, b])"));
    }
    match statement.with_text(|bytes| std::str::from_utf8(bytes).map(str::to_owned))? {
        Ok(text) => Ok(text),
        Err(_) => Err(fail(Kind::Type, "the statement has half of a surrogate pair, which is no text")),
    }
}

/// Runs a statement. From its second run on it is kept prepared.
pub(crate) fn execute(statement: &Js, params: &[Value]) -> Result<u64> {
    let transaction = transaction()?;
    let known = STATEMENTS.with_borrow(|kept| {
        let found = kept.iter().position(|kept| kept.key.raw() == statement.raw());
        found.map(|index| (index, kept[index].statement.clone()))
    });
    let known = match known {
        Some(known) => Some(known),
        None => {
            let text = text(statement)?;
            STATEMENTS.with_borrow(|kept| {
                let found = kept.iter().position(|kept| kept.text == text);
                found.map(|index| (index, kept[index].statement.clone()))
            })
        }
    };
    match known {
        Some((_, Some(prepared))) => said(prepared.execute(params)),
        Some((index, None)) => {
            let prepared = Rc::new(said(transaction.prepare(&text(statement)?))?);
            STATEMENTS.with_borrow_mut(|kept| kept[index].statement = Some(Rc::clone(&prepared)));
            said(prepared.execute(params))
        }
        None => {
            let text = text(statement)?;
            let changed = said(transaction.execute(&text, params))?;
            STATEMENTS.with_borrow_mut(|kept| {
                if kept.len() == KEPT {
                    kept.pop_front();
                }
                kept.push_back(Kept { key: statement.clone(), text, statement: None });
            });
            Ok(changed)
        }
    }
}

/// Runs a query.
pub(crate) fn query(statement: &Js, params: &[Value], shape: Shape) -> Result<Cursor> {
    let text = text(statement)?;
    let handle = said(transaction()?.query(&text, params))?;
    Cursor::new(handle, shape, writes(&text))
}

/// Tells whether a statement with columns may be one that changes something.
fn writes(text: &str) -> bool {
    let has = |part: &[u8], word: &[u8]| part.eq_ignore_ascii_case(word);
    let bytes = text.trim_ascii_start().as_bytes();
    // Most queries begin so, and none of these changes anything.
    let is_select = bytes.get(..SELECT.len()).is_some_and(|begin| has(begin, SELECT));
    !is_select && bytes.windows(RETURNING.len()).any(|part| has(part, RETURNING))
}

/// Prepares a statement.
pub(crate) fn prepare(statement: &Js) -> Result<Prepared> {
    let text = text(statement)?;
    let handle = said(transaction()?.prepare(&text))?;
    Ok(Prepared { handle: Rc::new(handle), writes: writes(&text) })
}

/// Names the kind of database.
pub(crate) fn dialect() -> Result<String> {
    Ok(transaction()?.dialect())
}

/// Opens a savepoint.
pub(crate) fn open_savepoint() -> Result<sql::Savepoint> {
    said(transaction()?.open_savepoint())
}

/// The rows of a query, fetched as they are wanted.
pub(crate) struct Cursor {
    /// None at the end.
    handle: Option<sql::Cursor>,
    names: Names,
    columns: Vec<String>,
    batch: Option<CheckedBatch>,
    row: usize,
    fetch: u32,
    shape: Shape,
    /// Where it was given away to be read through something else, by its number in [`GIVEN`].
    given: Option<u32>,
}

impl Cursor {
    /// A statement that may change something is run at once, whoever reads its rows: the database does that with its first.
    fn new(handle: sql::Cursor, shape: Shape, writes: bool) -> Result<Self> {
        let columns = handle.columns();
        let names = Names::new(columns.iter());
        let is_run = writes || columns.is_empty();
        let mut cursor =
            Self { handle: Some(handle), names, columns, batch: None, row: 0, fetch: FIRST_ROWS, shape, given: None };
        if is_run {
            cursor.read()?;
        }
        Ok(cursor)
    }

    /// Reads rows where there are none left; tells whether there are some.
    fn read(&mut self) -> Result<bool> {
        while self.batch.as_ref().is_none_or(|batch| self.row >= batch.rows()) {
            let Some(handle) = &self.handle else { return Ok(false) };
            match said(handle.next_batch(self.fetch, 0))? {
                None => {
                    self.close();
                    return Ok(false);
                }
                Some(batch) => {
                    self.batch = Some(values::check(batch)?);
                    self.row = 0;
                    self.fetch = ROWS;
                }
            }
        }
        Ok(true)
    }

    /// Notes that the rows are to be read through what `method` returns.
    pub(crate) fn give(&mut self, method: &str) {
        let message = format!(
            "nobody reads what .{method}(…) of a query returns, so that it was never called for a row: write \
             .all().{method}(…), or for (const row of db.query(…)) {{ … }}"
        );
        let Thrown = fail(Kind::Plain, &message);
        let error = Js::exception();
        self.given = GIVEN.with_borrow_mut(|given| {
            given.push(Some(error));
            u32::try_from(given.len() - 1).ok()
        });
    }

    fn taken(&mut self) {
        if let Some(number) = self.given.take() {
            GIVEN.with_borrow_mut(|given| given[number as usize] = None);
        }
    }

    /// Tells whether it is one that nobody will read a row of.
    pub(crate) fn has_begun(&self) -> bool {
        self.batch.is_some() || self.handle.is_none()
    }

    /// Returns the next row.
    pub(crate) fn next(&mut self) -> Result<Option<Js>> {
        self.taken();
        if !self.read()? {
            return Ok(None);
        }
        let Some(batch) = &self.batch else { return Ok(None) };
        let row = values::from_row(&self.names, batch, self.row, self.shape)?;
        self.row += 1;
        Ok(Some(row))
    }

    /// Returns all rows that are left.
    pub(crate) fn all(&mut self) -> Result<Js> {
        let rows = Js::array()?;
        let mut count = 0;
        self.fetch = ROWS;
        while let Some(row) = self.next()? {
            rows.put(count, row)?;
            count += 1;
        }
        Ok(rows)
    }

    /// Returns the next row and closes the cursor.
    pub(crate) fn first(&mut self) -> Result<Js> {
        self.fetch = 1;
        let row = self.next()?;
        self.close();
        Ok(row.unwrap_or_else(Js::undefined))
    }

    /// Names the columns.
    pub(crate) fn columns(&self) -> Result<Js> {
        let names = Js::array()?;
        for (index, name) in self.columns.iter().enumerate() {
            names.put(index as u32, Js::text(name)?)?;
        }
        Ok(names)
    }

    /// Ends the query.
    pub(crate) fn close(&mut self) {
        self.taken();
        self.handle = None;
        self.batch = None;
    }
}

/// Returns the error of the first query whose rows were given away and never read.
pub(crate) fn unread() -> Option<Js> {
    GIVEN.take().into_iter().flatten().next()
}

/// A prepared statement.
pub(crate) struct Prepared {
    handle: Rc<sql::Statement>,
    writes: bool,
}

impl Prepared {
    /// Runs it once.
    pub(crate) fn execute(&self, params: &[Value]) -> Result<u64> {
        said(self.handle.execute(params))
    }

    /// Runs it as a query.
    pub(crate) fn query(&self, params: &[Value], shape: Shape) -> Result<Cursor> {
        Cursor::new(said(self.handle.query(params))?, shape, self.writes)
    }

    /// Collects rows to run it for.
    pub(crate) fn many(&self) -> Rows {
        Rows::new(Rc::clone(&self.handle))
    }
}
