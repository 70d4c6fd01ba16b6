//! The facade: a source, a database and rules make status, plan and runs.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::db::sqlite::{Sqlite, with_connection};
use crate::db::{Access, Backend, DbError, OpenOptions, Session};
use crate::error::Error;
use crate::exec::{
    self, Conditions, Observer, PrepareError, Prepared, RepairError, Report, Throttle, Trial, TrialError,
};
use crate::history::{DEFAULT_TABLE, History};
use crate::interrupt::Interrupt;
use crate::model::{Applied, AppliedState, Chain, FunctionLibrary, Policy};
use crate::plan::{self, Entry, Goal, Plan, Repair, RepairPlan, Rules, Until};
use crate::source::{Ignored, Loaded, Source};

/// Runs the migrations of one source on one database.
///
/// Every method loads the source anew and opens the database for its own time only, so a migrator can be kept.
pub struct Migrator {
    source: Box<dyn Source>,
    backend: Box<dyn Backend>,
    chain: String,
    history: History,
    rules: Rules,
    lock_timeout: Duration,
    timeout: Option<Duration>,
    interrupt: Interrupt,
    observer: Arc<dyn Observer>,
    policy: Policy,
    libraries: Vec<FunctionLibrary>,
    throttle: Option<Throttle>,
    sample: Option<NonZeroU64>,
    #[cfg(feature = "wasm")]
    compilation: crate::wasm::Compilation,
}

/// The state of every migration.
#[derive(Clone, Debug)]
pub struct Status {
    /// Name of the chain.
    pub chain: String,
    /// The database, without credentials.
    pub database: String,
    /// The migrations in the order of their versions.
    pub entries: Vec<Entry>,
    /// Versions that a dense sequence lacks.
    pub gaps: Vec<crate::model::Version>,
    /// Files of the source that are no migrations.
    pub ignored: Vec<Ignored>,
}

/// Collects what a [`Migrator`] needs.
pub struct MigratorBuilder {
    source: Option<Box<dyn Source>>,
    backend: Option<Box<dyn Backend>>,
    chain: String,
    history_table: String,
    rules: Rules,
    lock_timeout: Duration,
    timeout: Option<Duration>,
    interrupt: Interrupt,
    observer: Arc<dyn Observer>,
    policy: Policy,
    libraries: Vec<FunctionLibrary>,
    throttle: Option<Throttle>,
    sample: Option<NonZeroU64>,
    #[cfg(feature = "wasm")]
    compilation: crate::wasm::Compilation,
}

impl MigratorBuilder {
    /// Sets where migrations come from.
    #[must_use]
    pub fn source(mut self, source: impl Source + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// Sets the database. Without one only the methods that take a connection can be used.
    #[must_use]
    pub fn database(mut self, backend: impl Backend + 'static) -> Self {
        self.backend = Some(Box::new(backend));
        self
    }

    /// Names the chain; `main` unless set. A database can hold several.
    #[must_use]
    pub fn chain(mut self, name: impl Into<String>) -> Self {
        self.chain = name.into();
        self
    }

    /// Names the history table.
    #[must_use]
    pub fn history_table(mut self, name: impl Into<String>) -> Self {
        self.history_table = name.into();
        self
    }

    /// Sets what plans let pass.
    #[must_use]
    pub fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// Sets how long to wait for another process's lock; one minute unless set.
    #[must_use]
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }

    /// Sets how long a whole run may take, reading and compiling and waiting for locks included; no end unless set.
    ///
    /// What runs when the time is over is stopped and rolled back as by an interrupt, and the run ends with
    /// [`Error::Timeout`]. Steps that were committed before stay. It holds for `run`, `up`, `down`, `run_on`,
    /// `dry_run`, `run_twice`, `preview` and `retry_rejects`.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets the flag that stops a run.
    #[must_use]
    pub fn interrupt(mut self, interrupt: Interrupt) -> Self {
        self.interrupt = interrupt;
        self
    }

    /// Sets who hears events.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// Sets what migrations are given; an owner's chain with everything unless set.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Adds functions of the program that migrations may call, beside the libraries of the source.
    ///
    /// They are registered only while a migration runs that names the library.
    #[must_use]
    pub fn functions(mut self, library: FunctionLibrary) -> Self {
        self.libraries.push(library);
        self
    }

    /// Sets how fast transforms in chunks may go; as fast as they can unless set.
    #[must_use]
    pub fn throttle(mut self, throttle: Throttle) -> Self {
        self.throttle = Some(throttle);
        self
    }

