//! SQL functions of a component: an instance that lives for the time of a step, called from within statements.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use wasmtime::Store;
use wasmtime::component::{ComponentType, Lift, Lower, TypedFunc};

use super::bindings::whimbrel::migration::types;
use super::epochs::{self, Epochs};
use super::error::PluginError;
use super::limits::Bounds;
use super::plugin::Plugin;
use super::short::{self, Bytes, Words};
use super::state::State;
use super::transform::stopped;
use super::used::Used;
use super::wasi::Wasi;
use super::weight::Weight;
use crate::code_events::CodeEvents;
use crate::db::{Cell, DbError, ErrorCode, Function, Give, Nulls, Parameter, Signature, Value, ValueType};
use crate::interrupt::Interrupt;
use crate::limits::{Limit, RunLimits};

/// Names of the exports.
pub(super) const DESCRIBE: &str = "describe";
pub(super) const CALL: &str = "call";
pub(super) const CALL_SHORT: &str = "call-short";
pub(super) const LONG_ANSWER: &str = "long-answer";

/// Most functions of a library.
const MOST_FUNCTIONS: usize = 1000;
/// Arguments of a call for which no memory is fetched.
const FEW: usize = 4;
/// Bytes kept of what a function says.
const MESSAGE_BYTES: usize = 1 << 10;

/// Under which conditions an instance works.
pub struct FunctionsCall {
    /// Recorded start of the run, in milliseconds since 1970.
    pub started_at: u64,
    /// What all calls together may use.
    pub limits: RunLimits,
    /// What the libraries before it have used, with which it counts.
    pub used: Used,
    /// Stops them.
    pub interrupt: Interrupt,
    /// Hears what they say.
    pub events: Arc<dyn CodeEvents>,
}

impl fmt::Debug for FunctionsCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FunctionsCall")
            .field("started_at", &self.started_at)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// An instance whose functions can be called until it is dropped, by one thread at a time.
pub struct FunctionsInstance {
    live: Shared,
    functions: Vec<Function>,
}

impl fmt::Debug for FunctionsInstance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FunctionsInstance").field("functions", &self.functions).finish_non_exhaustive()
    }
}

/// An instance, which each of its functions has a share of; gone when its owner is.
type Shared = Arc<Mutex<Option<Live>>>;

