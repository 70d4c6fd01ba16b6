//! The functions that a step calls: prepared with the plan, and on the session for the time of the step only.

use std::sync::Arc;

use super::prepare::PreparedStep;
use super::report::StepError;
use super::run::Conditions;
use crate::db::{Function, Session};

/// A library whose functions can be registered.
pub(super) enum PreparedLibrary {
    /// Functions of the program itself.
    Native(Arc<[Function]>),
    /// A compiled component.
    #[cfg(feature = "wasm")]
    Component {
        /// What migrations call it.
        name: String,
        /// The component.
        plugin: Arc<crate::wasm::Plugin>,
    },
}

/// Functions that are registered until they are ended.
pub(super) struct Brought {
    any: bool,
    #[cfg(feature = "wasm")]
    instances: Vec<crate::wasm::FunctionsInstance>,
}

/// Registers the functions of a step, each library of components in an instance of its own.
pub(super) fn bring(
    session: &mut dyn Session,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
) -> Result<Brought, StepError> {
    let mut functions: Vec<Function> = Vec::new();
    #[cfg(feature = "wasm")]
    let mut instances = Vec::new();
    #[cfg(not(feature = "wasm"))]
    let _ = conditions;
    #[cfg(feature = "wasm")]
    let call = call(step, conditions);
    for library in &step.libraries {
        match library {
            PreparedLibrary::Native(native) => functions.extend_from_slice(native),
            #[cfg(feature = "wasm")]
            PreparedLibrary::Component { name, plugin } => {
                let started = plugin.functions(&call);
                let instance = started
                    .map_err(|source| StepError::Functions { library: name.clone(), source: Box::new(source) })?;
                functions.extend_from_slice(instance.functions());
                instances.push(instance);
            }
        }
    }
    if !functions.is_empty() {
        session.set_functions(&functions).map_err(StepError::doing("register the functions of the migration"))?;
    }
    Ok(Brought {
        any: !functions.is_empty(),
        #[cfg(feature = "wasm")]
        instances,
    })
}

#[cfg(feature = "wasm")]
fn call(step: &PreparedStep, conditions: &Conditions<'_>) -> crate::wasm::FunctionsCall {
    crate::wasm::FunctionsCall {
        started_at: u64::try_from(conditions.started_at.as_millisecond()).unwrap_or(0),
        limits: step.limits,
        used: crate::wasm::Used::default(),
        interrupt: conditions.interrupt.clone(),
        events: Arc::new(super::voice::Voice { step: step.step.clone(), observer: Arc::clone(conditions.observer) }),
    }
}

impl Brought {
    /// Takes the functions off the session; every statement ends. Returns the fuel they burnt, where there were any.
    pub(super) fn end(self, session: &mut dyn Session) -> Result<Option<u64>, StepError> {
        if !self.any {
            return Ok(None);
        }
        session.close_handles();
        session.set_functions(&[]).map_err(StepError::doing("take the functions of the migration away"))?;
        #[cfg(feature = "wasm")]
        if !self.instances.is_empty() {
            return Ok(Some(self.instances.iter().map(crate::wasm::FunctionsInstance::fuel).sum()));
        }
        Ok(None)
    }
}