    /// Has dry runs try at most so many rows of each transform, and judge by them how long all would take.
    #[must_use]
    pub fn sample(mut self, rows: NonZeroU64) -> Self {
        self.sample = Some(rows);
        self
    }

    /// Sets where compiled components are kept.
    #[cfg(feature = "wasm")]
    #[must_use]
    pub fn component_cache(mut self, cache: crate::wasm::ComponentCache) -> Self {
        self.compilation.cache = cache;
        self
    }

    /// Sets where components are compiled that were not compiled before; in this process unless set.
    #[cfg(feature = "wasm")]
    #[must_use]
    pub fn compile_isolation(mut self, isolation: crate::wasm::CompileIsolation) -> Self {
        self.compilation.isolation = isolation;
        self
    }

    /// Makes the migrator. Nothing is read or opened yet; only the history table's name and the policy
    /// can be refused.
    ///
    /// A migrator without a source has an empty chain.
    pub fn build(self) -> Result<Migrator, Error> {
        self.policy.check()?;
        Ok(Migrator {
            source: self.source.unwrap_or_else(|| Box::new(crate::source::Code::new())),
            backend: self.backend.unwrap_or_else(|| Box::new(Sqlite::file(""))),
            chain: self.chain,
            history: History::new(&self.history_table)?,
            rules: self.rules,
            lock_timeout: self.lock_timeout,
            timeout: self.timeout,
            interrupt: self.interrupt,
            observer: self.observer,
            policy: self.policy,
            libraries: self.libraries,
            throttle: self.throttle,
            sample: self.sample,
            #[cfg(feature = "wasm")]
            compilation: self.compilation,
        })
    }
}

impl Migrator {
    /// Starts a migrator.
    pub fn builder() -> MigratorBuilder {
        MigratorBuilder {
            source: None,
            backend: None,
            chain: "main".to_owned(),
            history_table: DEFAULT_TABLE.to_owned(),
            rules: Rules::default(),
            lock_timeout: Duration::from_secs(60),
            timeout: None,
            interrupt: Interrupt::new(),
            observer: Arc::new(()),
            policy: Policy::default(),
            libraries: Vec::new(),
            throttle: None,
            sample: None,
            #[cfg(feature = "wasm")]
            compilation: crate::wasm::Compilation::default(),
        }
    }

    /// Returns the state of every migration. Changes nothing and creates nothing.
    pub fn status(&self) -> Result<Status, Error> {
        let mut loaded = self.source.load()?;
        let ignored = std::mem::take(&mut loaded.ignored);
        let chain = self.chain_of(loaded)?;
        let applied = self.applied()?;
        Ok(Status {
            chain: self.chain.clone(),
            database: self.backend.describe(),
            entries: plan::reconcile(&chain, &applied),
            gaps: chain.gaps(),
            ignored,
        })
    }

    /// Returns the chain's history rows in the order they were written, also those that were reverted or replaced.
    /// Changes nothing and creates nothing.
    pub fn history(&self) -> Result<Vec<Applied>, Error> {
        let rows = self.look(|history, session| history.read_all(session))?;
        Ok(rows.into_iter().filter(|row| row.chain == self.chain).collect())
    }

    fn look(
        &self,
        read: impl FnOnce(&History, &mut dyn Session) -> Result<Vec<Applied>, crate::history::HistoryError>,
    ) -> Result<Vec<Applied>, Error> {
        let opened = self.backend.open_existing(Access::Read, &self.options(&self.interrupt, false));
        match opened.map_err(|error| self.database_error(error))? {
            Some(mut session) => Ok(read(&self.history, session.as_mut())?),
            None => Ok(Vec::new()),
        }
    }

    /// Returns the chain's history rows that are in force, in the order they were written. Changes nothing and creates
    /// nothing.
    pub fn applied(&self) -> Result<Vec<Applied>, Error> {
        self.look(|history, session| history.read(session, &self.chain))
    }

    /// Shows what a transform would make of some rows. Changes nothing and creates nothing.
    #[cfg(feature = "wasm")]
    pub fn preview(
        &self,
        version: crate::model::Version,
        selection: &crate::transform::Selection,
    ) -> Result<crate::transform::Preview, Error> {
        self.in_time(|interrupt| self.preview_until(interrupt, version, selection))
    }

