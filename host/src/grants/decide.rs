//! Decides whether a statement may do what it is about to. Pure; the rules are here and in `needs`.

use super::implied::{Touched, implied};
use super::needs::{is_auxiliary, needs};
use super::{Action, Grant, Grants, Need, Request, Schema, Statement, StatementKind, TableGrant, Verb};

/// What the statements of a migration are held to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Restriction {
    /// The host's own tables, out of reach for every migration's code.
    pub protected: Vec<String>,
    /// What is granted; `None` is everything that a code migration can have at all.
    pub grants: Option<Grants>,
    /// Nothing may be changed, whatever is granted.
    pub read_only: bool,
    /// How the names of triggers begin that may be left behind; `None` is however they like.
    pub namespace: Option<String>,
}

/// A refusal: what was tried, on what, and why not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Denied {
    /// What was tried, such as `attach` or `update`.
    pub action: String,
    /// What it was tried on, such as `customer(email)`; may be empty.
    pub object: String,
    /// One clause for a person.
    pub reason: String,
    /// The grant that would allow it; `None` for what no grant allows.
    pub grant: Option<Grant>,
}

impl Denied {
    /// Refuses what no grant allows.
    pub fn never(action: &str, object: &str, reason: impl Into<String>) -> Self {
        Self { action: action.to_owned(), object: object.to_owned(), reason: reason.into(), grant: None }
    }

    /// Refuses what a grant would allow.
    pub fn lacking(need: &Need) -> Self {
        let grant = need.grant();
        let (action, object) = match &grant {
            Grant::On(verb, object) => (verb.as_str(), object.to_string()),
            Grant::Function(name) => ("function", name.clone()),
        };
        let reason = format!("not granted: {action} {object}");
        Self { action: action.to_owned(), object, reason, grant: Some(grant) }
    }
}

/// Decides on one action. Allowed, it returns the grants the action rests on.
pub fn decide(restriction: &Restriction, request: &Request<'_>) -> Result<Vec<Need>, Denied> {
    let action = request.action;
    // Statistics and rebuilt indexes change nothing that is in a table.
    let harmless = matches!(action, Action::Analyze { .. } | Action::Reindex { .. });
    if let Some(table) = action.table().filter(|table| restriction.protects(table) && !harmless) {
        return Err(host_owned(action.word(), table));
    }
    if let Action::Pragma { name, value: Some(value) } = action
        && restriction.protects(value)
    {
        return Err(host_owned(&format!("PRAGMA {name}"), value));
    }
    if restriction.read_only && !action.only_reads() {
        let object = action.table().unwrap_or_default();
        return Err(Denied::never(action.word(), object, "nothing may be changed here"));
    }
    if let (Action::Trigger { .. }, StatementKind::CreateTrigger { trigger, .. }) = (action, &request.statement.kind) {
        in_namespace(restriction, trigger)?;
    }
    let mut needs = needs(request)?;
    if let Action::Function { name } = action
        && is_auxiliary(name)
    {
        needs.retain(|need| may_be_read(restriction, request, need));
    }
    if restriction.grants.is_some() && !needs.is_empty() {
        in_this_database(request)?;
    }
    let checked = if harmless { granted(restriction, needs) } else { check(restriction, needs) };
    checked.map_err(|denied| match action {
        // The grant has another name than the function.
        Action::Function { name } => {
            let reason = format!("{}, for the function {name}", denied.reason);
            Denied { object: name.to_owned(), reason, ..denied }
        }
        _ => denied,
    })
}

/// Refuses the name of a trigger that somebody else may want: a trigger has no other whose grant it would need.
fn in_namespace(restriction: &Restriction, trigger: &str) -> Result<(), Denied> {
    let is_inside = |namespace: &String| TableGrant::whole(format!("{namespace}*")).means_table(trigger);
    match &restriction.namespace {
        Some(namespace) if !is_inside(namespace) => {
            let reason = format!("the names of triggers begin with {namespace} here: {trigger} could be another's");
            Err(Denied::never("trigger", trigger, reason))
        }
        _ => Ok(()),
    }
}

