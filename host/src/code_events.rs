//! What the code of a migration tells while it runs.

use crate::log_level::LogLevel;

/// Hears what the code of a migration tells while it runs, on the thread that runs it.
pub trait CodeEvents: Send + Sync {
    /// One line of log.
    fn log(&self, level: LogLevel, message: &str);
    /// How far the work is.
    fn progress(&self, done: u64, total: Option<u64>);
}
