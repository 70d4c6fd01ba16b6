//! Pure functions from rows to rows. The host reads, writes, previews, splits the work and resumes it.

mod out;
mod row;
#[cfg(all(not(target_family = "wasm"), feature = "testing"))]
pub(crate) mod testing;

use whimbrel_packed::{BatchBuilder, CheckedBatch};

use crate::context::Context;
use crate::error::Error;
pub use out::RowOut;
pub use row::RowIn;

/// A transform, row by row.
///
/// ```
/// use whimbrel_guest::{Result, RowIn, RowOut, Transform};
///
/// struct SplitNames;
///
/// impl Transform for SplitNames {
///     fn transform(row: &RowIn<'_>, out: &mut RowOut<'_>) -> Result<()> {
///         let name: &str = row.get("full_name")?;
///         let (first, last) = name.rsplit_once(' ').unwrap_or(("", name));
///         out.set("first_name", first)?;
///         out.set("last_name", last)
///     }
/// }
///
/// whimbrel_guest::export_transform!(SplitNames);
/// # fn main() {}
/// ```
pub trait Transform {
    /// Transforms one row. An error rejects this row: its text is shown to the operator beside the row's key.
    ///
    /// Nothing may be kept from one row to the next.
    fn transform(row: &RowIn<'_>, out: &mut RowOut<'_>) -> crate::Result<()>;
}

/// A transform that can be reverted, where the manifest has `[transform.down]`.
pub trait ReversibleTransform: Transform {
    /// Makes of a row what it was before: reads what [`transform`](Transform::transform) writes, and writes what it reads,
    /// unless `[transform.down]` names other columns.
    fn revert(row: &RowIn<'_>, out: &mut RowOut<'_>) -> crate::Result<()>;
}

/// The inverse of a transform, as a transform: `Transforming::read(…).write(…).rows::<Reverted<T>>` tests it.
#[derive(Debug)]
pub struct Reverted<T>(std::marker::PhantomData<T>);

impl<T: ReversibleTransform> Transform for Reverted<T> {
    fn transform(row: &RowIn<'_>, out: &mut RowOut<'_>) -> crate::Result<()> {
        T::revert(row, out)
    }
}

/// A transform of whole columns, for speed.
pub trait BatchTransform {
    /// Transforms a batch: appends to `out` as many rows as the host expects.
    ///
    /// `out` has the columns of `write`. When rows go into another table ([`Columns::into`]), a column of integers
    /// comes first: the number of the row that each one comes from, never descending.
    fn transform(batch: &CheckedBatch, columns: &Columns, ctx: &Context, out: &mut BatchBuilder)
    -> Result<(), Failure>;
}

/// Why a batch was not transformed.
#[derive(Debug)]
pub struct Failure {
    /// The row at fault, counted from 0; none when it is no single one.
    pub row: Option<u32>,
    /// What is wrong with it.
    pub error: Error,
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { row: None, error: error.into() }
    }
}

/// Names of the columns that go in and come out, as the manifest's `[transform]` has them.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    pub(crate) read: Vec<String>,
    pub(crate) write: Vec<String>,
    pub(crate) into: Option<String>,
    /// For each column written, the column read that has the same name.
    #[cfg(any(target_family = "wasm", feature = "testing"))]
    pub(crate) kept: Vec<Option<usize>>,
}

impl Columns {
    /// Takes them out of what the host says about the run.
    #[cfg(any(target_family = "wasm", feature = "testing"))]
    pub(crate) fn of(context: &mut Context) -> Self {
        let mut columns = Self::default();
        let mut rest = Vec::new();
        for (name, value) in std::mem::take(&mut context.params) {
            match name.as_str() {
                "whimbrel.read" => columns.read.push(value),
                "whimbrel.write" => columns.write.push(value),
                "whimbrel.into" => columns.into = Some(value),
                _ => rest.push((name, value)),
            }
        }
        context.params = rest;
        let same = |name: &String| columns.read.iter().position(|read| read.eq_ignore_ascii_case(name));
        columns.kept = columns.write.iter().map(same).collect();
        columns
    }

    /// Returns the names of the columns that are read.
    pub fn read(&self) -> &[String] {
        &self.read
    }

    /// Returns the names of the columns that are written.
    pub fn write(&self) -> &[String] {
        &self.write
    }

    /// Returns the table rows go into, or none when they are updated in place.
    pub fn into(&self) -> Option<&str> {
        self.into.as_deref()
    }

    /// Columns of the batch that goes out.
    #[cfg(any(target_family = "wasm", feature = "testing"))]
    pub(crate) fn width(&self) -> usize {
        self.write.len() + usize::from(self.into.is_some())
    }
}

/// Runs one batch through a transform.
#[cfg(any(target_family = "wasm", feature = "testing"))]
pub(crate) type Apply = fn(&CheckedBatch, &Columns, &Context, &mut BatchBuilder) -> Result<(), Failure>;

/// Runs a row-wise transform over a batch.
#[cfg(any(target_family = "wasm", feature = "testing"))]
pub(crate) fn row_by_row<T: Transform>(
    batch: &CheckedBatch,
    columns: &Columns,
    ctx: &Context,
    builder: &mut BatchBuilder,
) -> Result<(), Failure> {
    let mut out = RowOut::new(columns, builder);
    for index in 0..batch.rows() {
        let row = RowIn::new(batch, columns, ctx, index);
        let done = T::transform(&row, &mut out).and_then(|()| out.end(&row));
        done.map_err(|error| Failure { row: Some(index as u32), error })?;
    }
    Ok(())
}

