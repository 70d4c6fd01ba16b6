//! The part of a session that tells others who makes them wait, in the lock file beside the database.

use std::path::PathBuf;

use super::super::run_lock;
use super::SqliteSession;
use crate::db::{DbError, RunLock};

impl SqliteSession {
    pub(super) fn lock_file(&self, note: Option<&str>) -> Result<RunLock, DbError> {
        let file = self.file().map(|path| run_lock::acquire(&path, &self.watch)).transpose()?;
        let held = file.map(|mut file| {
            // One that was left behind names somebody else.
            file.note(note.unwrap_or_default());
            Box::new(file) as Box<dyn std::any::Any>
        });
        Ok(RunLock::new(held))
    }

    /// Takes the lock file if it is free: who has it otherwise is at work outside a transaction, and says so itself.
    pub(super) fn write_note(&mut self, note: &str) {
        match &mut self.noted {
            Some(noted) => noted.note(note),
            None => self.noted = self.file().and_then(|path| run_lock::take_if_free(&path, note)),
        }
    }

    /// Ends the note with the transaction, unless nobody else gets at the database after it either.
    pub(super) fn end_note(&mut self) {
        if !self.keep.is_kept() {
            self.noted = None;
        }
    }

    pub(super) fn name_holder(&self, error: DbError) -> DbError {
        match self.file() {
            Some(path) => run_lock::name_holder(error, &path),
            None => error,
        }
    }

    /// Returns the database's file, if it has one.
    fn file(&self) -> Option<PathBuf> {
        self.connection().path().filter(|path| !path.is_empty()).map(PathBuf::from)
    }
}
