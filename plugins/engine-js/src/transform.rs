//! Maps batches: row by row with a script's `transform` or `revert`, or with its `transformColumns`.

use std::cell::RefCell;

use whimbrel_packed::{BatchBuilder, CheckedBatch};

use crate::bindings::whimbrel::migration::types::Batch;
use crate::bindings::{Request, ScriptFailure};
use crate::columns;
use crate::failure::{Kind, fail, failure};
use crate::js::{self, Atom, Js, Result, Type};
use crate::machine;
use crate::modules;
use crate::native;
use crate::values::{self, Names, Shape};

/// A transform that is ready.
pub(crate) struct Loaded {
    pub(crate) function: Js,
    /// What it is called.
    export: String,
    /// It takes columns, and no single rows.
    by_columns: bool,
    pub(crate) context: Js,
    /// The columns that come in.
    pub(crate) read: Names,
    /// The columns that go out.
    pub(crate) write: Vec<(String, Atom)>,
    /// Rows go into another table.
    pub(crate) into: bool,
    pub(crate) shape: Shape,
}

thread_local! {
    static LOADED: RefCell<Option<Loaded>> = const { RefCell::new(None) };
}

/// Loads the script.
pub(crate) fn load(request: Request) -> std::result::Result<(), ScriptFailure> {
    let params = request.context.params.clone();
    let named = |name: &str| -> Vec<String> {
        params.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    };
    let module = modules::load(request.script)?;
    let by_columns = request.export == "transform" && columns::is_exported(&module);
    let function = machine::exported(&module, if by_columns { columns::EXPORT } else { &request.export })?;
    js::namespace(&module).and_then(|exports| native::read_options(&exports)).map_err(|thrown| thrown.explain())?;
    LOADED.set(Some(Loaded {
        function,
        export: request.export,
        by_columns,
        context: native::arguments().context,
        read: Names::new(named("whimbrel.read").iter()),
        write: named("whimbrel.write").into_iter().map(|name| (name.clone(), Atom::new(&name))).collect(),
        into: !named("whimbrel.into").is_empty(),
        shape: native::shape(),
    }));
    Ok(())
}

/// Maps a batch.
pub(crate) fn apply(input: Batch) -> std::result::Result<Batch, ScriptFailure> {
    js::enter();
    LOADED.with_borrow(|loaded| {
        let Some(loaded) = loaded else {
            return Err(failure("unsupported", "the transform was not loaded".to_owned(), Vec::new()));
        };
        let batch = values::check(input).map_err(|thrown| thrown.explain())?;
        if batch.columns().len() != loaded.read.len() {
            let message = format!("{} columns came in, and {} were said", batch.columns().len(), loaded.read.len());
            return Err(failure("unsupported", message, Vec::new()));
        }
        let mut out = BatchBuilder::with_capacity(loaded.write.len() + usize::from(loaded.into), batch.rows());
        if loaded.by_columns {
            columns::map(loaded, &batch, &mut out)?;
            return Ok(values::pack(&mut out));
        }
        for row in 0..batch.rows() {
            loaded.map(&batch, row, &mut out).map_err(|failure| match failure.code.as_str() {
                // Not about this row alone.
                "unsupported" => failure,
                _ => ScriptFailure { row: u32::try_from(row).ok(), ..failure },
            })?;
        }
        Ok(values::pack(&mut out))
    })
}

impl Loaded {
    /// Names the columns that go out.
    pub(crate) fn names(&self) -> String {
        self.write.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn map(&self, batch: &CheckedBatch, row: usize, out: &mut BatchBuilder) -> std::result::Result<(), ScriptFailure> {
        let result = values::from_row(&self.read, batch, row, self.shape)
            .and_then(|row| self.function.call(&Js::undefined(), &[row.raw(), self.context.raw()]));
        // Also when it is no promise: one that nobody awaits, and that was rejected, is this row's and not the next one's.
        let result = machine::settle(result, &self.export)?;
        // The first row tells, since all are made by the same code.
        if row == 0 {
            self.refuse_others(&result)?;
        }
        self.write(&result, row, out).map_err(|thrown| thrown.explain())
    }

    fn write(&self, result: &Js, row: usize, out: &mut BatchBuilder) -> Result<()> {
        if !self.into {
            return self.one(result, out, 0);
        }
        if matches!(result.kind(), Type::Undefined | Type::Null) {
            return Ok(());
        }
        if !result.is_array() {
            out.push_integer(0, row as i64);
            return self.one(result, out, 1);
        }
        for index in 0..result.length()? {
            out.push_integer(0, row as i64);
            self.one(&result.at(index)?, out, 1)?;
        }
        Ok(())
    }

    /// Refuses what no column takes. Those that came in may go out again: `{ ...row, b }`.
    fn refuse_others(&self, result: &Js) -> std::result::Result<(), ScriptFailure> {
        let first = if result.is_array() { result.at(0).map_err(|thrown| thrown.explain())? } else { result.clone() };
        if first.kind() != Type::Object || first.is_array() {
            return Ok(());
        }
        for name in first.names().map_err(|thrown| thrown.explain())? {
            let atom = Atom::new(&name);
            if !self.read.iter().chain(self.write.iter().map(|(_, column)| column)).any(|column| *column == atom) {
                let message = format!(
                    "{} returned {}, and writes no such column: add it to write, or leave it out ({})",
                    self.export,
                    name.escape_debug(),
                    self.names()
                );
                return Err(failure("unsupported", message, Vec::new()));
            }
        }
        Ok(())
    }

    /// Appends one row that came out.
    fn one(&self, result: &Js, out: &mut BatchBuilder, first: usize) -> Result<()> {
        let (export, names) = (&self.export, || self.names());
        if result.kind() != Type::Object {
            let what = if result.kind() == Type::Undefined { "nothing" } else { "no object" };
            return Err(fail(Kind::Type, &format!("{export} returned {what}: return {{ {} }}", names())));
        }
        let array = result.is_array();
        if array && result.length()? as usize != self.write.len() {
            let message =
                format!("{export} returned an array of {}, and the columns are {}", result.length()?, names());
            return Err(fail(Kind::Type, &message));
        }
        for (index, (name, atom)) in self.write.iter().enumerate() {
            let value = if array { result.at(index as u32)? } else { result.get_atom(atom)? };
            let missing = value.kind() == Type::Undefined || (value.kind() == Type::Object && !result.has_own(atom)?);
            if missing && !array {
                let message = format!("{export} returned no {name}: return {{ {} }}, with null for NULL", names());
                return Err(fail(Kind::Type, &message));
            }
            values::push(out, first + index, &value, &|| format!("{name} of what {export} returned"))?;
        }
        Ok(())
    }
}
