//! Counts what a run does with its database, and ends the process by SIGKILL at a chosen moment.

use std::process::Command;
use std::str::FromStr;
use std::sync::{Arc, Mutex};

use whimbrel::exec::{Event, Observer};

/// When the process is to be killed. Events are counted from 0.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Moment {
    /// Before an event begins.
    Before(usize),
    /// When it has ended.
    After(usize),
    /// Not at all.
    Never,
}

impl Moment {
    /// Returns every moment of a run of so many events.
    pub(super) fn all(events: usize) -> impl Iterator<Item = Self> {
        (0..events).flat_map(|event| [Self::Before(event), Self::After(event)])
    }

    /// Writes it as [`Moment::from_str`] reads it.
    pub(super) fn text(self) -> String {
        match self {
            Self::Before(event) => format!("before {event}"),
            Self::After(event) => format!("after {event}"),
            Self::Never => "never".to_owned(),
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let event = |number: &str| number.parse().map_err(|_| format!("{number} is no number"));
        match text.split_once(' ') {
            Some(("before", number)) => event(number).map(Self::Before),
            Some(("after", number)) => event(number).map(Self::After),
            _ if text == "never" => Ok(Self::Never),
            _ => Err(format!("{text} is no moment")),
        }
    }
}

/// Called with the name of an event.
type Listener = Arc<dyn Fn(&str) + Send + Sync>;

/// The events of one run, shared by whatever makes them.
#[derive(Clone)]
pub(crate) struct Events {
    moment: Moment,
    seen: Arc<Mutex<Vec<String>>>,
    before: Option<Listener>,
}

impl Events {
    pub(crate) fn new(moment: Moment) -> Self {
        Self { moment, seen: Arc::default(), before: None }
    }

    /// Calls something before each event.
    pub(crate) fn before_each(self, listener: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { before: Some(Arc::new(listener)), ..self }
    }

    /// Does something that counts as one event.
    pub(super) fn around<R>(&self, name: &str, work: impl FnOnce() -> R) -> R {
        let number = {
            let mut seen = self.seen.lock().unwrap();
            seen.push(name.to_owned());
            seen.len() - 1
        };
        if let Some(before) = &self.before {
            before(name);
        }
        if self.moment == Moment::Before(number) {
            die();
        }
        let result = work();
        if self.moment == Moment::After(number) {
            die();
        }
        result
    }

    /// Returns the names of the events so far.
    pub(super) fn names(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// What a run tells are events too: a guest that logs is in the middle of its work.
impl Observer for Events {
    fn event(&self, event: &Event<'_>) {
        let name = match event {
            Event::Compiling { .. } => "compiling",
            Event::StepStarted { .. } => "step started",
            Event::Log { .. } => "guest log",
            Event::Progress { .. } => "guest progress",
            Event::StepFinished { .. } => "step finished",
            _ => "something else",
        };
        self.around(name, || ());
    }
}

/// Ends this process as `kill -9` does: no destructor runs, nothing is written any more.
fn die() -> ! {
    let kill = format!("kill -KILL {}", std::process::id());
    let killed = Command::new("sh").args(["-c", &kill]).status();
    panic!("the process outlived its own SIGKILL: {killed:?}");
}
