//! Says what is left of a run that stopped.

use std::collections::HashMap;

use whimbrel::exec::{Report, StepError, StepOutcome};
use whimbrel::plan::{Direction, Step};

use super::hint;

/// Says where a migration stands that was stopped in the middle.
pub(super) fn where_stopped(source: &StepError, done: &Report, failed: &Step, outside: bool) -> &'static str {
    if done.chunks_stay {
        "stopped after its last chunk: `whimbrel up` goes on there"
    } else if let StepError::NotBegun { waiting: true } = source {
        "had not begun: it waited for another process that uses the database"
    } else if let StepError::NotBegun { .. } = source {
        "had not begun"
    } else if outside && failed.direction == Direction::Up {
        "stopped after the last statement that was run to its end: `whimbrel up` goes on there"
    } else if outside {
        "runs outside a transaction: look at what it has done"
    } else {
        "was rolled back"
    }
}

/// Says what stays of a script outside a transaction that has failed.
pub(super) fn stays_outside(failed: &Step) -> String {
    let stays = "what it has committed before that statement stays: it runs outside a transaction";
    match failed.direction {
        Direction::Up => format!("{stays}; `whimbrel up` goes on there"),
        Direction::Down => format!("{stays}; {}", hint::dirty(&failed.title(), failed.direction)),
    }
}

/// Says what was done before the step that failed, which went this way; a run may have gone both.
pub(super) fn what_remains(done: &Report, failed: Direction) -> Vec<String> {
    if done.dry_run {
        return vec!["it was a dry run: everything was rolled back".to_owned()];
    }
    // A run may have applied again what it had reverted: what counts is how each stands in the end.
    let mut ends = HashMap::new();
    for step in &done.steps {
        if matches!(step.outcome, StepOutcome::Done | StepOutcome::MarkedApplied | StepOutcome::DoneElsewhere) {
            ends.insert((&step.step.chain, step.step.migration.key()), (step.step.direction, step.outcome));
        }
    }
    let told = |direction: Direction, verb: &str| {
        let then = match (direction, failed) {
            // Who takes back and applies again once more would begin with the migration before it.
            (Direction::Down, Direction::Up) => ": `whimbrel up` applies again what was reverted",
            _ => "",
        };
        match ends.values().filter(|end| **end == (direction, StepOutcome::Done)).count() {
            0 => None,
            1 => Some(format!("1 migration was {verb} before it and stays {verb}{then}")),
            steps => Some(format!("{steps} migrations were {verb} before it and stay {verb}{then}")),
        }
    };
    [told(Direction::Down, "reverted"), told(Direction::Up, "applied")].into_iter().flatten().collect()
}
