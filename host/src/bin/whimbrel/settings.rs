//! What is meant: the command line, `whimbrel.toml`, `.env` and the environment put together. Opens no database.

mod chain_name;
mod chain_of_file;
mod config;
mod database;
mod dotenv;
mod duration;
mod engines;
mod environment;
mod error;
mod folders;
mod hooks;
mod locations;
mod placeholders;
mod policy;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use whimbrel::db::sqlite::Sqlite;
use whimbrel::engines::Engines;
use whimbrel::exec::Observer;
use whimbrel::history::DEFAULT_TABLE;
use whimbrel::model::Policy;
use whimbrel::plan::Rules;
use whimbrel::source::{Layout, Memory, SingleScript, Source};
use whimbrel::wasm::{Compilation, ComponentCache};
use whimbrel::{Interrupt, Migrator, MigratorBuilder};

use crate::args::Globals;
use crate::compile_child;
use config::Config;
pub(crate) use database::check as check_database;
pub(crate) use duration::{parse as parse_duration, positive as parse_timeout, write as write_duration};
use environment::Environment;
pub(crate) use environment::Protection;
pub(crate) use error::{Place, SettingsError};
pub(crate) use folders::ChainFolder;
use locations::{Location, Reading};
pub(crate) use placeholders::parse_set;

/// Name of the file that `init` writes and every other verb reads.
pub(crate) const CONFIG_FILE: &str = "whimbrel.toml";
/// Where migrations are unless told otherwise: beside the settings.
const DEFAULT_DIR: &str = "migrations";
/// Name of the chain unless another is chosen.
const DEFAULT_CHAIN: &str = "main";
const LOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// What is meant, whatever of it was typed.
pub(crate) struct Settings {
    /// Where the migrations of the default chain are.
    locations: Vec<Location>,
    typed_layout: Option<Layout>,
    /// Whose way folders are laid out whose chain does not say it itself.
    layout: Layout,
    recursive: bool,
    chain: Option<String>,
    /// The default chain is there: its folder was named, or no other chain has one.
    has_default: bool,
    only: Vec<String>,
    environment: Option<(String, Environment)>,
    history_table: String,
    pub(crate) lock_timeout: Duration,
    /// How long a whole run may take.
    pub(crate) timeout: Option<Duration>,
    foreign_keys: Option<bool>,
    cache: ComponentCache,
    kept_sources: Option<PathBuf>,
    typed_database: Option<String>,
    typed_values: Vec<(String, String)>,
    config: Config,
}

impl Settings {
    /// Reads the settings that need no database.
    pub(crate) fn read(globals: &Globals) -> Result<Self, SettingsError> {
        let mut config = Config::read(globals.config.as_deref())?;
        let environment = environment::find(globals.env.as_deref(), &config)?;
        let of_environment = environment.as_ref().map(|(_, environment)| environment);
        let has_default = !globals.dir.is_empty()
            || !config.dir.is_empty()
            || policy::locations(&config.chains, &config.folder).is_empty();
        policy::check_default(&config.chains, config.chain.as_deref().unwrap_or(DEFAULT_CHAIN), &config.dir)?;
        let configured = std::mem::take(&mut config.dir);
        let typed = locations::typed(&globals.dir)?;
        let mut locations = if typed.is_empty() { configured } else { typed };
        if locations.is_empty() {
            locations.push(Location::of(DEFAULT_DIR).below(&config.folder));
        }
        let cache = given_cache(config.cache.take());
        Ok(Self {
            locations,
            typed_layout: globals.layout,
            layout: config.layout.unwrap_or_default(),
            recursive: config.recursive.unwrap_or(false),
            chain: config.chain.take(),
            history_table: globals
                .table
                .clone()
                .or(of_environment.and_then(|environment| environment.history_table.clone()))
                .or(config.history_table.take())
                .unwrap_or_else(|| DEFAULT_TABLE.to_owned()),
            lock_timeout: globals
                .lock_timeout
                .or(of_environment.and_then(|environment| environment.lock_timeout))
                .or(config.lock_timeout)
                .unwrap_or(LOCK_TIMEOUT),
            timeout: globals.timeout.or(config.timeout),
            foreign_keys: config.foreign_keys,
            kept_sources: locations::cache(cache.as_deref()),
            cache: component_cache(cache),
            typed_database: globals.database.clone(),
            typed_values: globals.set.clone(),
            has_default,
            only: globals.chains.clone(),
            environment,
            config,
        })
    }

    /// Returns the database file: as typed, else from `DATABASE_URL`, `.env` or `whimbrel.toml`.
    pub(crate) fn database(&self) -> Result<PathBuf, SettingsError> {
        self.named_database().map(|named| named.path)
    }

    fn named_database(&self) -> Result<database::Named, SettingsError> {
        let environment = self.environment.as_ref().and_then(|(_, environment)| environment.database.as_deref());
        database::find(self.typed_database.as_deref(), environment, &self.config)
    }