    #[cfg(feature = "wasm")]
    fn preview_until(
        &self,
        interrupt: &Interrupt,
        version: crate::model::Version,
        selection: &crate::transform::Selection,
    ) -> Result<crate::transform::Preview, Error> {
        use crate::plan::{Direction, PlanError, PlanProblem, Step};

        let chain = self.load()?;
        let unknown = || PlanError { problems: vec![PlanProblem::UnknownTarget { version }] };
        let migration = Arc::clone(chain.get(version).ok_or_else(unknown)?);
        exec::PreviewError::check(&migration)?;
        let goal = Goal::up(Until::Version(version));
        let steps = vec![Step { direction: Direction::Up, migration }];
        let plan = Plan { chain: self.chain.clone(), goal, steps, warnings: Vec::new() };
        let prepared = self.prepare(plan, &chain, interrupt)?;
        let opened = self.backend.open_existing(Access::Read, &self.options(interrupt, false));
        let opened = opened.map_err(|error| self.database_error(error))?;
        let mut session = opened.ok_or(exec::PreviewError::NoDatabase)?;
        let conditions = Conditions {
            chain: &chain,
            history: &self.history,
            goal,
            rules: self.rules,
            interrupt,
            observer: &self.observer,
            started_at: Timestamp::now(),
            dry_run: true,
            throttle: None,
            sample: None,
        };
        Ok(exec::preview_step(session.as_mut(), &prepared, &conditions, selection)?)
    }

    /// Returns the rows that a transform kept aside. Changes nothing and creates nothing.
    pub fn rejects(&self, version: crate::model::Version) -> Result<Vec<crate::history::RejectedRow>, Error> {
        let opened = self.backend.open_existing(Access::Read, &self.options(&self.interrupt, false));
        match opened.map_err(|error| self.database_error(error))? {
            Some(mut session) => Ok(self.history.rejects(session.as_mut(), &self.chain, version)?),
            None => Ok(Vec::new()),
        }
    }

    /// Transforms the rows that a transform kept aside once more, and forgets those that can be transformed now.
    ///
    /// The migration must be applied, and its component and manifest must be what they were then.
    #[cfg(feature = "wasm")]
    pub fn retry_rejects(&self, version: crate::model::Version) -> Result<exec::Retried, Error> {
        self.in_time(|interrupt| self.retry_rejects_until(interrupt, version))
    }

    #[cfg(feature = "wasm")]
    fn retry_rejects_until(
        &self,
        interrupt: &Interrupt,
        version: crate::model::Version,
    ) -> Result<exec::Retried, Error> {
        use crate::plan::{Direction, PlanError, PlanProblem, Step};

        let chain = self.load()?;
        let refuse = |problem: PlanProblem| Error::Plan(PlanError { problems: vec![problem] });
        let unknown = || refuse(PlanProblem::UnknownTarget { version });
        let migration = Arc::clone(chain.get(version).ok_or_else(unknown)?);
        exec::PreviewError::check(&migration)?;
        let applied = self.applied()?;
        let entries = plan::reconcile(&chain, &applied);
        let entry = entries.iter().find(|entry| entry.version == version).ok_or_else(unknown)?;
        plan::check_retry(entry).map_err(refuse)?;
        let goal = Goal::up(Until::Version(version));
        let steps = vec![Step { direction: Direction::Up, migration }];
        let plan = Plan { chain: self.chain.clone(), goal, steps, warnings: Vec::new() };
        let prepared = self.prepare(plan, &chain, interrupt)?;
        let opened = self.backend.open_existing(Access::Write, &self.options(interrupt, false));
        let opened = opened.map_err(|error| self.database_error(error))?;
        let mut session = opened.ok_or(exec::PreviewError::NoDatabase)?;
        let conditions = self.conditions(&chain, goal, interrupt, false);
        Ok(exec::retry_step(session.as_mut(), &prepared, &conditions).map_err(exec::PreviewError::Failed)?)
    }

    /// Returns what a repair would write into the history. Changes nothing and creates nothing.
    pub fn plan_repair(&self, repair: Repair) -> Result<RepairPlan, Error> {
        let chain = self.load()?;
        let opened = self.backend.open_existing(Access::Read, &self.options(&self.interrupt, false));
        let opened = opened.map_err(|error| self.database_error(error))?;
        let mut session = opened.ok_or(RepairError::NoDatabase)?;
        Ok(exec::plan_repair(session.as_mut(), &chain, &self.history, repair)?)
    }