/// Tells whether code may be reading the table that a need is about: it has some grant on it. Where everything is granted, whether the
/// text names it.
fn may_be_read(restriction: &Restriction, request: &Request<'_>, need: &Need) -> bool {
    let Need::On { object, .. } = need else { return true };
    match &restriction.grants {
        Some(grants) => Verb::ALL.into_iter().any(|verb| grants.of(verb).iter().any(|grant| grant.means_table(object))),
        None => {
            let from = request.accessor.and_then(|accessor| request.schema.text_of(accessor));
            request.statement.mentions(object) || from.is_some_and(|text| text.mentions(object))
        }
    }
}

/// Decides on a statement as a whole, by what it touches beyond what the database reports.
pub fn decide_whole(
    restriction: &Restriction,
    statement: &Statement,
    schema: &Schema,
    touched: &[Touched],
) -> Result<Vec<Need>, Denied> {
    let mut needs = implied(statement, schema, touched);
    needs.extend(restriction.grants.iter().flat_map(|grants| renaming(grants, statement)));
    check(restriction, needs)
}

/// As [`decide_whole`], but returns all that is refused.
pub fn refused_as_a_whole(
    restriction: &Restriction,
    statement: &Statement,
    schema: &Schema,
    touched: &[Touched],
) -> Vec<Denied> {
    let needs = implied(statement, schema, touched);
    needs.into_iter().filter_map(|need| check(restriction, vec![need]).err()).collect()
}

/// Returns what a new name needs. Grants go by name: nothing may come under one that it was not under before.
fn renaming(grants: &Grants, statement: &Statement) -> Vec<Need> {
    let StatementKind::Alter { table, renamed, column } = &statement.kind else { return Vec::new() };
    let mut needs = Vec::new();
    for verb in Verb::ALL.into_iter().filter(|verb| *verb != Verb::Create) {
        for grant in grants.of(verb) {
            let need = |column: &str| Need::On { verb, object: table.clone(), column: column.to_owned() };
            match (renamed, column) {
                (Some(new), _) if grant.means_table(new) => match &grant.columns[..] {
                    [] => needs.push(need(if verb.has_columns() { "*" } else { "" })),
                    columns => needs.extend(columns.iter().map(|column| need(column))),
                },
                (None, Some((old, new))) if verb.has_columns() && grant.means_column(table, new) => {
                    needs.push(need(old));
                }
                _ => {}
            }
        }
    }
    needs
}

impl Restriction {
    /// Tells whether a table is one of the host's own.
    pub fn protects(&self, name: &str) -> bool {
        self.protected.iter().any(|own| own.eq_ignore_ascii_case(name))
    }
}

fn host_owned(action: &str, table: &str) -> Denied {
    Denied::never(action, table, format!("{action} {table} is never granted: the table is the host's own"))
}

/// Grants are on tables of the database that is migrated; what a program has attached beside it is none of it.
fn in_this_database(request: &Request<'_>) -> Result<(), Denied> {
    match request.database {
        None | Some("main") => Ok(()),
        Some(database) => {
            let object = format!("{database}.{}", request.action.table().unwrap_or_default());
            let reason = format!("{} {object} is never granted: it is in another database", request.action.word());
            Err(Denied::never(request.action.word(), &object, reason))
        }
    }
}

fn check(restriction: &Restriction, needs: Vec<Need>) -> Result<Vec<Need>, Denied> {
    for need in &needs {
        match need {
            Need::On { verb, object, .. } if restriction.protects(object) => {
                return Err(host_owned(verb.as_str(), object));
            }
            Need::On { .. } | Need::AnyOf { .. } | Need::Everything(_) | Need::Function(_) => {}
        }
    }
    granted(restriction, needs)
}

fn granted(restriction: &Restriction, needs: Vec<Need>) -> Result<Vec<Need>, Denied> {
    let lacking = restriction.grants.as_ref().and_then(|grants| needs.iter().find(|need| !need.is_met_by(grants)));
    match lacking {
        Some(need) => Err(Denied::lacking(need)),
        None => Ok(needs),
    }
}

#[cfg(test)]
mod tests;
