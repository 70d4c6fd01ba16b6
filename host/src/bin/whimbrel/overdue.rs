//! The end of a run that does not stop when its time is over: a single operation of SQLite's on a very long value cannot
//! be stopped from inside. The database rolls back when it is opened next, as after a kill.

use std::time::Duration;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::settings::write_duration;
use crate::ui::Ui;

/// How long a run may take to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Ends the program a little after the timeout, if there is one and the run has not ended by then.
pub(crate) fn watch(timeout: Option<Duration>, ui: &Ui) {
    let Some(timeout) = timeout else { return };
    let ui = ui.clone();
    // Nobody waits for this thread: it ends with the program.
    std::thread::spawn(move || {
        std::thread::sleep(timeout.saturating_add(GRACE));
        let timeout = write_duration(timeout);
        let message = format!("the run took longer than its timeout of {timeout} and did not stop; the program ends");
        let hint = "the step that ran is rolled back when the database is opened next: see `whimbrel status`";
        let failure = Failure { hint: Some(hint.to_owned()), ..Failure::new(Exit::TimedOut, "timeout", message) };
        std::process::exit(i32::from(ui.fail(&failure).code()));
    });
}