    /// Writes what [`plan_repair`](Self::plan_repair) has decided, unless the history has changed since.
    pub fn repair(&self, repair: Repair, decided: &RepairPlan) -> Result<(), Error> {
        let chain = self.load()?;
        let opened = self.backend.open_existing(Access::Write, &self.options(&self.interrupt, false));
        let opened = opened.map_err(|error| self.database_error(error))?;
        let mut session = opened.ok_or(RepairError::NoDatabase)?;
        Ok(exec::run_repair(session.as_mut(), &chain, &self.history, repair, decided)?)
    }

    /// Returns what a run to the goal would do. Changes nothing and creates nothing.
    pub fn plan(&self, goal: &Goal) -> Result<Plan, Error> {
        let chain = self.load()?;
        Ok(plan::build(&chain, &self.applied()?, goal, &self.rules)?)
    }

    /// Returns what the policy refuses the steps of a plan: a run would stop before anything has changed.
    pub fn refusals(&self, plan: &Plan) -> Vec<exec::Refusal> {
        exec::refusals(plan, &self.policy)
    }

    /// Applies what is pending.
    pub fn up(&self, until: Until) -> Result<Report, Error> {
        self.run(&Goal::up(until))
    }

    /// Reverts what is applied, newest first.
    pub fn down(&self, until: Until) -> Result<Report, Error> {
        self.run(&Goal::down(until))
    }

    /// Runs to a goal.
    pub fn run(&self, goal: &Goal) -> Result<Report, Error> {
        self.in_time(|interrupt| {
            let job = Job { migrator: self, interrupt, chain: self.load()?, goal: *goal, dry_run: false };
            let options = self.options(interrupt, false);
            let existing = self.backend.open_existing(Access::Write, &options);
            let existing = existing.map_err(|error| self.database_error(error))?;
            job.run(existing, || self.backend.open(&options))
        })
    }

    /// Runs to a goal inside a transaction, records everything it does, and rolls back.
    pub fn dry_run(&self, goal: &Goal) -> Result<Report, Error> {
        self.in_time(|interrupt| {
            let job = Job { migrator: self, interrupt, chain: self.load()?, goal: *goal, dry_run: true };
            let options = self.options(interrupt, true);
            let existing = self.backend.open_existing(Access::Write, &options);
            let existing = existing.map_err(|error| self.database_error(error))?;
            job.run(existing, || self.backend.open_scratch(&options))
        })
    }

    /// Runs to a goal on copies of the database, what is code twice, and tells whether both runs did the same.
    ///
    /// The database itself is only read. A migration that disagrees with itself is the last one of the answer.
    pub fn run_twice(&self, goal: &Goal) -> Result<Vec<Trial>, Error> {
        self.in_time(|interrupt| self.run_twice_until(interrupt, goal))
    }

    fn run_twice_until(&self, interrupt: &Interrupt, goal: &Goal) -> Result<Vec<Trial>, Error> {
        let chain = self.load()?;
        let options = self.options(interrupt, false);
        let existing =
            self.backend.open_existing(Access::Read, &options).map_err(|error| self.database_error(error))?;
        let (mut original, applied) = match existing {
            Some(mut session) => {
                let applied = self.history.read(session.as_mut(), &self.chain)?;
                (session, applied)
            }
            None => (self.backend.open_scratch(&options).map_err(|error| self.database_error(error))?, Vec::new()),
        };
        let prepared = self.prepare(plan::build(&chain, &applied, goal, &self.rules)?, &chain, interrupt)?;
        let conditions = self.conditions(&chain, *goal, interrupt, false);
        exec::run_twice(original.as_mut(), prepared, &conditions, &options).map_err(|error| match error {
            TrialError::Database(error) => self.database_error(error),
            TrialError::Run(error) => error.into(),
        })
    }

