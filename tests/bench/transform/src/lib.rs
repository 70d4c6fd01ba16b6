//! The work of the benchmark as a transform, in the forms that the parameter `form` names.

#[path = "../../guest/src/work.rs"]
pub mod work;

use whimbrel_guest::{
    BatchBuilder, BatchTransform, Cell, CheckedBatch, Columns, Context, Error, Failure, Result, RowIn, RowOut,
    Transform, params,
};

/// Names are split, row by row: what is read is `full_name`, then `id` where rows go into another table.
pub struct Names;

impl Transform for Names {
    fn transform(row: &RowIn<'_>, out: &mut RowOut<'_>) -> Result<()> {
        let name = work::split(row.get("full_name")?);
        if row.columns().len() == 1 {
            out.row(params![name.first, name.last, name.key])
        } else {
            out.row(params![name.first, name.last, name.key, row.get::<i64>("id")?])
        }
    }
}

/// Names are split, column by column.
pub struct NameColumns;

impl BatchTransform for NameColumns {
    fn transform(batch: &CheckedBatch, columns: &Columns, _: &Context, out: &mut BatchBuilder) -> Result<(), Failure> {
        let names = batch.columns().first().ok_or("there is no name")?;
        let first = usize::from(columns.into().is_some());
        for row in 0..batch.rows() {
            let Cell::Text(full) = names.cell(row) else {
                return Err(Failure { row: Some(row as u32), error: Error::msg("the name is no text") });
            };
            let name = work::split(full);
            if first == 1 {
                out.push_integer(0, row as i64);
                out.push(4, batch.columns()[1].cell(row))?;
            }
            out.push_text(first, name.first)?;
            out.push_text(first + 1, name.last)?;
            out.push_text(first + 2, &name.key)?;
        }
        Ok(())
    }
}

/// As [`Names`], with much work for each.
pub struct Heavy;

impl Transform for Heavy {
    fn transform(row: &RowIn<'_>, out: &mut RowOut<'_>) -> Result<()> {
        let full: &str = row.get("full_name")?;
        let name = work::split(full);
        out.row(params![name.first, name.last, work::heavy_key(full)])
    }
}

/// Two columns of a wide row, each back to front.
pub struct Wide;

impl Transform for Wide {
    fn transform(row: &RowIn<'_>, out: &mut RowOut<'_>) -> Result<()> {
        let (text, blob) = work::turned(row.get(0)?, row.get(1)?);
        out.row(params![text, blob])
    }
}

#[cfg(target_family = "wasm")]
mod raw {
    use whimbrel_guest::bindings::transform as raw;
    use whimbrel_guest::{transform_batch, transform_rows};

    use super::{Heavy, NameColumns, Names, Wide};

    struct Exported;

    impl raw::Guest for Exported {
        fn apply(input: raw::Batch, ctx: raw::Context) -> Result<raw::Batch, raw::Failure> {
            let form = ctx.params.iter().find(|(name, _)| name == "form").map_or("", |(_, value)| value.as_str());
            match form {
                "rows" => transform_rows::<Names>(input, ctx),
                "columns" => transform_batch::<NameColumns>(input, ctx),
                "heavy" => transform_rows::<Heavy>(input, ctx),
                "wide" => transform_rows::<Wide>(input, ctx),
                other => Err(raw::Failure { row: None, message: format!("unknown form {other}") }),
            }
        }
    }

    raw::export!(Exported with_types_in raw);
}
