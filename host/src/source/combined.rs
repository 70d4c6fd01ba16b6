//! Several sources that make one chain.

use super::{Layout, Loaded, Source, SourceError};
use crate::interrupt::Interrupt;
use std::fmt;

/// Several sources as one, such as embedded files and Rust code.
#[derive(Default)]
pub struct Combined {
    sources: Vec<Box<dyn Source>>,
}

impl fmt::Debug for Combined {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Combined").field("sources", &self.describe()).finish_non_exhaustive()
    }
}

impl Combined {
    /// Starts with none.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a source.
    #[must_use]
    pub fn with(mut self, source: impl Source + 'static) -> Self {
        self.sources.push(Box::new(source));
        self
    }
}

impl Combined {
    fn join(&self, load: impl Fn(&dyn Source) -> Result<Loaded, SourceError>) -> Result<Loaded, SourceError> {
        let mut all = Loaded::default();
        let mut problems = Vec::new();
        for source in &self.sources {
            match load(source) {
                Ok(mut loaded) => {
                    all.assumed = all.assumed.or(loaded.assumed);
                    all.migrations.append(&mut loaded.migrations);
                    all.libraries.append(&mut loaded.libraries);
                    all.hooks.append(&mut loaded.hooks);
                    all.elsewhere.append(&mut loaded.elsewhere);
                    all.ignored.append(&mut loaded.ignored);
                }
                Err(error) if error.interrupted => return Err(error),
                Err(mut error) => problems.append(&mut error.problems),
            }
        }
        if problems.is_empty() { Ok(all) } else { Err(SourceError::new(problems)) }
    }
}

impl Source for Combined {
    fn load(&self, interrupt: &Interrupt) -> Result<Loaded, SourceError> {
        self.join(|source| source.load(interrupt))
    }

    fn load_of(&self, tool: Layout, interrupt: &Interrupt) -> Result<Loaded, SourceError> {
        self.join(|source| source.load_of(tool, interrupt))
    }

    fn describe(&self) -> String {
        self.sources.iter().map(Source::describe).collect::<Vec<_>>().join(" and ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Code, Embedded};

    #[test]
    fn joins_migrations_and_problems() {
        let files = Embedded::new("m", &[("1_a.sql", b"SELECT 1"), ("x", b"")]);
        let broken = Embedded::new("n", &[("1.sql", b""), ("2_b.sql", b"")]);
        let both = Combined::new().with(files).with(Code::new().up(2, "b", |_| Ok(())));
        assert_eq!(both.describe(), "m (embedded) and Rust code");
        let loaded = both.load(&Interrupt::new()).expect("loaded");
        assert_eq!((loaded.migrations.len(), loaded.ignored.len()), (2, 1));
        let error = both.with(broken).with(broken).load(&Interrupt::new()).expect_err("problems");
        assert_eq!(error.problems.len(), 4);
    }
}
