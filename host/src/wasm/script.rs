//! What is said to script engines: a script, and what became of it. Every engine is a plain component known through
//! the world `script-engine` only.

use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::{ComponentType, Instance, Lift, Lower};

use super::bindings::whimbrel::migration::types::Context;
use super::error::PluginError;
use super::limits::{self, Bounds};
use super::plugin::{Plugin, explain};
use super::state::State;
use super::turns;
use super::used::Used;
use super::wasi::Wasi;
use crate::code_events::CodeEvents;
use crate::interrupt::Interrupt;
use crate::limits::{Limit, RunLimits};
use crate::log_level::LogLevel;
use crate::model::ScriptFiles;

/// Names of the exports of an engine.
pub(super) const EXPORTS: [&str; 5] = ["describe", "check", "run", "load", "transform"];
/// The code of a script that wanted more memory than it may have.
pub(super) const OUT_OF_MEMORY: &str = "memory";
/// Bytes kept of a script's message.
const MESSAGE_BYTES: usize = 16 << 10;
/// Bytes kept of a name that an engine gives.
const NAME_BYTES: usize = 200;
/// Frames, and other things of a list, that are kept.
const KEPT: usize = 100;

/// A text file on its way in.
#[derive(ComponentType, Lower)]
#[component(record)]
pub(super) struct FileIn<'a> {
    path: &'a str,
    text: &'a str,
}

/// A script on its way in.
#[derive(ComponentType, Lower)]
#[component(record)]
pub(super) struct ScriptIn<'a> {
    files: Vec<FileIn<'a>>,
}

/// What to do with a script, on its way in.
#[derive(ComponentType, Lower)]
#[component(record)]
pub(super) struct RequestIn<'a> {
    script: ScriptIn<'a>,
    export: &'a str,
    context: Context,
    memory: u64,
}

#[derive(ComponentType, Lift)]
#[component(record)]
struct EngineOut {
    name: String,
    version: String,
    extensions: Vec<String>,
    details: Vec<(String, String)>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
struct OutlineOut {
    exports: Vec<String>,
    #[expect(dead_code, reason = "a part of the contract that nothing asks for yet")]
    details: Vec<(String, String)>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct FrameOut {
    function: String,
    file: String,
    line: u32,
    column: u32,
}

/// Why a script did not do what was asked, as the engine says it.
#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct FailureOut {
    code: String,
    message: String,
    frames: Vec<FrameOut>,
    pub(super) row: Option<u32>,
    details: Vec<(String, String)>,
}

/// What an engine says about itself. Text from a guest: hostile.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EngineAbout {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Endings of the files that it runs, without the dot.
    pub extensions: Vec<String>,
    /// More, by name.
    pub details: Vec<(String, String)>,
}

/// Why a script cannot be run, or did not finish. Text from a guest: hostile.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScriptFailure {
    /// What kind of failure; the set is open.
    pub code: String,
    /// One sentence in the language's own words.
    pub message: String,
    /// Where, the innermost first.
    pub frames: Vec<ScriptFrame>,
    /// What to do about it, if the engine knows.
    pub hint: Option<String>,
}

/// Where in a script something happened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScriptFrame {
    /// The function; empty outside of any.
    pub function: String,
    /// The path of the file in the folder of the migrations.
    pub file: String,
    /// The line, from 1; 0 when it is not known.
    pub line: u32,
    /// The character of the line, from 1; 0 when it is not known.
    pub column: u32,
}

impl<'a> RequestIn<'a> {
    pub(super) fn new(script: &'a ScriptFiles, export: &'a str, context: Context, limits: &RunLimits) -> Self {
        Self { script: ScriptIn::new(script), export, context, memory: limits.of(Limit::Memory) }
    }
}

impl<'a> ScriptIn<'a> {
    fn new(script: &'a ScriptFiles) -> Self {
        Self { files: script.files().map(|file| FileIn { path: &file.path, text: file.source() }).collect() }
    }
}

fn cut(mut text: String, bytes: usize) -> String {
    text.truncate(text.floor_char_boundary(bytes));
    text
}

