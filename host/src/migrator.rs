//! The facade: sources, a database and rules make status, plan and runs.

mod adopt;
mod baseline;
mod builder;
mod foresee;
mod hooks;
mod job;
mod kept;
mod lock;
mod members;
mod on_connection;
mod queries;
mod repair;
#[cfg(feature = "wasm")]
mod scripts;
mod sources;
mod startup;
mod transforms;
mod trials;
mod verify;

use std::collections::BTreeMap;
use std::fmt;
use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::db::{Access, Backend, DbError, OpenOptions, Session};
use crate::error::Error;
use crate::exec::{self, Conditions, Observer, PrepareError, Prepared, Report, Throttle};
use crate::history::{History, HistoryError};
use crate::interrupt::Interrupt;
use crate::lock::Here;
use crate::model::{Applied, Chains, FunctionLibrary, Migration, Placeholders, Policies, Surroundings};
use crate::plan::{self, Goal, Plan, Rules, Until, Warning};
use crate::source::Source;

pub use baseline::Squashed;
pub use builder::MigratorBuilder;
use hooks::Hooks;
use job::Job;
pub use kept::{KeptBytesOf, KeptPart};
pub use queries::{Gap, Status};
use sources::Sound;
pub use startup::Startup;
pub use transforms::Rejects;

/// Runs the migrations of one or several chains on one database.
///
/// Every method loads the sources anew and opens the database for its own time only, so a migrator can be kept. It can
/// be shared between threads; each call that runs migrations keeps the thread it is made on busy until it is done. A clone
/// shares sources, database, observer and interrupt.
#[derive(Clone)]
pub struct Migrator {
    sources: Arc<[(String, Box<dyn Source>)]>,
    placeholders: BTreeMap<String, Placeholders>,
    libraries: Vec<FunctionLibrary>,
    hooks: Arc<Hooks>,
    throttle: Option<Throttle>,
    jobs: Option<NonZeroUsize>,
    sample: Option<NonZeroU64>,
    only: Vec<String>,
    other_chains: Vec<String>,
    backend: Option<Arc<dyn Backend>>,
    history: History,
    rules: Rules,
    single_transaction: bool,
    lock_timeout: Duration,
    timeout: Option<Duration>,
    interrupt: Interrupt,
    here: Here,
    observer: Arc<dyn Observer>,
    policies: Policies,
    #[cfg(feature = "wasm")]
    compilation: crate::wasm::Compilation,
    #[cfg(feature = "wasm")]
    engines: crate::engines::Engines,
}