    /// Returns how the database is protected, and in which environment: of the one that is meant and all that have the same
    /// database, the strictest.
    pub(crate) fn protection(&self) -> Result<Option<(String, Protection)>, SettingsError> {
        let meant = self.environment.iter().map(|(name, environment)| (name.clone(), environment.protected));
        let path = self.database()?;
        let all = meant.chain(environment::of_database(&path, &self.config));
        // Of equal ones the one that is meant, which is the first.
        Ok(all.reduce(|strictest, other| if other.1 > strictest.1 { other } else { strictest }))
    }

    /// Says how components are compiled where no migrator does it.
    pub(crate) fn compilation(&self, interrupt: Interrupt) -> Compilation {
        Compilation { cache: self.cache.clone(), isolation: compile_child::isolation(), interrupt }
    }

    /// Names the chain: the one that was typed, if it was one, else the default.
    pub(crate) fn chain(&self) -> &str {
        match self.only.as_slice() {
            [only] => only,
            _ => self.chain.as_deref().unwrap_or(DEFAULT_CHAIN),
        }
    }

    /// Returns what the migrations of a chain are given.
    pub(crate) fn policy_of(&self, chain: &str) -> Policy {
        policy::of(&self.config.chains, chain)
    }

    /// Returns the file that says so, if there is one and it speaks of the chain.
    pub(crate) fn policy_file(&self, chain: &str) -> Option<&Path> {
        self.config.chains.contains_key(chain).then_some(self.config.file.as_path())
    }

    /// Makes a migrator whose chain is one script.
    pub(crate) fn script(
        &self,
        file: &Path,
        interrupt: Interrupt,
        observer: Arc<dyn Observer>,
    ) -> anyhow::Result<Migrator> {
        let builder = self.with_script(file, interrupt, observer)?;
        Ok(self.with_database(builder)?.build()?)
    }

    /// Makes a migrator whose chain is the text of one script, in JavaScript.
    pub(crate) fn prompt(
        &self,
        text: String,
        interrupt: Interrupt,
        observer: Arc<dyn Observer>,
    ) -> anyhow::Result<Migrator> {
        let source = Memory::new("repl").layout(Layout::Whimbrel).file("1_line.js", text);
        let builder = self.alone(Rules::default(), interrupt, observer).source(source);
        Ok(self.with_database(builder)?.build()?)
    }

    /// Has its engine read a script, if there is one for such files. Opens no database.
    pub(crate) fn check_script(&self, file: &Path, interrupt: Interrupt) -> anyhow::Result<()> {
        let extensions = self.engines().extensions();
        let ending = file.extension().and_then(OsStr::to_str);
        if !ending.is_some_and(|ending| extensions.iter().any(|known| known == ending)) {
            return Ok(());
        }
        Ok(self.with_script(file, interrupt, Arc::new(()))?.build()?.check_once()?)
    }

    /// Makes a builder in which one script stands for the chain that it is of. The other chains have nothing there: they may
    /// depend on versions of this one.
    fn with_script(
        &self,
        file: &Path,
        interrupt: Interrupt,
        observer: Arc<dyn Observer>,
    ) -> anyhow::Result<MigratorBuilder> {
        let chain = self.chain_of(file)?;
        let source = SingleScript::new(file, self.engines().extensions());
        let mut chains = self.sources()?;
        for (name, source) in &mut chains {
            *source = Box::new(Memory::new(name.as_str()));
        }
        match chains.iter_mut().find(|(name, _)| *name == chain) {
            Some((_, of_chain)) => *of_chain = Box::new(source),
            None => chains.push((chain.clone(), Box::new(source))),
        }
        Ok(self.of_chains(chains, Rules::default(), interrupt, observer).only([chain]))
    }

    /// Makes a migrator that is not to open the database.
    pub(crate) fn without_database(
        &self,
        rules: Rules,
        interrupt: Interrupt,
        observer: Arc<dyn Observer>,
    ) -> anyhow::Result<Migrator> {
        Ok(self.bare(rules, interrupt, observer)?.build()?)
    }

    /// Returns the endings of scripts that there are engines for.
    pub(crate) fn script_endings(&self) -> Vec<String> {
        self.engines().extensions()
    }

    /// Returns the engines that run scripts.
    fn engines(&self) -> Engines {
        engines::of(&self.config.engines, &self.config.folder).unwrap_or_default()
    }

    fn with_database(&self, builder: MigratorBuilder) -> Result<MigratorBuilder, SettingsError> {
        let named = self.named_database()?;
        let database = Sqlite::file(named.path).opening(named.opening);
        Ok(builder.database(match self.foreign_keys {
            Some(enforced) => database.foreign_keys(enforced),
            None => database,
        }))
    }

    fn source_of(&self, chain: &str, locations: &[Location]) -> Result<Box<dyn Source>, SettingsError> {
        locations::source(locations, &self.reading(chain))
    }

    fn reading(&self, chain: &str) -> Reading {
        Reading {
            layout: self.layout_of(chain),
            recursive: self.recursive,
            endings: self.engines().extensions(),
            cache: self.kept_sources.clone(),
        }
    }

