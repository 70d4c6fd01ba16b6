//! Collects what a migrator needs.

use std::collections::BTreeMap;
use std::fmt;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Migrator;
use super::hooks::{HookSource, Hooks};
use super::members::{First, Member, check_names, check_only, members};
use crate::db::Backend;
use crate::error::{Error, SettingError};
use crate::exec::{Observer, Throttle};
use crate::history::{DEFAULT_TABLE, History};
use crate::interrupt::Interrupt;
use crate::lock::Here;
use crate::model::{Direction, FunctionLibrary, Hook, Moment, Placeholders, Policies, Policy};
use crate::plan::Rules;
use crate::source::Source;

/// Collects what a [`Migrator`] needs.
pub struct MigratorBuilder {
    first: First,
    others: Vec<Member>,
    backend: Option<Arc<dyn Backend>>,
    placeholders: Placeholders,
    placeholders_of: BTreeMap<String, Placeholders>,
    libraries: Vec<FunctionLibrary>,
    hooks: Vec<HookSource>,
    throttle: Option<Throttle>,
    jobs: Option<NonZeroUsize>,
    sample: Option<NonZeroU64>,
    only: Vec<String>,
    other_chains: Vec<String>,
    history_table: String,
    keep_bodies: bool,
    keep_bodies_of: BTreeMap<String, bool>,
    rules: Rules,
    single_transaction: bool,
    lock_timeout: Duration,
    timeout: Option<Duration>,
    interrupt: Interrupt,
    observer: Arc<dyn Observer>,
    #[cfg(feature = "wasm")]
    compilation: crate::wasm::Compilation,
    #[cfg(feature = "wasm")]
    engines: crate::engines::Engines,
}

impl Default for MigratorBuilder {
    fn default() -> Self {
        Self {
            first: First::default(),
            others: Vec::new(),
            backend: None,
            placeholders: Placeholders::default(),
            placeholders_of: BTreeMap::new(),
            libraries: Vec::new(),
            hooks: Vec::new(),
            throttle: None,
            jobs: None,
            sample: None,
            only: Vec::new(),
            other_chains: Vec::new(),
            history_table: DEFAULT_TABLE.to_owned(),
            keep_bodies: false,
            keep_bodies_of: BTreeMap::new(),
            rules: Rules::default(),
            single_transaction: false,
            lock_timeout: Duration::from_secs(60),
            timeout: None,
            interrupt: Interrupt::new(),
            observer: Arc::new(()),
            #[cfg(feature = "wasm")]
            compilation: crate::wasm::Compilation::default(),
            #[cfg(feature = "wasm")]
            engines: crate::engines::Engines::default(),
        }
    }
}