impl From<FailureOut> for ScriptFailure {
    fn from(failure: FailureOut) -> Self {
        let hint = failure.details.into_iter().find(|(name, _)| name == "hint");
        let frame = |frame: FrameOut| ScriptFrame {
            function: cut(frame.function, NAME_BYTES),
            file: cut(frame.file, NAME_BYTES),
            line: frame.line,
            column: frame.column,
        };
        Self {
            code: cut(failure.code, NAME_BYTES),
            message: cut(failure.message, MESSAGE_BYTES),
            frames: failure.frames.into_iter().take(KEPT).map(frame).collect(),
            hint: hint.map(|(_, hint)| cut(hint, MESSAGE_BYTES)),
        }
    }
}

impl ScriptFailure {
    /// Says message and place in one line.
    pub fn sentence(&self) -> String {
        match self.frames.first() {
            Some(ScriptFrame { file, line, column, .. }) => format!("{} ({file}:{line}:{column})", self.message),
            None => self.message.clone(),
        }
    }
}

/// Hears nothing: an engine that only reads has nothing to say.
struct Silence;

impl CodeEvents for Silence {
    fn log(&self, _: LogLevel, _: &str) {}

    fn progress(&self, _: u64, _: Option<u64>) {}
}

impl Plugin {
    /// Asks an engine what it is.
    pub fn describe(&self, limits: &RunLimits, interrupt: &Interrupt) -> Result<EngineAbout, PluginError> {
        let about: EngineOut = self.ask(limits, interrupt, async |store, instance| {
            let describe = instance.get_typed_func::<(), (EngineOut,)>(&mut *store, "describe")?;
            Ok(describe.call_async(store, ()).await?.0)
        })?;
        Ok(EngineAbout {
            name: cut(about.name, NAME_BYTES),
            version: cut(about.version, NAME_BYTES),
            extensions: about.extensions.into_iter().take(KEPT).map(|name| cut(name, NAME_BYTES)).collect(),
            details: about
                .details
                .into_iter()
                .take(KEPT)
                .map(|(name, value)| (cut(name, NAME_BYTES), cut(value, NAME_BYTES)))
                .collect(),
        })
    }

    /// Has an engine read a script, without running it; returns the names of what it exports.
    pub fn check_script(
        &self,
        script: &ScriptFiles,
        limits: &RunLimits,
        interrupt: &Interrupt,
    ) -> Result<Vec<String>, PluginError> {
        let checked = self.ask(limits, interrupt, async |store, instance| {
            let check =
                instance.get_typed_func::<(ScriptIn<'_>,), (Result<OutlineOut, FailureOut>,)>(&mut *store, "check")?;
            Ok(check.call_async(store, (ScriptIn::new(script),)).await?.0)
        })?;
        match checked {
            Ok(outline) => Ok(outline.exports.into_iter().map(|name| cut(name, NAME_BYTES)).collect()),
            Err(failure) => Err(PluginError::Script { failure: Box::new(failure.into()), statement: None }),
        }
    }

    /// Calls an engine in an instance of its own, without a database.
    fn ask<R>(
        &self,
        limits: &RunLimits,
        interrupt: &Interrupt,
        call: impl AsyncFnOnce(&mut Store<State>, Instance) -> wasmtime::Result<R>,
    ) -> Result<R, PluginError> {
        let state = State::new(Bounds::new(*limits, Used::default()), Wasi::new(0, 0), None, Arc::new(Silence));
        let mut store = Store::new(self.linked.engine(), state);
        let mut watched = None;
        let called = turns::begin(&mut store, limits, interrupt, self.guarded).and_then(|watchdog| {
            watched.insert(watchdog).attend(async {
                let instance = self.linked.instantiate_async(&mut store).await?;
                call(&mut store, instance).await
            })
        });
        called.map_err(|error| {
            if interrupt.is_raised() {
                return PluginError::Interrupted;
            }
            let timed_out = watched.is_some_and(|watchdog| watchdog.timed_out()).then_some(Limit::Time);
            let met = limits::recognise(&error).or(timed_out);
            let state = store.data_mut();
            match state.reached().or_else(|| met.map(|limit| limits.reached(limit))) {
                Some(reached) => PluginError::Limit(reached),
                None => explain(&error, state),
            }
        })
    }
}
