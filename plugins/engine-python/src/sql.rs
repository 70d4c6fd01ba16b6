//! The handle on the transaction, as scripts use it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use monty_types::{ExcType, MontyException, MontyObject};

use crate::bindings::whimbrel::migration::sql::{self, Transaction};
use crate::bindings::whimbrel::migration::types::{SqlError, Value};
use crate::failure::{raise, raise_sql};
use crate::memory;
use crate::rows::{Rows, Shape};
use crate::values;

/// Rows fetched at once.
const ROWS: u32 = 1024;
/// Statements that are kept prepared.
const KEPT: usize = 32;

type Result<T> = std::result::Result<T, MontyException>;

thread_local! {
    static TRANSACTION: RefCell<Option<Rc<Transaction>>> = const { RefCell::new(None) };
    static STATEMENTS: RefCell<VecDeque<Kept>> = const { RefCell::new(VecDeque::new()) };
    static CURSORS: RefCell<Vec<Option<Cursor>>> = const { RefCell::new(Vec::new()) };
}

/// A statement that was run before.
struct Kept {
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
        let message = "there is no database here: a transform sees the columns of its row and nothing else";
        raise(ExcType::RuntimeError, message)
    })
}

/// Raises what the database refused.
pub(crate) fn said<T>(result: std::result::Result<T, SqlError>) -> Result<T> {
    result.map_err(raise_sql)
}

/// Names the kind of database, if there is one.
pub(crate) fn dialect() -> Option<String> {
    transaction().ok().map(|transaction| transaction.dialect())
}

/// Returns a statement that was run before: from its second run on it is kept prepared.
fn kept(text: &str) -> Result<Option<Rc<sql::Statement>>> {
    let known = STATEMENTS.with_borrow(|kept| {
        let found = kept.iter().position(|kept| kept.text == text);
        found.map(|index| (index, kept[index].statement.clone()))
    });
    match known {
        Some((_, Some(statement))) => Ok(Some(statement)),
        Some((index, None)) => {
            let statement = Rc::new(prepare(text)?);
            STATEMENTS.with_borrow_mut(|kept| kept[index].statement = Some(Rc::clone(&statement)));
            Ok(Some(statement))
        }
        None => Ok(None),
    }
}

/// Remembers a statement that was run.
fn keep(text: &str) {
    STATEMENTS.with_borrow_mut(|kept| {
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(Kept { text: text.to_owned(), statement: None });
    });
}

/// Runs a statement.
pub(crate) fn execute(text: &str, params: &[Value]) -> Result<u64> {
    if let Some(statement) = kept(text)? {
        return said(statement.execute(params));
    }
    let changed = said(transaction()?.execute(text, params))?;
    keep(text);
    Ok(changed)
}

/// Runs a query.
pub(crate) fn query(text: &str, params: &[Value], shape: Shape) -> Result<Cursor> {
    if let Some(statement) = kept(text)? {
        return Ok(Cursor::new(said(statement.query(params))?, shape));
    }
    let handle = said(transaction()?.query(text, params))?;
    keep(text);
    Ok(Cursor::new(handle, shape))
}

/// Prepares a statement.
pub(crate) fn prepare(text: &str) -> Result<sql::Statement> {
    said(transaction()?.prepare(text))
}

/// The rows of a query.
pub(crate) struct Cursor {
    /// None at the end.
    handle: Option<sql::Cursor>,
    columns: Vec<String>,
    shape: Shape,
}

impl Cursor {
    fn new(handle: sql::Cursor, shape: Shape) -> Self {
        Self { columns: handle.columns(), handle: Some(handle), shape }
    }

    /// Returns the next rows.
    fn fetch(&mut self, most: usize) -> Result<Rows> {
        let mut rows = Rows::new(&self.columns, self.shape);
        let before = memory::used();
        while rows.len() < most {
            let Some(handle) = &self.handle else { break };
            let wanted = u32::try_from(most - rows.len()).unwrap_or(ROWS).min(ROWS);
            match said(handle.next_batch(wanted, 0))? {
                Some(batch) => rows.extend(&values::check(batch)?),
                None => self.handle = None,
            }
            // The interpreter makes its own values of them, which take about as much again.
            let used = memory::used();
            if memory::beyond(used + used.saturating_sub(before)) {
                let message =
                    format!("more than {} rows at once are too much: cursor.fetch(1000) takes fewer", rows.len());
                return Err(raise(ExcType::MemoryError, message));
            }
        }
        Ok(rows)
    }

    /// Returns all rows.
    pub(crate) fn all(mut self) -> Result<MontyObject> {
        self.fetch(usize::MAX).map(Rows::list)
    }

    /// Returns the first row, or `None`.
    pub(crate) fn first(mut self) -> Result<MontyObject> {
        self.fetch(1).map(Rows::first)
    }

    /// Keeps it for a script, which knows it by its number.
    pub(crate) fn open(self) -> MontyObject {
        let columns = MontyObject::list(self.columns.iter().map(|name| MontyObject::string(name.clone())));
        let number = CURSORS.with_borrow_mut(|all| {
            all.push(Some(self));
            all.len() - 1
        });
        MontyObject::tuple([MontyObject::int(number as i64), columns])
    }
}

/// Returns the next rows of a cursor that is kept. A failure ends it: rows that came before it are lost.
pub(crate) fn fetch(number: usize, most: usize) -> Result<MontyObject> {
    CURSORS.with_borrow_mut(|all| {
        let kept = all.get_mut(number).and_then(Option::as_mut);
        let fetched = match kept {
            Some(cursor) => cursor.fetch(most),
            None => return Err(raise(ExcType::RuntimeError, "the cursor is closed")),
        };
        if fetched.is_err() {
            all[number] = None;
        }
        fetched.map(Rows::list)
    })
}

/// Ends a cursor that is kept.
pub(crate) fn close(number: usize) {
    CURSORS.with_borrow_mut(|all| drop(all.get_mut(number).and_then(Option::take)));
}

/// Opens a savepoint.
pub(crate) fn open_savepoint() -> Result<sql::Savepoint> {
    said(transaction()?.open_savepoint())
}
