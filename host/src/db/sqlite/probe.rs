//! Looks into a view or trigger that was just created, by preparing what would use it. Runs nothing.

use crate::db::quote_identifier;
use crate::grants::{Action, Request, Schema, StatementKind, TriggerEvent, Verb};

/// What the statement that looks inside does itself, which is not what it was sent for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Probe {
    object: String,
    event: Verb,
    seen: bool,
}

impl Probe {
    /// Makes the statement that has SQLite compile a view or trigger, and says what of it is its own.
    pub(super) fn of(kind: &StatementKind, schema: &Schema, columns: &[String]) -> Option<(Self, String)> {
        let (object, event, sql) = match kind {
            StatementKind::CreateView { view } => {
                (view, Verb::Read, format!("SELECT * FROM main.{}", quote_identifier(view)))
            }
            StatementKind::CreateTrigger { table, event, .. } => {
                let quoted = quote_identifier(table);
                match event {
                    TriggerEvent::Insert => (table, Verb::Insert, format!("INSERT INTO main.{quoted} DEFAULT VALUES")),
                    TriggerEvent::Delete => (table, Verb::Delete, format!("DELETE FROM main.{quoted}")),
                    TriggerEvent::Update(of) => {
                        let column = of.first().or_else(|| first_plain(schema, table, columns))?;
                        (table, Verb::Update, format!("UPDATE main.{quoted} SET {} = NULL", quote_identifier(column)))
                    }
                }
            }
            _ => return None,
        };
        Some((Self { object: object.clone(), event, seen: false }, sql))
    }

    /// Tells whether an action is the probing statement's own.
    ///
    /// What comes from a foreign key has no accessor either, so of the changing actions only the first is.
    pub(super) fn is_own(&mut self, request: &Request<'_>) -> bool {
        if request.accessor.is_some() {
            return false;
        }
        let same = |table: &str| table.eq_ignore_ascii_case(&self.object);
        let own = match (self.event, request.action) {
            (Verb::Read, Action::Read { table, .. }) => return same(table),
            // Those of the table's defaults.
            (Verb::Insert, Action::Function { .. }) => return true,
            (Verb::Insert, Action::Insert { table })
            | (Verb::Update, Action::Update { table, .. })
            | (Verb::Delete, Action::Delete { table }) => same(table) && !self.seen,
            _ => return false,
        };
        self.seen |= own;
        own
    }
}

fn first_plain<'a>(schema: &Schema, table: &str, columns: &'a [String]) -> Option<&'a String> {
    let generated = schema.table(table).map(|table| &table.generated);
    columns
        .iter()
        .find(|column| generated.is_none_or(|generated| !generated.contains_key(&column.to_ascii_lowercase())))
}
