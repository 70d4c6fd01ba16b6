//! SQL functions of a component: an instance that lives for the time of a step, called from within statements.

use std::cell::{Cell as Counter, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::{ComponentType, Lift, Lower, TypedFunc};

use super::bindings::whimbrel::migration::types;
use super::epochs::{self, Epochs};
use super::error::PluginError;
use super::limits::Bounds;
use super::plugin::Plugin;
use super::short::{self, Bytes, Words};
use super::state::{GuestEvents, State};
use super::transform::stopped;
use super::wasi::Wasi;
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

thread_local! {
    /// The instances at work on this thread. SQLite wants functions that may move between threads, which a store may
    /// not: a function holds its instance's place here, and its session never leaves the thread.
    static INSTANCES: RefCell<Vec<Option<Rc<RefCell<Live>>>>> = const { RefCell::new(Vec::new()) };
    /// Counts instances, so that a place that is used again is not taken for the one before.
    static COUNT: Counter<u64> = const { Counter::new(0) };
}

/// Under which conditions an instance works.
pub struct FunctionsCall {
    /// Recorded start of the run, in milliseconds since 1970.
    pub started_at: u64,
    /// What all calls together may use.
    pub limits: RunLimits,
    /// Stops them.
    pub interrupt: Interrupt,
    /// Hears what they say.
    pub events: Arc<dyn GuestEvents>,
}

/// An instance whose functions can be called on this thread, until it is dropped.
pub struct FunctionsInstance {
    place: usize,
    live: Rc<RefCell<Live>>,
    functions: Vec<Function>,
}

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
    number: u64,
    store: Store<State>,
    call: Call<'static>,
    short: Option<ShortCall>,
    limits: RunLimits,
    interrupt: Interrupt,
    epochs: Epochs,
    /// Why it is of no more use.
    stopped: Option<DbError>,
}

impl Plugin {
    /// Makes an instance of a component of functions and asks it what they are.
    pub fn functions(&self, call: &FunctionsCall) -> Result<FunctionsInstance, PluginError> {
        let wasi = Wasi::new(call.started_at, self.inspection().checksum.seed());
        let state = State::new(Bounds::new(call.limits), wasi, None, Arc::clone(&call.events));
        let mut store = Store::new(self.linked.engine(), state);
        let begun = epochs::begin(&mut store, &call.limits, &call.interrupt, self.guarded).and_then(|epochs| {
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
        let number = COUNT.get() + 1;
        COUNT.set(number);
        let live = Live {
            number,
            store,
            call: function,
            short,
            limits: call.limits,
            interrupt: call.interrupt.clone(),
            epochs,
            stopped: None,
        };
        Ok(FunctionsInstance::enlist(live, signatures))
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
    fn enlist(live: Live, signatures: Vec<Signature>) -> Self {
        let number = live.number;
        let live = Rc::new(RefCell::new(live));
        let place = INSTANCES.with_borrow_mut(|instances| {
            let free = instances.iter().position(Option::is_none).unwrap_or_else(|| {
                instances.push(None);
                instances.len() - 1
            });
            instances[free] = Some(Rc::clone(&live));
            free
        });
        let function = |(index, signature): (usize, Signature)| {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            let apply = move |arguments: &[Cell<'_>], give: Give<'_>| call_at(place, number, index, arguments, give);
            Function::giving(signature, Arc::new(apply))
        };
        let functions = signatures.into_iter().enumerate().map(function).collect();
        Self { place, live, functions }
    }

    /// Returns the functions. On another thread, and after the instance was dropped, a call is an error.
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// Returns the fuel burnt so far.
    pub fn fuel(&self) -> u64 {
        let live = self.live.borrow();
        live.limits.of(Limit::Fuel).saturating_sub(live.store.get_fuel().unwrap_or(0))
    }
}

impl Drop for FunctionsInstance {
    fn drop(&mut self) {
        INSTANCES.with_borrow_mut(|instances| instances[self.place] = None);
    }
}

fn call_at(place: usize, number: u64, function: u32, arguments: &[Cell<'_>], give: Give<'_>) -> Result<(), DbError> {
    let gone = || DbError::new(ErrorCode::Function, "it is called where its instance is not");
    let live = INSTANCES.with_borrow(|instances| instances.get(place).cloned().flatten()).ok_or_else(gone)?;
    let mut live = live.try_borrow_mut().map_err(|_| DbError::new(ErrorCode::Function, "it is called by itself"))?;
    if live.number != number {
        return Err(gone());
    }
    live.call(function, arguments, give)
}

impl Live {
    fn call(&mut self, function: u32, cells: &[Cell<'_>], give: Give<'_>) -> Result<(), DbError> {
        if let Some(error) = &self.stopped {
            return Err(error.clone());
        }
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
        answer.map(Value::from).map_err(|mut message| {
            message.truncate(message.floor_char_boundary(MESSAGE_BYTES));
            DbError::new(ErrorCode::Function, message)
        })
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
