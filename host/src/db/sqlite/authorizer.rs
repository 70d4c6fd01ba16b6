//! Holds SQLite's authorizer against the rules in `grants`. Called while a statement is prepared, never per row.

use std::sync::Arc;

use rusqlite::hooks::{self, AuthAction, AuthContext, Authorization};

use crate::db::{DbError, ErrorCode};
use crate::grants::{self, Action, Denied, Restriction};
use crate::sql::{self, TokenKind};

/// What statements may do, and what the one just prepared is about to do.
#[derive(Default)]
pub(super) struct Gate {
    /// The rules in force; `None` allows everything.
    pub(super) restriction: Option<Arc<Restriction>>,
    /// Row counts are wanted, so DELETE must visit each row.
    pub(super) recording: bool,
    /// The first refusal since the last [`Gate::open`].
    pub(super) denied: Option<Denied>,
    /// The first write to a table since the last [`Gate::open`].
    pub(super) writes: Option<(hooks::Action, String)>,
    dropping: bool,
}

impl Gate {
    /// Forgets what the last statement was about, before the next one is prepared.
    pub(super) fn open(&mut self) {
        self.denied = None;
        self.writes = None;
        self.dropping = false;
    }
}

/// Decides on one action of the statement being prepared.
pub(super) fn authorize(gate: &mut Gate, context: &AuthContext<'_>) -> Authorization {
    if let Some(restriction) = &gate.restriction
        && let Err(denied) = grants::decide(restriction, action(context.action))
    {
        gate.denied.get_or_insert(denied);
        return Authorization::Deny;
    }
    if gate.recording {
        return record(gate, context);
    }
    Authorization::Allow
}

fn record(gate: &mut Gate, context: &AuthContext<'_>) -> Authorization {
    // Inside a trigger or a view the action is not the statement's own.
    let own = context.accessor.is_none();
    let mut write = |action, table: &str| {
        if own && gate.writes.is_none() {
            gate.writes = Some((action, table.to_owned()));
        }
    };
    match context.action {
        AuthAction::Insert { table_name } => write(hooks::Action::SQLITE_INSERT, table_name),
        AuthAction::Update { table_name, .. } => write(hooks::Action::SQLITE_UPDATE, table_name),
        AuthAction::Delete { table_name } => {
            write(hooks::Action::SQLITE_DELETE, table_name);
            // "Ignore" on DELETE means: delete, but row by row, so that each is counted. In a DROP it would
            // skip the drop. https://sqlite.org/c3ref/set_authorizer.html
            if !gate.dropping && !table_name.starts_with("sqlite_") {
                return Authorization::Ignore;
            }
        }
        AuthAction::DropTable { .. }
        | AuthAction::DropTempTable { .. }
        | AuthAction::DropView { .. }
        | AuthAction::DropTempView { .. }
        | AuthAction::DropVtable { .. } => gate.dropping = true,
        _ => {}
    }
    Authorization::Allow
}

/// Decides on what SQLite's authorizer is not asked about before the statement runs.
pub(super) fn check_text(gate: &Gate, sql: &str) -> Result<(), DbError> {
    let Some(restriction) = &gate.restriction else { return Ok(()) };
    let word = sql::tokens(sql).find(|token| !matches!(token.kind, TokenKind::Space | TokenKind::Comment));
    if word.is_some_and(|word| word.text.eq_ignore_ascii_case("VACUUM")) {
        grants::decide(restriction, Action::Vacuum).map_err(|denied| refusal(&denied))?;
    }
    Ok(())
}

/// Says a refusal as a database error.
pub(super) fn refusal(denied: &Denied) -> DbError {
    let mut error = DbError::new(ErrorCode::Denied, denied.reason.clone());
    error.details = vec![("action".into(), denied.action.clone()), ("object".into(), denied.object.clone())];
    error
}

/// Says in the words of the rules what SQLite is about to do.
fn action<'a>(action: AuthAction<'a>) -> Action<'a> {
    let table = |verb, table| Action::Table { verb, table };
    match action {
        AuthAction::Transaction { .. } => Action::Transaction,
        AuthAction::Savepoint { .. } => Action::Savepoint,
        AuthAction::Attach { .. } => Action::Attach,
        AuthAction::Detach { .. } => Action::Detach,
        AuthAction::Pragma { pragma_name, pragma_value } => Action::Pragma { name: pragma_name, value: pragma_value },
        AuthAction::Function { function_name } => Action::Function { name: function_name },
        AuthAction::CreateVtable { table_name, module_name } => {
            Action::CreateVirtualTable { table: table_name, module: module_name }
        }
        AuthAction::Read { table_name, .. } => table("read", table_name),
        AuthAction::Insert { table_name } => table("insert into", table_name),
        AuthAction::Update { table_name, .. } => table("update", table_name),
        AuthAction::Delete { table_name } => table("delete from", table_name),
        AuthAction::CreateTable { table_name } | AuthAction::CreateTempTable { table_name } => {
            table("create", table_name)
        }
        AuthAction::AlterTable { table_name, .. } => table("alter", table_name),
        AuthAction::DropTable { table_name }
        | AuthAction::DropTempTable { table_name }
        | AuthAction::DropVtable { table_name, .. } => table("drop", table_name),
        AuthAction::CreateIndex { table_name, .. }
        | AuthAction::CreateTempIndex { table_name, .. }
        | AuthAction::DropIndex { table_name, .. }
        | AuthAction::DropTempIndex { table_name, .. } => table("index", table_name),
        AuthAction::CreateTrigger { table_name, .. }
        | AuthAction::CreateTempTrigger { table_name, .. }
        | AuthAction::DropTrigger { table_name, .. }
        | AuthAction::DropTempTrigger { table_name, .. } => table("put a trigger on", table_name),
        AuthAction::CreateView { view_name } | AuthAction::CreateTempView { view_name } => table("create", view_name),
        AuthAction::DropView { view_name } | AuthAction::DropTempView { view_name } => table("drop", view_name),
        AuthAction::Analyze { table_name } => table("analyze", table_name),
        _ => Action::Other,
    }
}
