//! Judges what a script's `verify` answers.

use crate::bindings::ScriptFailure;
use crate::failure::failure;
use crate::outline::Function;
use crate::session::Session;

/// Makes a call, and a failure of an answer that Python takes for false; no answer is one, since `first` gives none for no
/// row.
pub(crate) fn judge(session: &mut Session, call: &str, function: Function) -> Result<(), ScriptFailure> {
    let judged = session.feed(&format!("_whimbrel_judge({call})"), Vec::new());
    let judged = judged.map_err(|failure| function.place(failure))?;
    match judged.as_ref().as_str() {
        Some(shown) => Err(failure("unverified", format!("{} returned {shown}", function.name), vec![function.frame])),
        None => Ok(()),
    }
}