    /// Returns all chains with the places of their migrations, the default one first.
    fn chains(&self) -> Vec<(String, Vec<Location>)> {
        let default = self.chain.as_deref().unwrap_or(DEFAULT_CHAIN);
        let mut chains = policy::locations(&self.config.chains, &self.config.folder);
        if self.has_default {
            chains.retain(|(name, _)| name != default);
            chains.insert(0, (default.to_owned(), self.locations.clone()));
        }
        chains
    }

    /// Tells whether there are several chains, whichever of them are meant.
    pub(crate) fn has_several_chains(&self) -> bool {
        self.chains().len() > 1
    }

    /// Returns whose way the folders of a chain are laid out, as far as that was said.
    pub(crate) fn layout_of(&self, chain: &str) -> Layout {
        let written = || self.config.chains.get(chain).and_then(|table| table.get_ref().layout);
        self.typed_layout.or_else(written).unwrap_or(self.layout)
    }

    /// Makes the migrator of these settings.
    pub(crate) fn migrator(
        &self,
        rules: Rules,
        interrupt: Interrupt,
        observer: Arc<dyn Observer>,
    ) -> anyhow::Result<Migrator> {
        Ok(self.builder(rules, interrupt, observer)?.build()?)
    }

    /// Makes a builder with these settings, for those who add to them.
    pub(crate) fn builder(
        &self,
        rules: Rules,
        interrupt: Interrupt,
        observer: Arc<dyn Observer>,
    ) -> anyhow::Result<MigratorBuilder> {
        Ok(self.with_database(self.bare(rules, interrupt, observer)?)?)
    }

    /// Begins a migrator without any chain.
    fn alone(&self, rules: Rules, interrupt: Interrupt, observer: Arc<dyn Observer>) -> MigratorBuilder {
        let builder = Migrator::builder()
            .engines(self.engines())
            .history_table(&self.history_table)
            .other_chains(self.config.other_chains.clone())
            .keep_bodies(self.config.keep_bodies.unwrap_or_default())
            .lock_timeout(self.lock_timeout)
            .component_cache(self.cache.clone())
            .compile_isolation(compile_child::isolation())
            .rules(rules)
            .interrupt(interrupt)
            .observer(observer);
        match self.timeout {
            Some(timeout) => builder.timeout(timeout),
            None => builder,
        }
    }

    fn bare(
        &self,
        rules: Rules,
        interrupt: Interrupt,
        observer: Arc<dyn Observer>,
    ) -> Result<MigratorBuilder, SettingsError> {
        let builder = self.of_chains(self.sources()?, rules, interrupt, observer);
        Ok(builder.only(self.only.clone()))
    }

    /// Returns the sources of all chains, the default one first.
    fn sources(&self) -> Result<Vec<(String, Box<dyn Source>)>, SettingsError> {
        let chains = self.chains();
        let names: Vec<String> = chains.iter().map(|(name, _)| name.clone()).collect();
        policy::check_names(&self.config, &names)?;
        let source = |(name, locations): (String, Vec<Location>)| {
            let source = self.source_of(&name, &locations)?;
            Ok((name, source))
        };
        chains.into_iter().map(source).collect()
    }

    fn of_chains(
        &self,
        chains: Vec<(String, Box<dyn Source>)>,
        rules: Rules,
        interrupt: Interrupt,
        observer: Arc<dyn Observer>,
    ) -> MigratorBuilder {
        let mut builder = self.alone(rules, interrupt, observer);
        for (index, (name, source)) in chains.into_iter().enumerate() {
            let policy = policy::of(&self.config.chains, &name);
            builder = match index {
                0 if self.has_default => builder.source(source).chain(name).policy(policy),
                _ => builder.and_chain(name, source, policy),
            };
        }
        let environment = self.environment.as_ref().map(|(name, found)| (name.as_str(), &found.placeholders));
        let values = |chain| placeholders::of(&self.config, chain, environment, &self.typed_values);
        builder = builder.placeholders(values(None));
        for (chain, table) in &self.config.chains {
            builder = builder.placeholders_of(chain, values(Some(chain)));
            if let Some(keep) = table.get_ref().keep_bodies {
                builder = builder.keep_bodies_of(chain, keep);
            }
        }
        hooks::add(builder, &self.config.hooks, &self.config.folder)
    }
}

/// Returns the folder that was typed, or else the usual one, for those who read no settings.
pub(crate) fn typed_folder(globals: &Globals) -> Result<PathBuf, SettingsError> {
    match locations::typed(&globals.dir)?.as_slice() {
        [] => Ok(PathBuf::from(DEFAULT_DIR)),
        typed => locations::folder(typed),
    }
}

/// `WHIMBREL_CACHE` comes before the key `cache`.
fn given_cache(configured: Option<PathBuf>) -> Option<PathBuf> {
    std::env::var_os("WHIMBREL_CACHE").filter(|value| !value.is_empty()).map(PathBuf::from).or(configured)
}

/// `off` keeps nothing.
fn component_cache(given: Option<PathBuf>) -> ComponentCache {
    match given {
        None => ComponentCache::User,
        Some(word) if word == Path::new("off") => ComponentCache::Off,
        Some(folder) => ComponentCache::Folder(folder),
    }
}