/// An argument on its way in, which is copied into the guest only.
#[derive(Clone, Copy, ComponentType, Lower)]
#[component(variant)]
enum Argument<'a> {
    #[component(name = "null")]
    Null,
    #[component(name = "boolean")]
    Boolean(bool),
    #[component(name = "integer")]
    Integer(i64),
    #[component(name = "real")]
    Real(f64),
    #[component(name = "text")]
    Text(&'a str),
    #[component(name = "blob")]
    Blob(&'a [u8]),
}

impl<'a> From<Cell<'a>> for Argument<'a> {
    fn from(cell: Cell<'a>) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Boolean(value) => Self::Boolean(value),
            Cell::Integer(value) => Self::Integer(value),
            Cell::Real(value) => Self::Real(value),
            Cell::Text(text) => Self::Text(text),
            Cell::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

#[derive(ComponentType, Lift)]
#[component(record)]
struct GivenParameter {
    name: String,
    kind: String,
}

#[derive(ComponentType, Lift)]
#[component(record)]
struct GivenSignature {
    name: String,
    description: String,
    parameters: Vec<GivenParameter>,
    more: Option<String>,
    returns: String,
    deterministic: bool,
    #[component(name = "null-if-any-null")]
    null_if_any_null: bool,
}

type Answer = (Result<types::Value, String>,);
/// A call takes arguments that live as long as itself: nothing keeps them.
type Call<'a> = TypedFunc<(u32, &'a [Argument<'a>]), Answer>;

/// The way of what is short.
#[derive(Clone, Copy)]
struct ShortCall {
    call: TypedFunc<(u32, Words), (Words,)>,
    long_answer: TypedFunc<(), Answer>,
}

struct Live {
    store: Store<State>,
    call: Call<'static>,
    short: Option<ShortCall>,
    limits: RunLimits,
    interrupt: Interrupt,
    epochs: Epochs,
    /// Why it is of no more use.
    stopped: Option<DbError>,
    used: Used,
    /// Fuel that the store had when it was last looked at.
    left: u64,
    /// Fuel that this instance has burnt.
    burnt: u64,
}

/// Gives a store what others have left of the fuel; returns how much that is.
fn fuelled(store: &mut Store<State>, limits: &RunLimits, used: &Used) -> u64 {
    let left = limits.of(Limit::Fuel).saturating_sub(used.fuel());
    // Without limits no fuel is counted.
    let _ = store.set_fuel(left);
    left
}

impl Plugin {
    /// Makes an instance of a component of functions and asks it what they are.
    pub fn functions(&self, call: &FunctionsCall) -> Result<FunctionsInstance, PluginError> {
        let wasi = Wasi::new(call.started_at, self.inspection().checksum.seed());
        let state = State::new(Bounds::new(call.limits, call.used.clone()), wasi, None, Arc::clone(&call.events));
        let mut store = Store::new(self.linked.engine(), state);
        let begun = epochs::begin(&mut store, &call.limits, &call.interrupt, self.guarded).and_then(|epochs| {
            fuelled(&mut store, &call.limits, &call.used);
            let instance = self.linked.instantiate(&mut store)?;
            let describe: TypedFunc<(), (Vec<GivenSignature>,)> = instance.get_typed_func(&mut store, DESCRIBE)?;
            let function = instance.get_typed_func(&mut store, CALL)?;
            let short = [CALL_SHORT, LONG_ANSWER].map(|name| instance.get_func(&mut store, name));
            let short = match short {
                [Some(call), Some(long_answer)] => {
                    Some(ShortCall { call: call.typed(&store)?, long_answer: long_answer.typed(&store)? })
                }
                _ => None,
            };
            let (given,) = describe.call(&mut store, ())?;
            Ok((epochs, function, short, given))
        });
        let (epochs, function, short, given) = match begun {
            Ok(begun) => begun,
            Err(error) => return Err(stopped(&error, store.data_mut(), &call.limits, &call.interrupt, None)),
        };
        let signatures = signatures(given).map_err(|reason| PluginError::Described { reason })?;
        let mut live = Live {
            left: call.limits.of(Limit::Fuel).saturating_sub(call.used.fuel()),
            burnt: 0,
            used: call.used.clone(),
            store,
            call: function,
            short,
            limits: call.limits,
            interrupt: call.interrupt.clone(),
            epochs,
            stopped: None,
        };
        live.burn();
        Ok(FunctionsInstance::new(live, signatures))
    }
}

/// Checks what a component says about its functions.
fn signatures(given: Vec<GivenSignature>) -> Result<Vec<Signature>, String> {
    if given.is_empty() {
        return Err("there are none".to_owned());
    }
    if given.len() > MOST_FUNCTIONS {
        return Err(format!("there are more than {MOST_FUNCTIONS}"));
    }
    let mut signatures: Vec<Signature> = Vec::with_capacity(given.len());
    for given in given {
        let kind = |word: &str| {
            let known = ValueType::ALL.map(ValueType::as_str).join(", ");
            let unknown =
                || format!("{} has the type \"{}\"; known are {known}", given.name.escape_debug(), word.escape_debug());
            ValueType::parse(word).ok_or_else(unknown)
        };
        let parameter = |parameter: &GivenParameter| {
            Ok::<_, String>(Parameter { name: parameter.name.clone(), kind: kind(&parameter.kind)? })
        };
        let signature = Signature {
            name: given.name.clone(),
            description: given.description.clone(),
            parameters: given.parameters.iter().map(parameter).collect::<Result<_, _>>()?,
            more: given.more.as_deref().map(kind).transpose()?,
            returns: kind(&given.returns)?,
            deterministic: given.deterministic,
            nulls: if given.null_if_any_null { Nulls::MakeNull } else { Nulls::Call },
        };
        signature.check()?;
        if signatures.iter().any(|other| other.clashes_with(&signature)) {
            return Err(format!("{} is there twice with the same number of arguments", signature.name));
        }
        signatures.push(signature);
    }
    Ok(signatures)
}

impl FunctionsInstance {
    fn new(live: Live, signatures: Vec<Signature>) -> Self {
        let live: Shared = Arc::new(Mutex::new(Some(live)));
        let function = |(index, signature): (usize, Signature)| {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            let live = Arc::clone(&live);
            let apply = move |arguments: &[Cell<'_>], give: Give<'_>| call(&live, index, arguments, give);
            Function::giving(signature, Arc::new(apply))
        };
        let functions = signatures.into_iter().enumerate().map(function).collect();
        Self { live, functions }
    }

    /// Returns the functions. After the instance was dropped a call is an error.
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// Returns the fuel burnt so far.
    pub fn fuel(&self) -> u64 {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.as_ref().map_or(0, |live| live.burnt)
    }
}

impl Drop for FunctionsInstance {
    fn drop(&mut self) {
        *self.live.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

fn call(live: &Mutex<Option<Live>>, function: u32, arguments: &[Cell<'_>], give: Give<'_>) -> Result<(), DbError> {
    let refuse = |reason: &str| Err(DbError::new(ErrorCode::Function, reason));
    match live.try_lock() {
        Ok(mut live) => match live.as_mut() {
            Some(live) => live.call(function, arguments, give),
            None => refuse("it is called after its instance is gone"),
        },
        Err(TryLockError::WouldBlock) => refuse("it is called while it is at work"),
        Err(TryLockError::Poisoned(_)) => refuse("the host failed while it was at work"),
    }
}

impl Live {
    fn call(&mut self, function: u32, cells: &[Cell<'_>], give: Give<'_>) -> Result<(), DbError> {
        if let Some(error) = &self.stopped {
            return Err(error.clone());
        }
        if self.limits.of(Limit::Fuel).saturating_sub(self.used.fuel()) != self.left {
            // Another library was called meanwhile.
            self.left = fuelled(&mut self.store, &self.limits, &self.used);
        }
        let called = self.enter(function, cells, give);
        self.burn();
        called
    }

    /// Counts the fuel that was burnt since it was counted last.
    fn burn(&mut self) {
        let left = self.store.get_fuel().unwrap_or(self.left);
        let burnt = self.left.saturating_sub(left);
        self.left = left;
        self.burnt = self.burnt.saturating_add(burnt);
        self.used.burn(burnt);
    }

    fn enter(&mut self, function: u32, cells: &[Cell<'_>], give: Give<'_>) -> Result<(), DbError> {
        let Some(short) = self.short else { return self.call_long(function, cells, give) };
        let Some(arguments) = short::arguments(cells) else { return self.call_long(function, cells, give) };
        let (words,) =
            short.call.call(&mut self.store, (function, arguments.into())).or_else(|error| self.stop(&error))?;
        let malformed = |reason| DbError::new(ErrorCode::Function, format!("its answer is malformed: {reason}"));
        match Bytes::from(words).answer().map_err(malformed)? {
            short::Answer::Cell(cell) => give(cell),
            short::Answer::Long => {
                let answer = short.long_answer.call(&mut self.store, ());
                give(self.answered(answer)?.cell());
            }
        }
        Ok(())
    }

    /// Hands over values of any length, in memory that the guest fetches.
    fn call_long(&mut self, function: u32, cells: &[Cell<'_>], give: Give<'_>) -> Result<(), DbError> {
        self.cross(cells.iter().map(Weight::weight).sum())?;
        let mut few = [Argument::Null; FEW];
        let many: Vec<Argument<'_>>;
        let arguments = if let Some(few) = few.get_mut(..cells.len()) {
            few.iter_mut().zip(cells).for_each(|(argument, cell)| *argument = (*cell).into());
            &*few
        } else {
            many = cells.iter().map(|cell| (*cell).into()).collect();
            &many
        };
        let call: Call<'_> = self.call;
        let answer = call.call(&mut self.store, (function, arguments));
        give(self.answered(answer)?.cell());
        Ok(())
    }

    fn answered(&mut self, answer: wasmtime::Result<Answer>) -> Result<Value, DbError> {
        let (answer,) = answer.or_else(|error| self.stop(&error))?;
        self.cross(match &answer {
            Ok(value) => value.weight(),
            Err(message) => message.weight(),
        })?;
        answer.map(Value::from).map_err(|mut message| {
            message.truncate(message.floor_char_boundary(MESSAGE_BYTES));
            DbError::new(ErrorCode::Function, message)
        })
    }

    /// Counts bytes that cross the boundary; beyond the limit it is of no more use. Those of short calls are too few to count:
    /// the fuel of a call is worth more.
    fn cross(&mut self, bytes: u64) -> Result<(), DbError> {
        let crossed = self.store.data_mut().cross(bytes);
        crossed.map_err(|reached| self.stopped.insert(said(&PluginError::Limit(reached))).clone())
    }

    /// Remembers why it is of no more use.
    #[cold]
    fn stop<T>(&mut self, error: &wasmtime::Error) -> Result<T, DbError> {
        let state = self.store.data_mut();
        let error = stopped(error, state, &self.limits, &self.interrupt, Some(&self.epochs.watchdog));
        Err(self.stopped.insert(said(&error)).clone())
    }
}

/// Says in a database's words why an instance is of no more use.
fn said(error: &PluginError) -> DbError {
    match error {
        PluginError::Interrupted => DbError::new(ErrorCode::Interrupted, "interrupted"),
        PluginError::Limit(reached) => DbError::from(*reached),
        PluginError::Trapped { reason, .. } => DbError::new(ErrorCode::Function, format!("it trapped: {reason}")),
        error => DbError::new(ErrorCode::Function, error.to_string()),
    }
}
