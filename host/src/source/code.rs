//! Migrations written in Rust, compiled into the program that runs them.

use std::sync::Arc;

use super::{Loaded, Problem, Source, SourceError, check_name};
use crate::db::Transaction;
use crate::interrupt::Interrupt;
use crate::model::{Body, Migration, Placement, RustError, RustMigration, Version};

/// Migrations written in Rust.
#[derive(Clone, Debug, Default)]
pub struct Code {
    migrations: Vec<Migration>,
}

impl Code {
    /// Starts with none.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a migration.
    #[must_use]
    pub fn add(
        mut self,
        version: impl Into<Version>,
        name: impl Into<String>,
        migration: impl RustMigration + 'static,
    ) -> Self {
        let (version, name) = (version.into(), name.into());
        let file = format!("{version}_{} (Rust)", name.escape_debug());
        let body = Body::Rust(Arc::new(migration));
        self.migrations.push(Migration {
            version,
            name,
            placement: Placement::default(),
            body,
            verify: None,
            asked: Vec::new(),
            manifest: None,
            file,
        });
        self
    }

    /// Adds a migration that cannot be reverted.
    #[must_use]
    pub fn up<Up>(self, version: impl Into<Version>, name: impl Into<String>, up: Up) -> Self
    where
        Up: Fn(&mut Transaction<'_>) -> Result<(), RustError> + Send + Sync + 'static,
    {
        self.add(version, name, OneWay(up))
    }

    /// Adds a migration and what undoes it.
    #[must_use]
    pub fn up_down<Up, Down>(self, version: impl Into<Version>, name: impl Into<String>, up: Up, down: Down) -> Self
    where
        Up: Fn(&mut Transaction<'_>) -> Result<(), RustError> + Send + Sync + 'static,
        Down: Fn(&mut Transaction<'_>) -> Result<(), RustError> + Send + Sync + 'static,
    {
        self.add(version, name, BothWays { up, down })
    }
}

struct OneWay<Up>(Up);

impl<Up> RustMigration for OneWay<Up>
where
    Up: Fn(&mut Transaction<'_>) -> Result<(), RustError> + Send + Sync,
{
    fn up(&self, tx: &mut Transaction<'_>) -> Result<(), RustError> {
        self.0(tx)
    }
}

struct BothWays<Up, Down> {
    up: Up,
    down: Down,
}

impl<Up, Down> RustMigration for BothWays<Up, Down>
where
    Up: Fn(&mut Transaction<'_>) -> Result<(), RustError> + Send + Sync,
    Down: Fn(&mut Transaction<'_>) -> Result<(), RustError> + Send + Sync,
{
    fn up(&self, tx: &mut Transaction<'_>) -> Result<(), RustError> {
        (self.up)(tx)
    }

    fn down(&self, tx: &mut Transaction<'_>) -> Result<(), RustError> {
        (self.down)(tx)
    }

    fn is_reversible(&self) -> bool {
        true
    }
}

impl Source for Code {
    fn load(&self, _: &Interrupt) -> Result<Loaded, SourceError> {
        let problems: Vec<Problem> = self
            .migrations
            .iter()
            .filter_map(|migration| {
                let message = check_name(&migration.name).err()?;
                Some(Problem::of_file(&migration.file, message, None))
            })
            .collect();
        if !problems.is_empty() {
            return Err(SourceError::new(problems));
        }
        Ok(Loaded { migrations: self.migrations.clone(), ..Loaded::default() })
    }

    fn describe(&self) -> String {
        "Rust code".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Reversibility;

    #[test]
    fn takes_closures_and_types() {
        let code = Code::new().up(1, "a", |_| Ok(())).up_down(2, "b", |_| Ok(()), |_| Err("no".into()));
        let loaded = code.load(&Interrupt::new()).expect("loaded");
        let shown: Vec<_> = loaded.migrations.iter().map(|m| (m.file.as_str(), m.reversibility())).collect();
        assert_eq!(shown, [("1_a (Rust)", Reversibility::Irreversible), ("2_b (Rust)", Reversibility::Reversible)]);
    }

    #[test]
    fn refuses_names_no_file_could_have() {
        let error =
            Code::new().up(1, "a b", |_| Ok(())).up(2, "", |_| Ok(())).load(&Interrupt::new()).expect_err("names");
        assert_eq!(error.problems.len(), 2);
        assert!(error.problems[0].to_string().starts_with("1_a b (Rust): ` ` cannot stand in a name"));
    }
}