    /// Runs to a goal on a connection the caller already has.
    ///
    /// The connection must have no open transaction. Its authorizer, progress handler, busy handler and update hook
    /// are replaced and afterwards empty. When a component has run, SQLite's `random`, `randomblob`, `CURRENT_TIMESTAMP`
    /// and its date functions stay replaced by ones that do the same, and functions of the caller's own under these
    /// names are lost; everything else stays as it is.
    pub fn run_on(&self, connection: &mut rusqlite::Connection, goal: &Goal) -> Result<Report, Error> {
        self.in_time(|interrupt| {
            let job = Job { migrator: self, interrupt, chain: self.load()?, goal: *goal, dry_run: false };
            let ran = with_connection(connection, &self.options(interrupt, false), |session| {
                job.run(Some(session), || unreachable!("the session is there"))
            });
            ran.map_err(|error| self.database_error(error))?
        })
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

    fn load(&self) -> Result<Chain, Error> {
        self.chain_of(self.source.load()?)
    }

    /// Makes the chain of what the source holds and of the program's own functions.
    fn chain_of(&self, loaded: Loaded) -> Result<Chain, Error> {
        let mut libraries = loaded.libraries;
        libraries.extend(self.libraries.iter().cloned());
        Ok(Chain::new(&self.chain, loaded.migrations)?.with_libraries(libraries)?)
    }

    fn options(&self, interrupt: &Interrupt, record: bool) -> OpenOptions {
        OpenOptions { lock_timeout: self.lock_timeout, interrupt: interrupt.clone(), record }
    }

    fn database_error(&self, source: DbError) -> Error {
        Error::Database { database: self.backend.describe(), source }
    }

    /// Collects what all steps of one run share; its start is now.
    fn conditions<'a>(
        &'a self,
        chain: &'a Chain,
        goal: Goal,
        interrupt: &'a Interrupt,
        dry_run: bool,
    ) -> Conditions<'a> {
        Conditions {
            chain,
            history: &self.history,
            goal,
            rules: self.rules,
            interrupt,
            observer: &self.observer,
            started_at: Timestamp::now(),
            dry_run,
            throttle: self.throttle,
            sample: self.sample,
        }
    }

    #[cfg_attr(not(feature = "wasm"), expect(unused_variables, reason = "without components nothing is compiled"))]
    fn prepare(&self, plan: Plan, chain: &Chain, interrupt: &Interrupt) -> Result<Prepared, PrepareError> {
        #[cfg(feature = "wasm")]
        {
            let compilation = crate::wasm::Compilation { interrupt: interrupt.clone(), ..self.compilation.clone() };
            exec::prepare(plan, chain, &compilation, &self.policy, &self.observer)
        }
        #[cfg(not(feature = "wasm"))]
        exec::prepare(plan, chain, &self.policy, &self.observer)
    }
}

/// One run to one goal.
struct Job<'a> {
    migrator: &'a Migrator,
    interrupt: &'a Interrupt,
    chain: Chain,
    goal: Goal,
    dry_run: bool,
}

impl Job<'_> {
    /// Plans, prepares, and only then opens a database that does not exist yet.
    fn run(
        &self,
        existing: Option<Box<dyn Session>>,
        open: impl FnOnce() -> Result<Box<dyn Session>, DbError>,
    ) -> Result<Report, Error> {
        let migrator = self.migrator;
        let mut existing = existing;
        let applied = match &mut existing {
            Some(session) => self.applied(session.as_mut())?,
            None => Vec::new(),
        };
        let plan = plan::build(&self.chain, &applied, &self.goal, &migrator.rules)?;
        if plan.steps.is_empty() {
            let applied = applied.len();
            return Ok(Report { dry_run: self.dry_run, applied, warnings: plan.warnings, ..Report::default() });
        }
        let prepared = migrator.prepare(plan, &self.chain, self.interrupt)?;
        #[cfg(feature = "wasm")]
        if let Some(session) = &mut existing {
            exec::check_transforms(session.as_mut(), &prepared)?;
        }
        let session = match existing {
            Some(session) => session,
            None => open().map_err(|error| migrator.database_error(error))?,
        };
        let conditions = migrator.conditions(&self.chain, self.goal, self.interrupt, self.dry_run);
        let run = if self.dry_run { exec::dry_run } else { exec::run };
        let (_session, result) = run(session, &prepared, &conditions);
        Ok(Report { applied: applied.len(), ..result? })
    }

    /// Reads the history; a step that another process is running outside a transaction is waited for.
    fn applied(&self, session: &mut dyn Session) -> Result<Vec<Applied>, Error> {
        let migrator = self.migrator;
        let applied = migrator.history.read(session, &migrator.chain)?;
        if applied.iter().all(|row| row.state != AppliedState::Started) {
            return Ok(applied);
        }
        // Read with the lock held: otherwise the next such step could have begun meanwhile.
        let lock = session.lock_run().map_err(|error| migrator.database_error(error))?;
        let applied = migrator.history.read(session, &migrator.chain);
        drop(lock);
        Ok(applied?)
    }
}
