//! Turns values into text and JSON. Prints nothing.

pub(crate) mod adoption;
pub(crate) mod amount;
pub(crate) mod determinism;
pub(crate) mod dry_run;
pub(crate) mod engines;
pub(crate) mod failure;
pub(crate) mod grants;
pub(crate) mod history;
mod hooks;
pub(crate) mod inspection;
pub(crate) mod json;
pub(crate) mod junit;
pub(crate) mod losses;
pub(crate) mod plan;
pub(crate) mod preview;
pub(crate) mod preview_html;
pub(crate) mod refusal;
pub(crate) mod repair;
pub(crate) mod report;
pub(crate) mod snippet;
pub(crate) mod status;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod test;
pub(crate) mod trip;
pub(crate) mod verify;
pub(crate) mod warning;
