//! What the owner has done at the moments of a run, beside its migrations.

use std::fmt;
use std::sync::Arc;

use super::{Body, Direction, Migration, Placement, Role, RustContext, RustError, RustMigration, Script, Version};
use crate::db::Transaction;
use crate::sql::Directives;

/// When in a run a hook is run.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Moment {
    /// Before the first step, in a transaction of its own.
    BeforeAll,
    /// Before each step, in the transaction of the step.
    BeforeEach,
    /// After each step, in the transaction of the step.
    AfterEach,
    /// After the last step, in a transaction of its own.
    AfterAll,
    /// After a run has failed and the step that did is undone, in a transaction of its own.
    OnError,
}

/// Something that is run at a moment of a run. It is the owner's: nothing restricts what SQL in it does.
#[derive(Clone, Debug)]
pub struct Hook {
    /// When.
    pub moment: Moment,
    /// Only on the way up, or down; both ways unless set.
    pub direction: Option<Direction>,
    /// Only for the migrations of this chain; for those of every chain unless set.
    pub chain: Option<Arc<str>>,
    /// Also when there is nothing to do.
    pub always: bool,
    /// What is run, as the body of a migration that belongs to no chain.
    pub migration: Arc<Migration>,
    /// What is run instead, where the program brings code for it.
    pub code: Option<Callback>,
}

/// Code of the program that is called at a moment of a run.
#[derive(Clone)]
pub struct Callback(Arc<dyn HookCode>);

/// Code that is called at a moment of a run.
pub trait HookCode: Send + Sync {
    /// Does its work inside the open transaction; an error stops the run and undoes the transaction.
    fn run(&self, transaction: &mut Transaction<'_>, about: &HookContext<'_>) -> Result<(), RustError>;
}

impl<F> HookCode for F
where
    F: Fn(&mut Transaction<'_>, &HookContext<'_>) -> Result<(), RustError> + Send + Sync,
{
    fn run(&self, transaction: &mut Transaction<'_>, about: &HookContext<'_>) -> Result<(), RustError> {
        self(transaction, about)
    }
}

/// What a hook in code is told.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct HookContext<'a> {
    /// When it is called.
    pub moment: Moment,
    /// The chain and the migration that the step is about; at `on_error` the one that failed, if one did.
    pub step: Option<(&'a str, &'a Migration)>,
    /// Which way that step goes.
    pub direction: Option<Direction>,
    /// Nothing of it will stay: everything will be rolled back, or it is done on a copy of the database.
    pub dry_run: bool,
    /// Why the run has failed, at `on_error`.
    pub error: Option<&'a (dyn std::error::Error + 'static)>,
}

impl<'a> HookContext<'a> {
    /// Starts with what is known at every moment.
    pub(crate) fn new(moment: Moment, dry_run: bool) -> Self {
        Self { moment, step: None, direction: None, dry_run, error: None }
    }

    /// Adds the step that it is about.
    pub(crate) fn about(self, chain: &'a str, migration: &'a Migration, direction: Direction) -> Self {
        Self { step: Some((chain, migration)), direction: Some(direction), ..self }
    }
}

impl Hook {
    /// Makes a hook of what was read as a migration.
    pub fn new(moment: Moment, migration: Migration) -> Self {
        let placement = Placement { role: Role::Repeatable, ..migration.placement };
        let migration = Arc::new(Migration { version: Version::from(0), placement, ..migration });
        Self { moment, direction: None, chain: None, always: false, migration, code: None }
    }

    /// Makes a hook of statements; the name is for messages.
    pub fn sql(moment: Moment, name: &str, sql: impl Into<String>) -> Self {
        let up = Script::new(name, sql.into().into(), Directives::default());
        Self::new(moment, named(name, Body::Sql { up, down: None }))
    }

    /// Makes a hook of code of the program; the name is for messages.
    pub fn code(moment: Moment, name: &str, code: impl HookCode + 'static) -> Self {
        let callback = Callback(Arc::new(code));
        let body = Body::Rust(Arc::new(callback.clone()));
        Self { code: Some(callback), ..Self::new(moment, named(name, body)) }
    }

    /// Has it run in this direction only.
    #[must_use]
    pub fn on(mut self, direction: Direction) -> Self {
        self.direction = Some(direction);
        self
    }

    /// Returns what it is called in messages.
    pub fn name(&self) -> &str {
        &self.migration.name
    }

    /// Tells whether it is about a step of this chain and direction.
    pub fn concerns(&self, chain: &str, direction: Direction) -> bool {
        self.chain.as_deref().is_none_or(|own| own == chain) && self.direction.is_none_or(|own| own == direction)
    }
}

fn named(name: &str, body: Body) -> Migration {
    let (version, placement) = (Version::from(0), Placement::default());
    Migration {
        version,
        name: name.to_owned(),
        placement,
        body,
        manifest: None,
        verify: None,
        asked: Vec::new(),
        file: name.to_owned(),
    }
}

impl Callback {
    /// Calls the code.
    pub(crate) fn call(&self, transaction: &mut Transaction<'_>, about: &HookContext<'_>) -> Result<(), RustError> {
        self.0.run(transaction, about)
    }
}

impl RustMigration for Callback {
    /// Calls the code as if before a run, which is what a migration can tell it.
    fn up(&self, transaction: &mut Transaction<'_>, context: &RustContext<'_>) -> Result<(), RustError> {
        self.call(transaction, &HookContext::new(Moment::BeforeAll, context.dry_run))
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Callback")
    }
}

impl Moment {
    /// Every moment, in the order of a run.
    pub const ALL: [Self; 5] = [Self::BeforeAll, Self::BeforeEach, Self::AfterEach, Self::AfterAll, Self::OnError];

    /// Returns the word for it, as it stands in `whimbrel.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BeforeAll => "before_all",
            Self::BeforeEach => "before_each",
            Self::AfterEach => "after_each",
            Self::AfterAll => "after_all",
            Self::OnError => "on_error",
        }
    }

    /// Tells whether it comes with each step.
    pub fn is_each(self) -> bool {
        matches!(self, Self::BeforeEach | Self::AfterEach)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
