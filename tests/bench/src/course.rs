//! A database full of rows, on which several programs do the same work.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::measure::Contender;
use crate::tool::DATABASE;
use crate::workshop::{copy_database, number};

/// A database full of rows, and how to tell that the work was done.
pub(crate) struct Course {
    /// The database that every run starts from.
    pub(crate) full: PathBuf,
    /// Counts the rows that were written.
    pub(crate) count: &'static str,
    /// How many there must be.
    pub(crate) rows: u32,
}

impl Course {
    /// Lets a program that finds the database in this folder take part.
    pub(crate) fn contender<'w>(
        &'w self,
        name: &str,
        room: PathBuf,
        command: impl Fn(&Path) -> Result<Command> + 'w,
    ) -> Contender<'w> {
        let database = room.join(DATABASE);
        Contender {
            name: name.to_owned(),
            prepare: Box::new(move || {
                copy_database(&self.full, &room.join(DATABASE))?;
                command(&room)
            }),
            check: Box::new(move || {
                let written = number(&database, self.count)?;
                ensure!(written == i64::from(self.rows), "{written} rows were written");
                Ok(())
            }),
        }
    }
}