/// Without values of placeholders, which may be secret.
impl fmt::Debug for MigratorBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others: Vec<&String> = self.others.iter().map(|member| &member.name).collect();
        let database = self.backend.as_ref().map(|backend| backend.describe());
        let mut shown = formatter.debug_struct("MigratorBuilder");
        shown.field("chain", &self.first.name).field("others", &others).field("only", &self.only);
        shown.field("database", &database).field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl MigratorBuilder {
    /// Sets where the migrations of the first chain come from; several sources of one chain are put together by a
    /// [`Combined`](crate::source::Combined).
    #[must_use]
    pub fn source(mut self, source: impl Source + 'static) -> Self {
        self.first.is_replaced |= self.first.source.replace(Box::new(source)).is_some();
        self
    }

    /// Sets the database. Without one only the methods that take a connection can be used; the others end with
    /// [`Error::NoDatabase`].
    #[must_use]
    pub fn database(mut self, backend: impl Backend + 'static) -> Self {
        self.backend = Some(Arc::new(backend));
        self
    }

    /// Names the first chain; `main` unless set.
    #[must_use]
    pub fn chain(mut self, name: impl Into<String>) -> Self {
        self.first.name = Some(name.into());
        self
    }

    /// Adds another chain with a source, a version line and a policy of its own.
    #[must_use]
    pub fn and_chain(mut self, name: impl Into<String>, source: impl Source + 'static, policy: Policy) -> Self {
        self.others.push(Member { name: name.into(), source: Box::new(source), policy });
        self
    }

    /// Restricts everything to these chains; the others only have to have what these depend on. All unless set, and where
    /// none is named.
    ///
    /// What is wrong with the files of a chain on which none of these depends is told in a warning of plans and reports and in
    /// [`Status::ignored`](super::Status::ignored). It stops only what goes down, since something of such a chain may depend on
    /// what would go.
    #[must_use]
    pub fn only<S: Into<String>>(mut self, chains: impl IntoIterator<Item = S>) -> Self {
        self.only = chains.into_iter().map(Into::into).collect();
        self
    }

    /// Names chains that others run on the same database, so that their rows in the history are not told as those of
    /// [unnamed chains](crate::plan::UnnamedChain).
    #[must_use]
    pub fn other_chains<S: Into<String>>(mut self, chains: impl IntoIterator<Item = S>) -> Self {
        self.other_chains = chains.into_iter().map(Into::into).collect();
        self
    }

    /// Runs all steps in one transaction, or each in its own, which is what happens unless this is set.
    #[must_use]
    pub fn single_transaction(mut self, single: bool) -> Self {
        self.single_transaction = single;
        self
    }

    /// Names the history table.
    #[must_use]
    pub fn history_table(mut self, name: impl Into<String>) -> Self {
        self.history_table = name.into();
        self
    }

    /// Keeps the bytes of what is applied in the history, or not, which is what happens unless this is set: scripts,
    /// components and manifests, packed and each only once. [`Migrator::kept`] shows them. What is reverted is reverted by
    /// them where its file is gone or was changed, so that whoever can write the history says what is run then.
    #[must_use]
    pub fn keep_bodies(mut self, keep: bool) -> Self {
        self.keep_bodies = keep;
        self
    }

    /// Keeps the bytes of what is applied from one chain, or not, whatever holds for the others.
    #[must_use]
    pub fn keep_bodies_of(mut self, chain: impl Into<String>, keep: bool) -> Self {
        self.keep_bodies_of.insert(chain.into(), keep);
        self
    }

    /// Sets what plans let pass.
    #[must_use]
    pub fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// Sets how long to wait for another process's lock, or for another connection of the program that shares a cache
    /// (`cache=shared`); one minute unless set, and not at all if it is zero. It stands in the place of SQLite's busy
    /// timeout: that of a connection that is lent does not count meanwhile, and is what it was afterwards. Who waits is
    /// stopped by the interrupt.
    #[must_use]
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }

    /// Sets how long a whole run may take, reading and compiling and waiting for locks included; no end unless set. Zero is
    /// refused.
    ///
    /// What runs when the time is over is stopped and rolled back as by an interrupt, and the run ends with
    /// [`Error::Timeout`]. Steps that were committed before stay. It holds for what runs migrations or asks them, and for
    /// what only reads or only writes the history, such as `plan`, `status`, `repair`, `adopt`, `baseline` and `squash`; also
    /// inside [`on`](Migrator::on).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets the flag that stops a run, and every later one until it is [reset](Interrupt::reset).
    #[must_use]
    pub fn interrupt(mut self, interrupt: Interrupt) -> Self {
        self.interrupt = interrupt;
        self
    }

    /// Sets who hears events; who wants to keep it, too, gives an `Arc` of it.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Arc::new(observer);
        self
    }

    /// Sets what migrations of the first chain are given; everything, as the owner's, unless set.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.first.policy = Some(policy);
        self
    }

    /// Sets the value of a name such as `${tenant}` in the scripts of all chains that are not untrusted.
    #[must_use]
    pub fn placeholder(mut self, name: &str, value: impl Into<String>) -> Self {
        self.placeholders = self.placeholders.set(name, value);
        self
    }

    /// Sets the values of names in the scripts of all chains that are not untrusted, in place of those set before.
    #[must_use]
    pub fn placeholders(mut self, placeholders: Placeholders) -> Self {
        self.placeholders = placeholders;
        self
    }

    /// Sets the values of names in the scripts of one chain, which then is given no others. An untrusted chain has only
    /// these.
    #[must_use]
    pub fn placeholders_of(mut self, chain: impl Into<String>, placeholders: Placeholders) -> Self {
        self.placeholders_of.insert(chain.into(), placeholders);
        self
    }

    /// Adds functions of the program that migrations may call, beside the libraries of the sources.
    ///
    /// They are registered only while a migration runs that names the library.
    #[must_use]
    pub fn functions(mut self, library: FunctionLibrary) -> Self {
        self.libraries.push(library);
        self
    }

    /// Adds something to be run at a moment of each run, after those added before.
    ///
    /// A hook that fails stops the run and undoes the transaction it is in; see [`Moment`] for which that is.
    #[must_use]
    pub fn hook(mut self, hook: Hook) -> Self {
        self.hooks.push(HookSource::Made(hook));
        self
    }

    /// Adds a file to be run at a moment of each run, in one direction or both: SQL, a script, or a component with its
    /// manifest beside it. It is read when migrations are.
    #[must_use]
    pub fn hook_file(mut self, moment: Moment, direction: Option<Direction>, path: impl Into<PathBuf>) -> Self {
        self.hooks.push(HookSource::File { moment, direction, path: path.into() });
        self
    }

    /// Sets how fast transforms in chunks may go; as fast as they can unless set.
    #[must_use]
    pub fn throttle(mut self, throttle: Throttle) -> Self {
        self.throttle = Some(throttle);
        self
    }

    /// Sets how many instances of a transform work at the same time; as its manifest says, or one for each core, unless
    /// set.
    #[must_use]
    pub fn jobs(mut self, jobs: NonZeroUsize) -> Self {
        self.jobs = Some(jobs);
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

    /// Sets what runs scripts; the engines that come with the program unless set.
    #[cfg(feature = "wasm")]
    #[must_use]
    pub fn engines(mut self, engines: crate::engines::Engines) -> Self {
        self.engines = engines;
        self
    }

    /// Sets where components are compiled that were not compiled before; in this process unless set.
    #[cfg(feature = "wasm")]
    #[must_use]
    pub fn compile_isolation(mut self, isolation: crate::wasm::CompileIsolation) -> Self {
        self.compilation.isolation = isolation;
        self
    }

    /// Makes the migrator. Nothing is read or opened yet; only what was said here can be refused: the history table's
    /// name, a policy, two namespaces of which one begins with the other, two chains of one name or one without a name, two sources of one chain, settings of chains that are not
    /// there, and a timeout of zero.
    ///
    /// A migrator without any source has an empty chain.
    pub fn build(mut self) -> Result<Migrator, Error> {
        let members = members(self.first, self.others)?;
        check_names("placeholders_of", self.placeholders_of.keys(), &members)?;
        check_names("keep_bodies_of", self.keep_bodies_of.keys(), &members)?;
        check_only(&self.only, &members)?;
        if self.timeout == Some(Duration::ZERO) {
            return Err(SettingError::NoTime.into());
        }
        let mut policies = Policies::default();
        let mut sources = Vec::new();
        let mut placeholders = BTreeMap::new();
        for Member { name, source, policy } in members {
            let own = self.placeholders_of.remove(&name);
            let values = match policy.is_untrusted() {
                true => own.unwrap_or_default(),
                false => own.unwrap_or_else(|| self.placeholders.clone()),
            };
            placeholders.insert(name.clone(), values);
            policies.set(&name, policy);
            sources.push((name, source));
        }
        policies.check_apart()?;
        let keeps = |chain: &String| self.keep_bodies_of.get(chain).copied().unwrap_or(self.keep_bodies);
        let keeping = sources.iter().map(|(chain, _)| chain).filter(|chain| keeps(chain)).cloned().collect();
        Ok(Migrator {
            sources: sources.into(),
            placeholders,
            libraries: self.libraries,
            hooks: Arc::new(Hooks { all: self.hooks, placeholders: self.placeholders }),
            throttle: self.throttle,
            jobs: self.jobs,
            sample: self.sample,
            only: self.only,
            other_chains: self.other_chains,
            backend: self.backend,
            history: History::new(&self.history_table)?.keeping(keeping),
            rules: self.rules,
            single_transaction: self.single_transaction,
            lock_timeout: self.lock_timeout,
            timeout: self.timeout,
            interrupt: self.interrupt,
            here: Here::look(),
            observer: self.observer,
            policies,
            #[cfg(feature = "wasm")]
            compilation: self.compilation,
            #[cfg(feature = "wasm")]
            engines: self.engines,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::sqlite::Sqlite;
    use crate::plan::{Goal, Until};
    use crate::source::Code;

    fn builder() -> MigratorBuilder {
        let source = Code::new().up(1, "note", |tx| Ok(tx.execute("CREATE TABLE note (x)", &[]).map(drop)?));
        MigratorBuilder::default().source(source)
    }

    #[test]
    fn without_a_database_only_a_connection_will_do() {
        let migrator = builder().build().unwrap();
        let refused = [
            migrator.up(Until::End).map(drop),
            migrator.dry_run(&Goal::LATEST).map(drop),
            migrator.plan(&Goal::LATEST).map(drop),
            migrator.status().map(drop),
            migrator.lock_status().map(drop),
            migrator.plan_baseline(1.into()).map(drop),
            migrator.round_trip(&Goal::LATEST).map(drop),
        ];
        for result in refused {
            assert!(matches!(result, Err(Error::NoDatabase)), "{result:?}");
        }
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        assert_eq!(migrator.run_on(&mut connection, &Goal::LATEST).unwrap().steps.len(), 1);
        connection.execute_batch("SELECT * FROM note; BEGIN").unwrap();
        let error = migrator.run_on(&mut connection, &Goal::LATEST).unwrap_err();
        assert_eq!(error.to_string(), "cannot use the database of the connection");
    }

    #[test]
    fn a_run_without_time_is_refused() {
        let error = builder().timeout(Duration::ZERO).build().unwrap_err();
        assert!(matches!(error, Error::Setting(SettingError::NoTime)), "{error:?}");
        builder().timeout(Duration::MAX).lock_timeout(Duration::ZERO).build().unwrap();
    }

    #[test]
    fn a_database_that_would_not_stay_is_none() {
        for path in ["", ":memory:"] {
            let migrator = builder().database(Sqlite::file(path)).build().unwrap();
            for result in [migrator.up(Until::End).map(drop), migrator.status().map(drop)] {
                let error = result.unwrap_err();
                let Error::Database { source, .. } = &error else { panic!("{path}: {error:?}") };
                assert!(source.message.contains("use `on`"), "{path}: {source}");
            }
        }
    }
}
