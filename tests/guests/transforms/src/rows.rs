//! Behaviours row by row.

use std::cell::Cell as Counter;

use whimbrel_guest::{Cell, Error, Result, ReversibleTransform, RowIn, RowOut, Transform, info, params};

/// The transform.
pub struct Behaviour;

thread_local! {
    static CALLS: Counter<u32> = const { Counter::new(0) };
}

impl Transform for Behaviour {
    fn transform(row: &RowIn<'_>, out: &mut RowOut<'_>) -> Result<()> {
        let context = row.context();
        match context.param("do").unwrap_or("split") {
            "split" => split(row, out),
            // The work of the benchmark.
            "names" => {
                let name = crate::work::split(row.get(0)?);
                out.row(params![name.first, name.last, name.key])
            }
            "names-into" => {
                let name = crate::work::split(row.get(0)?);
                out.row(params![name.first, name.last, name.key, row.get::<i64>(1)?])
            }
            // Fails on texts that begin with `bad`.
            "picky" => match row.get::<&str>(0)? {
                bad if bad.starts_with("bad") => Err(Error::msg(format!("{bad} is no name"))),
                _ => split(row, out),
            },
            "words" => {
                let id: i64 = row.get("id")?;
                for (position, word) in row.get::<&str>("full_name")?.split_whitespace().enumerate() {
                    out.row(params![id, position as i64, word])?;
                }
                Ok(())
            }
            // Adds one to a number, so that a row transformed twice shows it.
            "count" => out.set(0, row.get::<Option<i64>>(0)?.unwrap_or(0) + 1),
            // Keeps something between rows, which no transform should.
            "same-thread" => {
                CALLS.set(CALLS.get() + 1);
                out.set(0, CALLS.get())
            }
            "context" => {
                let line = format!(
                    "{} {} {} dry={} params={} into={:?}",
                    context.chain(),
                    context.version(),
                    context.name(),
                    context.is_dry_run(),
                    context.param("colour").unwrap_or("none"),
                    row.columns(),
                );
                info!("{line}");
                out.set(0, line)
            }
            "same" => out.row(&row.cells().collect::<Vec<Cell<'_>>>()),
            "wrong-type" => out.set(0, "not a number"),
            "long" => {
                let name: &str = row.get(0)?;
                out.row(params![format!("{name}{}", "x".repeat(1000))])
            }
            "blob" => out.set(0, vec![0_u8, 255]),
            "panic" => match row.get::<&str>(0)? {
                text if text.starts_with("bad") => panic!("the parser met {text}"),
                _ => split(row, out),
            },
            "loop" => loop {
                CALLS.set(CALLS.get().wrapping_add(1));
            },
            "memory" => {
                let mut hoard: Vec<Vec<u8>> = Vec::new();
                loop {
                    hoard.push(vec![1; 1 << 20]);
                    CALLS.set(hoard.len() as u32);
                }
            }
            // Work of about 20 microseconds a row.
            "heavy" => {
                let name: &str = row.get(0)?;
                let mut hash = 0xcbf2_9ce4_8422_2325_u64;
                for _ in 0..700 {
                    for byte in name.bytes() {
                        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
                    }
                }
                out.set(0, format!("{hash:016x}"))
            }
            other => Err(Error::msg(format!("unknown behaviour {other}"))),
        }
    }
}

fn split(row: &RowIn<'_>, out: &mut RowOut<'_>) -> Result<()> {
    let name: &str = row.get(0)?;
    let (first, last) = name.rsplit_once(' ').unwrap_or((name, ""));
    out.set("first_name", first)?;
    out.set("last_name", last)
}

impl ReversibleTransform for Behaviour {
    fn revert(row: &RowIn<'_>, out: &mut RowOut<'_>) -> Result<()> {
        let (first, last): (Option<&str>, Option<&str>) = (row.get("first_name")?, row.get("last_name")?);
        match (first, last) {
            (Some("Forgotten"), _) => Err(Error::msg("nobody knows any more")),
            (Some(first), Some(last)) => out.set("full_name", format!("{first} {last}")),
            _ => out.set("full_name", None::<&str>),
        }
    }
}
