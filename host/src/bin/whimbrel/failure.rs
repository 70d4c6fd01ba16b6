//! An error as a person and a program are told of it: message, causes, hint, places, exit code.

mod adopt;
mod grants;
pub(crate) mod hint;
mod language;
mod library;
mod limits;
mod prepare;
mod remains;
mod run;
mod script;
mod temporary;
mod transform;

use whimbrel::exec::Report;

use crate::exit::Exit;
use crate::place::Place;
use crate::settings::SettingsError;
use crate::ui::Unwritten;
pub(crate) use grants::give as give_grants;
pub(crate) use library::component as explain_component;
pub(crate) use limits::give as give_limits;
pub(crate) use run::{guest as explain_guest, step as explain_step};
pub(crate) use script::unusable as explain_engine;

/// Why a verb failed.
pub(crate) struct Failure {
    /// How the program ends.
    pub(crate) exit: Exit,
    /// One word for programs.
    pub(crate) code: &'static str,
    /// What happened, to which thing.
    pub(crate) message: String,
    /// Why, outermost first.
    pub(crate) causes: Vec<String>,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    /// What else there is to know.
    pub(crate) notes: Vec<String>,
    /// Everything found, where more than one thing can be wrong; and where it is.
    pub(crate) problems: Vec<Problem>,
    /// A guest's functions, innermost first.
    pub(crate) backtrace: Vec<String>,
    /// What a run had done before it failed.
    pub(crate) done: Option<Box<Report>>,
}

/// One thing that is wrong.
pub(crate) struct Problem {
    /// One word for programs.
    pub(crate) code: &'static str,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    /// Version and name of the migration.
    pub(crate) migration: Option<String>,
    /// Where it is.
    pub(crate) place: Option<Place>,
}

impl Failure {
    /// Makes a failure of one message.
    pub(crate) fn new(exit: Exit, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            exit,
            code,
            message: message.into(),
            causes: Vec::new(),
            hint: None,
            notes: Vec::new(),
            problems: Vec::new(),
            backtrace: Vec::new(),
            done: None,
        }
    }

    /// Makes a failure of everything that is wrong; a single problem speaks for itself.
    fn of_problems(code: &'static str, headline: &str, problems: Vec<Problem>) -> Self {
        let message = match problems.as_slice() {
            [only] => only.located_message(),
            problems => format!("{headline}: {} problems", problems.len()),
        };
        Self { problems, ..Self::new(Exit::Failed, code, message) }
    }
}

impl Problem {
    /// Returns the message with the file and place before it, unless an excerpt shows them.
    pub(crate) fn located_message(&self) -> String {
        match &self.place {
            Some(Place { file, position: Some((line, column)), excerpt: None }) => {
                format!("{file}:{line}:{column}: {}", self.message)
            }
            Some(Place { file, position: None, excerpt: None }) => format!("{file}: {}", self.message),
            Some(Place { excerpt: Some(_), .. }) | None => self.message.clone(),
        }
    }
}

/// Explains whatever stopped a verb.
pub(crate) fn explain(error: anyhow::Error) -> Failure {
    let error = match error.downcast::<whimbrel::Error>() {
        Ok(error) => return library::explain(error),
        Err(error) => error,
    };
    let error = match error.downcast::<Unwritten>() {
        Ok(error) => return unwritten(&error),
        Err(error) => error,
    };
    match error.downcast::<SettingsError>() {
        Ok(error) => settings(error),
        Err(error) => {
            let causes = error.chain().skip(1).map(ToString::to_string).collect();
            let hint = error.chain().find_map(|cause| hint::file(cause.downcast_ref()?)).map(str::to_owned);
            Failure { causes, hint, ..Failure::new(Exit::Failed, "failed", error.to_string()) }
        }
    }
}

/// Explains that the result is lost; what was done is not.
fn unwritten(error: &Unwritten) -> Failure {
    let exit = if error.done.is_some() { Exit::Unreported } else { Exit::Failed };
    Failure {
        causes: vec![error.source.to_string()],
        notes: error.done.iter().map(|done| format!("it was done all the same: {done}")).collect(),
        hint: hint::file(&error.source).map(str::to_owned),
        ..Failure::new(exit, "output", error.to_string())
    }
}

fn settings(error: SettingsError) -> Failure {
    let place = error.place.map(|place| Place { file: place.file, position: place.position, excerpt: None });
    let problem = Problem { code: error.code, message: error.message, hint: error.hint, migration: None, place };
    let exit = match error.code {
        "protected" | "not-confirmed" | "renumber" | "not-kept" | "unknown-target" | "ambiguous-target" => Exit::Failed,
        _ => Exit::Usage,
    };
    Failure { exit, ..Failure::of_problems(error.code, "the settings are wrong", vec![problem]) }
}
