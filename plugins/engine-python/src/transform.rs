//! Maps the rows of batches with a script's `transform` or `revert`.

use std::cell::RefCell;

use monty_types::unstable::{self, MontyNode};
use monty_types::{ExcType, MontyException, NamedValues, ObjectRef};
use whimbrel_packed::BatchBuilder;

use crate::bindings::whimbrel::migration::types::Batch;
use crate::bindings::{Request, ScriptFailure};
use crate::failure::{explain, failure, raise};
use crate::outline::{Function, Source};
use crate::rows::{Rows, Shape};
use crate::session::Session;
use crate::values;

/// A transform that is ready.
struct Loaded {
    session: Session,
    function: Function,
    /// The columns that come in.
    read: Vec<String>,
    /// The columns that go out.
    write: Vec<String>,
    /// Rows go into another table.
    into: bool,
}

thread_local! {
    static LOADED: RefCell<Option<Loaded>> = const { RefCell::new(None) };
}

/// Loads the script.
pub(crate) fn load(request: Request) -> Result<(), ScriptFailure> {
    let source = Source::read(request.script)?;
    let function = source.function(&request.export)?;
    let mut session = Session::start(&source, &request.context, request.memory)?;
    let map = format!(
        "def _whimbrel_map(rows):\n    _whimbrel_done.clear()\n    for row in rows:\n        \
         _whimbrel_done.append(_whimbrel_keep({}({})))\n    return _whimbrel_done\n_whimbrel_done = []\n",
        function.name,
        function.arguments("row")
    );
    session.feed(&map, Vec::new())?;
    let params = request.context.params;
    let named = |name: &str| params.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect();
    let into: Vec<String> = named("whimbrel.into");
    LOADED.set(Some(Loaded {
        session,
        function,
        read: named("whimbrel.read"),
        write: named("whimbrel.write"),
        into: !into.is_empty(),
    }));
    Ok(())
}

/// Maps a batch.
pub(crate) fn apply(input: Batch) -> Result<Batch, ScriptFailure> {
    LOADED.with_borrow_mut(|loaded| match loaded {
        Some(loaded) => loaded.apply(input),
        None => Err(failure("unsupported", "the transform was not loaded".to_owned(), Vec::new())),
    })
}

impl Loaded {
    fn apply(&mut self, input: Batch) -> Result<Batch, ScriptFailure> {
        let batch = values::check(input).map_err(|error| explain(&error, "", ""))?;
        if batch.columns().len() != self.read.len() {
            let message = format!("{} columns came in, and {} were said", batch.columns().len(), self.read.len());
            return Err(failure("unsupported", message, Vec::new()));
        }
        let mut rows = Rows::new(&self.read, Shape::Dict);
        rows.extend(&batch);
        let mut inputs = NamedValues::new();
        inputs.push("_whimbrel_rows", rows.list());
        let mapped = match self.session.feed("_whimbrel_map(_whimbrel_rows)", inputs) {
            Ok(mapped) => mapped,
            Err(failure) => return Err(ScriptFailure { row: self.done(), ..self.function.place(failure) }),
        };
        let mapped = values::sequence(mapped.as_ref()).unwrap_or_default();
        let mut out = BatchBuilder::with_capacity(self.write.len() + usize::from(self.into), batch.rows());
        for (row, result) in mapped.into_iter().enumerate() {
            self.write(result, row, &mut out).map_err(|error| {
                let failure = explain(&error, "", "");
                ScriptFailure { row: u32::try_from(row).ok(), frames: vec![self.function.frame.clone()], ..failure }
            })?;
        }
        Ok(values::pack(&mut out))
    }

    /// Counts the rows that were mapped before one failed.
    fn done(&mut self) -> Option<u32> {
        let count = self.session.feed("len(_whimbrel_done)", Vec::new()).ok()?;
        u32::try_from(count.as_ref().as_int()?).ok()
    }

    fn write(&self, result: ObjectRef<'_>, row: usize, out: &mut BatchBuilder) -> Result<(), MontyException> {
        if !self.into {
            return self.one(result, out, 0);
        }
        match unstable::node(result) {
            MontyNode::None => Ok(()),
            MontyNode::List(_) => values::sequence(result).unwrap_or_default().into_iter().try_for_each(|result| {
                out.push_integer(0, row as i64);
                self.one(result, out, 1)
            }),
            _ => {
                out.push_integer(0, row as i64);
                self.one(result, out, 1)
            }
        }
    }

    /// Appends one row that came out.
    fn one(&self, result: ObjectRef<'_>, out: &mut BatchBuilder, first: usize) -> Result<(), MontyException> {
        let (export, names) = (&self.function.name, || self.write.join(", "));
        let place = |name: &str| format!("{name} of what {export} returned");
        if let MontyNode::Dict(_) = unstable::node(result) {
            let pairs = result.pairs().unwrap_or_default();
            for (index, name) in self.write.iter().enumerate() {
                let value = pairs.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| *value);
                let Some(value) = value else {
                    let message =
                        format!("{export} returned no {name}: return a dict of {}, with None for NULL", names());
                    return Err(raise(ExcType::TypeError, message));
                };
                values::push(out, first + index, value, &|| place(name))?;
            }
            return Ok(());
        }
        let Some(cells) = values::sequence(result) else {
            let what = match unstable::node(result) {
                MontyNode::None => "nothing".to_owned(),
                _ => values::kind(result),
            };
            return Err(raise(ExcType::TypeError, format!("{export} returned {what}: return a dict of {}", names())));
        };
        if cells.len() != self.write.len() {
            let message = format!("{export} returned {} values, and the columns are {}", cells.len(), names());
            return Err(raise(ExcType::TypeError, message));
        }
        for (index, (name, value)) in self.write.iter().zip(cells).enumerate() {
            values::push(out, first + index, value, &|| place(name))?;
        }
        Ok(())
    }
}