/// Without values of placeholders, which may be secret.
impl fmt::Debug for Migrator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chains: Vec<&String> = self.sources.iter().map(|(name, _)| name).collect();
        let database = self.backend.as_ref().map(|backend| backend.describe());
        let mut shown = formatter.debug_struct("Migrator");
        shown.field("chains", &chains).field("only", &self.only).field("database", &database);
        shown.field("history", &self.history).field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Migrator {
    /// Starts a migrator.
    pub fn builder() -> MigratorBuilder {
        MigratorBuilder::default()
    }

    /// Returns what a run to the goal would do. Changes nothing and creates nothing.
    pub fn plan(&self, goal: &Goal) -> Result<Plan, Error> {
        self.timed(|timed| {
            let chains = timed.load_to_run(Sound::for_goal(goal), &timed.interrupt)?;
            let (rows, kept) = timed.rows_and_kept(&chains, goal)?;
            timed.draw_up(&kept::with_kept(&chains, kept), &rows, goal)
        })
    }

    /// Plans, and warns of what a policy says for nobody.
    fn draw_up(&self, chains: &Chains, rows: &[Applied], goal: &Goal) -> Result<Plan, Error> {
        let mut plan = plan::build(chains, rows, goal, &self.rules)?;
        plan.warnings.extend(self.policies.idle(chains).map(|(chain, key)| Warning {
            migration: format!("{chain}:{key}"),
            message: "the policy says something of it, and the chain has no such migration".to_owned(),
            hint: "write the version, or of one that is repeatable the name, as `whimbrel status` shows it".to_owned(),
            place: None,
        }));
        plan.warnings.extend(chains.left_out().map(|(chain, why)| Warning {
            migration: format!("{chain}:*"),
            message: format!("the chain is left out, and nothing that runs depends on it: {why}"),
            hint: "mend it before it is to run".to_owned(),
            place: None,
        }));
        Ok(plan)
    }

    fn rows_and_kept(&self, chains: &Chains, goal: &Goal) -> Result<(Vec<Applied>, kept::AllKept), Error> {
        self.look(|history, session| {
            let rows = history.read_all(session)?;
            let kept = self.find_kept(history, session, chains, &rows, goal)?;
            Ok((rows, kept))
        })
    }

    /// Draws which migrations depend on which, and what of them a run to the goal would do.
    pub fn graph(&self, goal: &Goal, format: plan::GraphFormat) -> Result<String, Error> {
        self.timed(|timed| {
            let chains = timed.load_to_run(Sound::for_goal(goal), &timed.interrupt)?;
            let (rows, kept) = timed.rows_and_kept(&chains, goal)?;
            let chains = kept::with_kept(&chains, kept);
            let plan = plan::build(&chains, &rows, goal, &timed.rules)?;
            Ok(plan::graph(&chains, &plan, format))
        })
    }

    /// Applies what is pending.
    pub fn up(&self, until: Until) -> Result<Report, Error> {
        self.run(&Goal::Up(until))
    }

    /// Reverts what is applied, what was applied last first.
    pub fn down(&self, until: Until) -> Result<Report, Error> {
        self.run(&Goal::Down(until))
    }

    /// Reverts the last applied migrations, this many, and applies the same ones again.
    pub fn redo(&self, steps: usize) -> Result<Report, Error> {
        self.run(&Goal::Redo(steps))
    }

    /// Runs to a goal.
    pub fn run(&self, goal: &Goal) -> Result<Report, Error> {
        self.run_waiting(goal, self.lock_timeout)
    }

    /// Runs to a goal, and waits this long for another process's lock.
    fn run_waiting(&self, goal: &Goal, lock_timeout: Duration) -> Result<Report, Error> {
        self.in_time(|interrupt| {
            let chains = self.load_to_run(Sound::for_goal(goal), interrupt)?;
            let job = Job { migrator: self, interrupt, chains, goal: *goal, dry_run: false };
            let options = OpenOptions { lock_timeout, ..self.options(interrupt, false) };
            let backend = self.backend()?;
            let existing = backend.open_existing(Access::Write, &options);
            let existing = existing.map_err(|error| self.database_error(error))?;
            job.run(existing, || backend.open(&options))
        })
    }

    /// Runs to a goal inside a transaction, records everything it does, and rolls back.
    pub fn dry_run(&self, goal: &Goal) -> Result<Report, Error> {
        self.in_time(|interrupt| {
            let chains = self.load_to_run(Sound::for_goal(goal), interrupt)?;
            let job = Job { migrator: self, interrupt, chains, goal: *goal, dry_run: true };
            let options = self.options(interrupt, true);
            let backend = self.backend()?;
            let existing = backend.open_existing(Access::Write, &options);
            let existing = existing.map_err(|error| self.database_error(error))?;
            job.run(existing, || backend.open_scratch(&options))
        })
    }

    /// Returns what the migrations of each chain are given.
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// Returns what the policies refuse the steps of a plan: a run would stop before anything has changed.
    pub fn refusals(&self, plan: &Plan) -> Vec<exec::Refusal> {
        exec::refusals(plan, &self.policies)
    }

    /// Runs with an interrupt that the timeout raises, too, and tells the one from the other afterwards.
    fn in_time<T>(&self, run: impl FnOnce(&Interrupt) -> Result<T, Error>) -> Result<T, Error> {
        let Some(timeout) = self.timeout else { return run(&self.interrupt) };
        let interrupt = self.interrupt.within(timeout);
        run(&interrupt).map_err(|error| {
            // Who has raised the flag is told so, even when the time is over as well.
            let by_clock = !self.interrupt.is_raised() && interrupt.is_overdue() && error.is_interruption();
            if by_clock { Error::Timeout { timeout, source: Box::new(error) } } else { error }
        })
    }

    /// Looks or writes within the timeout, as a migrator whose interrupt the timeout raises, too.
    fn timed<T>(&self, work: impl FnOnce(&Self) -> Result<T, Error>) -> Result<T, Error> {
        match self.timeout {
            None => work(self),
            Some(_) => {
                self.in_time(|interrupt| work(&Self { interrupt: interrupt.clone(), timeout: None, ..self.clone() }))
            }
        }
    }

    /// Puts values into the scripts of a chain.
    fn fill<'m>(&self, chain: &str, read_at: Timestamp, migrations: impl IntoIterator<Item = &'m mut Migration>) {
        let Some(placeholders) = self.placeholders.get(chain) else { return };
        let surroundings = self.surroundings(chain, read_at);
        for migration in migrations {
            placeholders.fill(migration, &surroundings);
        }
    }

    fn surroundings<'a>(&'a self, chain: &'a str, read_at: Timestamp) -> Surroundings<'a> {
        let trusted = !self.policies.of(chain).is_untrusted();
        Surroundings { chain, table: self.history.table(), read_at, trusted }
    }

    /// Returns the names of the active chains.
    fn names(&self) -> Vec<String> {
        let names = self.sources.iter().map(|(name, _)| name);
        names.filter(|name| self.only.is_empty() || self.only.contains(name)).cloned().collect()
    }

    /// Reads something of the history; nothing where there is no database.
    fn look<T: Default>(
        &self,
        read: impl FnOnce(&History, &mut dyn Session) -> Result<T, HistoryError>,
    ) -> Result<T, Error> {
        let opened = self.backend()?.open_existing(Access::Read, &self.options(&self.interrupt, false));
        match opened.map_err(|error| self.database_error(error))? {
            Some(mut session) => Ok(read(&self.history, session.as_mut())?),
            None => Ok(T::default()),
        }
    }

    /// Opens the database for what makes no sense without one, and does not make it.
    fn existing(&self, access: Access, interrupt: &Interrupt) -> Result<Box<dyn Session>, Error> {
        let backend = self.backend()?;
        let opened = backend.open_existing(access, &self.options(interrupt, false));
        let opened = opened.map_err(|error| self.database_error(error))?;
        opened.ok_or_else(|| Error::Missing { database: backend.describe() })
    }

    fn all_rows(&self) -> Result<Vec<Applied>, Error> {
        self.look(|history, session| history.read_all(session))
    }

    fn options(&self, interrupt: &Interrupt, record: bool) -> OpenOptions {
        OpenOptions { lock_timeout: self.lock_timeout, interrupt: interrupt.clone(), record }
    }

    fn database_error(&self, source: DbError) -> Error {
        let database = match &self.backend {
            Some(backend) => backend.describe(),
            None => "of the connection".to_owned(),
        };
        Error::Database { database, source }
    }

    fn backend(&self) -> Result<&dyn Backend, Error> {
        self.backend.as_deref().ok_or(Error::NoDatabase)
    }

    /// Collects what all steps of one run share; its start is now.
    fn conditions<'a>(
        &'a self,
        chains: &'a Chains,
        goal: Goal,
        interrupt: &'a Interrupt,
        dry_run: bool,
    ) -> Conditions<'a> {
        Conditions {
            chains,
            history: &self.history,
            goal,
            rules: self.rules,
            interrupt,
            observer: &self.observer,
            started_at: Timestamp::now(),
            here: &self.here,
            on_a_copy: false,
            dry_run,
            one_transaction: self.single_transaction,
            throttle: self.throttle,
            jobs: self.jobs,
            sample: self.sample,
            unrecorded: false,
            ambient: None,
        }
    }

    #[cfg_attr(not(feature = "wasm"), expect(unused_variables, reason = "without components nothing is compiled"))]
    fn prepare(&self, plan: Plan, chains: &Chains, interrupt: &Interrupt) -> Result<Prepared, PrepareError> {
        #[cfg(feature = "wasm")]
        {
            let compilation = crate::wasm::Compilation { interrupt: interrupt.clone(), ..self.compilation.clone() };
            exec::prepare(plan, chains, &compilation, &self.engines, &self.policies, &self.observer)
        }
        #[cfg(not(feature = "wasm"))]
        exec::prepare(plan, chains, &self.policies, &self.observer)
    }

    /// Prepares steps that are applied and are only asked something.
    fn prepare_applied(&self, plan: Plan, chains: &Chains, interrupt: &Interrupt) -> Result<Prepared, PrepareError> {
        #[cfg(feature = "wasm")]
        {
            let compilation = crate::wasm::Compilation { interrupt: interrupt.clone(), ..self.compilation.clone() };
            exec::prepare_applied(plan, chains, &compilation, &self.engines, &self.policies, &self.observer)
        }
        #[cfg(not(feature = "wasm"))]
        self.prepare(plan, chains, interrupt)
    }
}
