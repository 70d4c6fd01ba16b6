//! Which files can be hooks. Pure.

use super::problem::Problem;
use crate::model::{Body, Directives, Migration, TransactionMode};

/// Says why what was read as a migration cannot be run as a hook: it asks for what only a migration can have.
pub(super) fn unfit(migration: &Migration) -> Option<Problem> {
    let refuse = |message: &str, hint: &str| {
        Some(Problem::of_file(&migration.file, format!("a hook {message}"), Some(hint.to_owned())))
    };
    if migration.body.transform().is_some() {
        return refuse("is no transform, which is recorded in the history", "make it a migration");
    }
    if !migration.libraries().is_empty() {
        return refuse("has no libraries of functions, which belong to a chain", "make it a migration of that chain");
    }
    let Body::Sql { up: script, .. } = &migration.body else { return None };
    match &script.directives {
        Directives { transaction: TransactionMode::None, .. } => {
            refuse("always runs in a transaction", "leave `transaction = none` out, or make it a migration")
        }
        Directives { rebuild: true, .. } => refuse(
            "cannot suspend foreign keys",
            "leave `rebuild` and `PRAGMA foreign_keys` out, or make it a migration",
        ),
        _ => None,
    }
}
