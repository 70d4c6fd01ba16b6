//! What a migration has to say while it runs. Natively, in tests, nothing is written anywhere.

use crate::backend;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every detail.
    Trace,
    /// For whoever looks for a fault.
    Debug,
    /// Worth knowing.
    Info,
    /// Something is odd.
    Warn,
    /// Something is wrong.
    Error,
}

/// Writes one line into the host's log, with the migration's version beside it.
pub fn write(level: Level, message: &str) {
    backend::log(level, message);
}

/// Tells how far the work is: `done` of `total` units of the author's choice.
pub fn progress(done: u64, total: impl Into<Option<u64>>) {
    backend::progress(done, total.into());
}

macro_rules! level_macro {
    ($dollar:tt $name:ident, $level:ident, $doc:literal) => {
        #[doc = $doc]
        #[macro_export]
        macro_rules! $name {
                    ($dollar($dollar argument:tt)+) => {
                        $crate::log::write($crate::log::Level::$level, &::std::format!($dollar($dollar argument)+))
                    };
                }
    };
}

level_macro!($ trace, Trace, "Logs every detail; takes what `format!` takes.");
level_macro!($ debug, Debug, "Logs for whoever looks for a fault; takes what `format!` takes.");
level_macro!($ info, Info, "Logs what is worth knowing; takes what `format!` takes.");
level_macro!($ warn, Warn, "Logs that something is odd; takes what `format!` takes.");
level_macro!($ error, Error, "Logs that something is wrong; takes what `format!` takes.");
