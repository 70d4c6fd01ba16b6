//! What the preconditions of pending migrations say now, for people and as JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use whimbrel::Status;
use whimbrel::exec::Outlook;
use whimbrel::model::Unmet;

use super::{style, verify};
use crate::escape;

/// Says what a run would do with each migration that has preconditions, a line each.
pub(super) fn notes(status: &Status, outlooks: &BTreeMap<usize, Outlook>) -> String {
    let note = style::paint(style::HINT, "note");
    let several = status.chains.len() > 1;
    let line = |(place, outlook): (&usize, &Outlook)| {
        let title = verify::title(status.entries.get(*place)?, several);
        Some(format!("{note}: {}\n", escape::line(&sentence(&title, outlook))))
    };
    outlooks.iter().filter_map(line).collect()
}

fn sentence(title: &str, outlook: &Outlook) -> String {
    match outlook {
        Outlook::Met => format!("as the database is now, the preconditions of {title} hold"),
        Outlook::Unmet { otherwise, reason } => match otherwise {
            Unmet::Fail => format!("as the database is now, `up` would fail at {title}: {reason}"),
            Unmet::Skip => format!("as the database is now, `up` would skip {title}: {reason}"),
            Unmet::MarkApplied => {
                format!("as the database is now, `up` would mark {title} as applied and not run it: {reason}")
            }
        },
        Outlook::Unknown { reason } => format!("it cannot be told what `up` would do with {title}: {reason}"),
    }
}

/// What the preconditions of one migration say.
#[derive(Serialize)]
pub(super) struct OutlookJson {
    /// `met`, `fail`, `skip`, `mark-applied` or `unknown`.
    outcome: &'static str,
    reason: Option<String>,
}

/// Writes it as JSON.
pub(super) fn json(outlook: &Outlook) -> OutlookJson {
    match outlook {
        Outlook::Met => OutlookJson { outcome: "met", reason: None },
        Outlook::Unmet { otherwise, reason } => {
            OutlookJson { outcome: otherwise.as_str(), reason: Some(reason.clone()) }
        }
        Outlook::Unknown { reason } => OutlookJson { outcome: "unknown", reason: Some(reason.clone()) },
    }
}