/// Makes a component of a [`Transform`]: the one line of registration.
#[macro_export]
macro_rules! export_transform {
    ($transform:ident) => {
        const _: () = {
            const fn is_transform<T: $crate::Transform>() {}
            is_transform::<$transform>();
        };
        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Exported;
            impl $crate::bindings::transform::Guest for Exported {
                fn apply(
                    input: $crate::bindings::transform::Batch,
                    ctx: $crate::bindings::transform::Context,
                ) -> ::std::result::Result<$crate::bindings::transform::Batch, $crate::bindings::transform::Failure>
                {
                    $crate::transform_rows::<$transform>(input, ctx)
                }
            }
    $crate::bindings::transform::export!(Exported with_types_in $crate::bindings::transform);
        };
    };
}

/// Makes a component of a [`ReversibleTransform`]: the one line of registration.
#[macro_export]
macro_rules! export_reversible_transform {
    ($transform:ident) => {
        const _: () = {
            const fn is_transform<T: $crate::ReversibleTransform>() {}
            is_transform::<$transform>();
        };
        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Exported;
            impl $crate::bindings::reversible_transform::Guest for Exported {
                fn apply(
                    input: $crate::bindings::transform::Batch,
                    ctx: $crate::bindings::transform::Context,
                ) -> ::std::result::Result<$crate::bindings::transform::Batch, $crate::bindings::transform::Failure>
                {
                    $crate::transform_rows::<$transform>(input, ctx)
                }

                fn revert(
                    input: $crate::bindings::transform::Batch,
                    ctx: $crate::bindings::transform::Context,
                ) -> ::std::result::Result<$crate::bindings::transform::Batch, $crate::bindings::transform::Failure>
                {
                    $crate::transform_rows::<$crate::Reverted<$transform>>(input, ctx)
                }
            }
            $crate::bindings::reversible_transform::export!(
                Exported with_types_in $crate::bindings::reversible_transform
            );
        };
    };
}

/// Makes a component of a [`BatchTransform`]: the one line of registration.
#[macro_export]
macro_rules! export_batch_transform {
    ($transform:ident) => {
        const _: () = {
            const fn is_transform<T: $crate::BatchTransform>() {}
            is_transform::<$transform>();
        };
        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Exported;
            impl $crate::bindings::transform::Guest for Exported {
                fn apply(
                    input: $crate::bindings::transform::Batch,
                    ctx: $crate::bindings::transform::Context,
                ) -> ::std::result::Result<$crate::bindings::transform::Batch, $crate::bindings::transform::Failure>
                {
                    $crate::transform_batch::<$transform>(input, ctx)
                }
            }
    $crate::bindings::transform::export!(Exported with_types_in $crate::bindings::transform);
        };
    };
}

#[cfg(target_family = "wasm")]
pub(crate) mod wasm {
    //! The export's side of the sandbox boundary.

    use std::panic;

    use whimbrel_packed::{Batch, BatchBuilder, Column};

    use super::{Apply, BatchTransform, Columns, Failure, Transform, row_by_row};
    use crate::backend;
    use crate::bindings::transform as raw;
    use crate::context::Context;
    use crate::log::Level;
    use crate::row::arrived;

    /// Runs a row-wise transform on what came in.
    #[doc(hidden)]
    pub fn transform_rows<T: Transform>(input: raw::Batch, ctx: raw::Context) -> Result<raw::Batch, raw::Failure> {
        call(row_by_row::<T>, input, ctx)
    }

    /// Runs a transform of columns on what came in.
    #[doc(hidden)]
    pub fn transform_batch<T: BatchTransform>(
        input: raw::Batch,
        ctx: raw::Context,
    ) -> Result<raw::Batch, raw::Failure> {
        call(T::transform, input, ctx)
    }

    fn call(apply: Apply, input: raw::Batch, ctx: raw::Context) -> Result<raw::Batch, raw::Failure> {
        // A trap has no message of its own, so the panic's goes ahead through the log.
        panic::set_hook(Box::new(|panic| backend::log(Level::Error, &panic.to_string())));
        let column = |raw: raw::whimbrel::migration::types::Column| Column {
            kind: raw.kind,
            tags: raw.tags,
            words: raw.words,
            heap: raw.heap,
        };
        let batch = Batch { rows: input.rows, columns: input.columns.into_iter().map(column).collect() };
        let mut context = context(ctx);
        let columns = Columns::of(&mut context);
        let mut out = BatchBuilder::with_capacity(columns.width(), input.rows as usize);
        let done = arrived(batch).map_err(Failure::from).and_then(|batch| apply(&batch, &columns, &context, &mut out));
        match done {
            Ok(()) if out.is_even() => {
                let batch = out.finish();
                let column = |column: Column| raw::whimbrel::migration::types::Column {
                    kind: column.kind,
                    tags: column.tags,
                    words: column.words,
                    heap: column.heap,
                };
                Ok(raw::Batch { rows: batch.rows, columns: batch.columns.into_iter().map(column).collect() })
            }
            Ok(()) => Err(raw::Failure {
                row: None,
                message: "the columns that came out have different numbers of cells".to_owned(),
            }),
            Err(failure) => Err(raw::Failure { row: failure.row, message: failure.error.to_string() }),
        }
    }

    fn context(raw: raw::Context) -> Context {
        let raw::Context { chain, version, name, tenant, dry_run, started_at, seed, params } = raw;
        Context { chain, version, name, tenant, dry_run, started_at, seed, params }
    }
}
