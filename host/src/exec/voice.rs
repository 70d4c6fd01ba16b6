//! Passes what the code of a step says on.

use std::sync::Arc;

use super::event::{Event, Observer};
use crate::code_events::CodeEvents;
use crate::log_level::LogLevel;
use crate::plan::Step;

/// Passes what the code of a step says on to the log and the observer.
pub(super) struct Voice {
    pub(super) step: Step,
    pub(super) observer: Arc<dyn Observer>,
}

impl CodeEvents for Voice {
    fn log(&self, level: LogLevel, message: &str) {
        let (version, name) = (self.step.migration.version, self.step.migration.name.as_str());
        // A macro, because the level is part of tracing's static call site.
        macro_rules! trace {
            ($macro:ident) => {
                tracing::$macro!(target: "whimbrel::guest", %version, name, "{message}")
            };
        }
        match level {
            LogLevel::Trace => trace!(trace),
            LogLevel::Debug => trace!(debug),
            LogLevel::Info => trace!(info),
            LogLevel::Warn => trace!(warn),
            LogLevel::Error => trace!(error),
        }
        self.observer.event(&Event::Log { step: &self.step, level, message });
    }

    fn progress(&self, done: u64, total: Option<u64>) {
        self.observer.event(&Event::Progress { step: &self.step, done, total });
    }
}
