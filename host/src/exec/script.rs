//! Runs the text of a script: the operator's own as it stands, one that is held to grants as a guest would be.

use super::cascades;
use super::hold::held;
use super::prepare::PreparedStep;
use super::rebuild::says_unsound;
use super::renames::renames_table;
use super::report::StepError;
use super::run::Conditions;
use crate::db::{DbError, ErrorCode, Recording, ScriptError, Session};
use crate::limits::LimitReached;
use crate::model::{Script, TransactionMode};
use crate::plan::Warning;

/// Runs the script for the step's direction; a step without one does nothing. Returns what is to be told of it.
pub(super) fn run_script(
    session: &mut dyn Session,
    step: &PreparedStep,
    conditions: &Conditions<'_>,
) -> Result<Vec<Warning>, StepError> {
    let Some(script) = step.step.script() else { return Ok(Vec::new()) };
    let failed = |error| failed(script, error);
    match step.hold.restriction(conditions.history) {
        None if script.directives.rebuild => rebuild(session, script.runs()).map_err(failed).map(|()| Vec::new()),
        None => cascades::run(session, script, &step.step.title()).map_err(failed),
        Some(restriction) => {
            let run = |session: &mut dyn Session| session.execute_script(script.runs()).map_err(failed);
            limited(held(session, step, conditions, restriction, run)).map(|()| Vec::new())
        }
    }
}

/// Runs a script that rebuilds tables. Between DROP TABLE and RENAME a view or a trigger of another table names a table that
/// is not there, and SQLite refuses to rename any then, unless it is told to leave views and triggers as they are. That is
/// what is wanted here, and only here: otherwise references to a table follow its name.
/// <https://sqlite.org/pragma.html#pragma_legacy_alter_table>
fn rebuild(session: &mut dyn Session, script: &str) -> Result<(), ScriptError> {
    let mut from = 0;
    loop {
        let Err(mut failed) = session.execute_script(&script[from..]) else { return Ok(()) };
        failed.start += from;
        failed.end += from;
        let statement = &script[failed.start..failed.end];
        if !says_unsound(&failed.error) || !renames_table(statement) {
            return Err(failed);
        }
        let at = |error| ScriptError { start: failed.start, end: failed.end, error };
        set_legacy(session, true).map_err(at)?;
        let renamed = session.execute_script(statement);
        session.hold_interrupt(true);
        let restored = set_legacy(session, false);
        session.hold_interrupt(false);
        restored.map_err(at)?;
        renamed.map_err(|error| at(error.error))?;
        from = failed.end;
    }
}

/// Has SQLite leave views and triggers as they are, or not any more; the statement is none of the script's.
fn set_legacy(session: &mut dyn Session, wanted: bool) -> Result<(), DbError> {
    session.hold_recording(true);
    session.hold_counting(true);
    let set = session.execute(&format!("PRAGMA legacy_alter_table = {}", if wanted { "ON" } else { "OFF" }), &[]);
    session.hold_counting(false);
    session.hold_recording(false);
    set.map(drop)
}

/// Makes an error of a step of one of its script.
pub(super) fn failed(script: &Script, failed: ScriptError) -> StepError {
    match failed.error.code {
        ErrorCode::Interrupted => StepError::Interrupted,
        _ => StepError::Statement {
            script: Box::new(script.clone()),
            failed: Box::new(as_written(script, failed)),
            kept: script.directives.transaction == TransactionMode::None,
        },
    }
}

/// Puts a limit that was reached above the words in which SQLite tells it.
pub(super) fn limited<T>((ran, reached): (Result<T, StepError>, Option<LimitReached>)) -> Result<T, StepError> {
    match (ran, reached) {
        (Err(StepError::Statement { script, failed, .. }), Some(reached)) => {
            Err(StepError::Limit { reached, script, failed })
        }
        (ran, _) => ran,
    }
}

/// Tells an error in what was run as one in the file, without the values that were put in.
pub(super) fn as_written(script: &Script, mut failed: ScriptError) -> ScriptError {
    if let Some(filled) = &script.filled {
        let mut statement = failed.start..failed.end;
        filled.error_as_written(&script.text, &mut statement, &mut failed.error);
        (failed.start, failed.end) = (statement.start, statement.end);
    }
    failed
}

/// Shows what a script has run as it stands in the file, without the values that were put in.
pub(super) fn recorded_as_written(script: Option<&Script>, mut recording: Recording) -> Recording {
    if let Some((script, filled)) = script.and_then(|script| Some((script, script.filled.as_ref()?))) {
        for statement in &mut recording.statements {
            statement.sql = filled.as_written(&script.text, &statement.sql);
        }
    }
    recording
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{Limit, SetBy};
    use crate::sql::Directives;

    fn chain(error: &StepError) -> String {
        let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    #[test]
    fn every_cause_of_a_failed_statement_is_in_the_chain() {
        let script = Script::new("0002_note.sql", "SELECT 1;\nSELECT\n nothing;".into(), Directives::default());
        let error = DbError { offset: Some(8), ..DbError::new(ErrorCode::Syntax, "no such column: nothing") };
        let failure = || failed(&script, ScriptError { start: 10, end: 25, error: error.clone() });
        let below = "the statement from byte 10 to 25 failed: no such column: nothing";
        assert_eq!(chain(&failure()), format!("a statement failed at 0002_note.sql:3: {below}"));
        let reached = LimitReached { limit: Limit::RowsWritten, value: 5, set_by: SetBy::Default };
        let error = limited::<()>((Err(failure()), Some(reached))).unwrap_err();
        assert_eq!(
            chain(&error),
            format!("the script reached its rows_written limit of 5 at 0002_note.sql:3: {below}")
        );
    }
}
