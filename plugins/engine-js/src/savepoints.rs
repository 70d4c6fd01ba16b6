//! A script's savepoints. They end in the reverse of the order in which they were opened: the database ends those inside
//! one together with it, and so the work of somebody else who waits.

use std::cell::{Cell, RefCell};

use crate::bindings::whimbrel::migration::sql::Savepoint;
use crate::failure::{Kind, fail};
use crate::js::Result;
use crate::sql;

thread_local! {
    /// Those that are open, the innermost last, by their numbers.
    static OPEN: RefCell<Vec<(u32, Savepoint)>> = const { RefCell::new(Vec::new()) };
    static NUMBER: Cell<u32> = const { Cell::new(0) };
}

/// Opens one inside those that are open, and returns its number.
pub(crate) fn open() -> Result<u32> {
    let savepoint = sql::open_savepoint()?;
    let number = NUMBER.get();
    NUMBER.set(number.wrapping_add(1));
    OPEN.with_borrow_mut(|open| open.push((number, savepoint)));
    Ok(number)
}

/// Keeps or undoes what happened since it was opened. While a later one is open it throws, and both stay open.
pub(crate) fn end(number: u32, keep: bool) -> Result<()> {
    let ended = OPEN.with_borrow_mut(|open| match open.iter().position(|(other, _)| *other == number) {
        Some(place) if place + 1 < open.len() => Err(()),
        Some(_) => Ok(open.pop()),
        None => Ok(None),
    });
    match ended {
        Ok(Some((_, savepoint))) if keep => sql::said(savepoint.release()),
        Ok(Some((_, savepoint))) => {
            // The script's own error is the one to tell; a failed undo leaves the step to be rolled back as a whole.
            let _ = savepoint.rollback();
            Ok(())
        }
        Ok(None) => Ok(()),
        Err(()) => Err(fail(
            Kind::Plain,
            "a savepoint cannot end while one that was opened after it is open: await one db.savepoint(…) before the next \
             begins",
        )),
    }
}
