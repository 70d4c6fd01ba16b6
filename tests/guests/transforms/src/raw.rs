//! Answers that no SDK would give, and the component's export.

use whimbrel_guest::Reverted;
use whimbrel_guest::bindings::reversible_transform as exports;
use whimbrel_guest::bindings::transform as raw;
use whimbrel_guest::bindings::transform::whimbrel::migration::types::Column;
use whimbrel_guest::transform_rows;

use crate::rows::Behaviour;

struct Exported;

impl exports::Guest for Exported {
    fn revert(input: raw::Batch, ctx: raw::Context) -> Result<raw::Batch, raw::Failure> {
        transform_rows::<Reverted<Behaviour>>(input, ctx)
    }

    fn apply(input: raw::Batch, ctx: raw::Context) -> Result<raw::Batch, raw::Failure> {
        let behaviour = ctx.params.iter().find(|(name, _)| name == "do").map_or("", |(_, value)| value.as_str());
        let rows = input.rows;
        let numbers = |rows: u32| Column {
            kind: 1,
            tags: Vec::new(),
            words: (0..u64::from(rows)).flat_map(u64::to_le_bytes).collect(),
            heap: Vec::new(),
        };
        let batch = |rows: u32, columns: Vec<Column>| Ok(raw::Batch { rows, columns });
        let failure = |row: Option<u32>| Err(raw::Failure { row, message: "no reason".to_owned() });
        match behaviour {
            "too-few" => batch(rows - 1, vec![numbers(rows - 1)]),
            "too-many" => batch(rows + 1, vec![numbers(rows + 1)]),
            "no-columns" => batch(rows, Vec::new()),
            "two-columns" => batch(rows, vec![numbers(rows), numbers(rows)]),
            "lying" => batch(rows, vec![numbers(rows - 1)]),
            "huge" => batch(u32::MAX, vec![numbers(rows)]),
            "utf8" => batch(
                1,
                vec![Column { kind: 3, tags: Vec::new(), words: [0, 0, 0, 0, 1, 0, 0, 0].to_vec(), heap: vec![255] }],
            ),
            "origin-far" => {
                batch(1, vec![Column { words: 9_999_u64.to_le_bytes().to_vec(), ..numbers(1) }, numbers(1)])
            }
            "origin-back" => batch(
                2,
                vec![
                    Column { words: [1_u64, 0].iter().flat_map(|number| number.to_le_bytes()).collect(), ..numbers(2) },
                    numbers(2),
                ],
            ),
            "origin-text" => {
                batch(1, vec![Column { kind: 3, tags: Vec::new(), words: vec![0; 8], heap: Vec::new() }, numbers(1)])
            }
            "fail-batch" => failure(None),
            "fail-far" => failure(Some(rows)),
            "fail-all" => failure(Some(0)),
            _ => transform_rows::<Behaviour>(input, ctx),
        }
    }
}

exports::export!(Exported with_types_in exports);
