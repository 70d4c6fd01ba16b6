//! What the order in which rows come tells: whoever walks an index reads something of its columns. Pure; a part of the rules.

use std::collections::BTreeSet;

use super::decide::{Denied, Restriction};
use super::implied::{Touched, read, sources};
use super::{Need, Order, Schema, Statement, StatementKind, Verb};

/// Tells whether there is an order in which some code may not walk the rows of a table that it may read otherwise.
pub fn has_hidden_orders(restriction: &Restriction, schema: &Schema) -> bool {
    schema.orders.values().any(|order| lacking(restriction, schema, order).is_some())
}

/// Tells whether a statement could show the order in which it comes by rows. Only one cannot that deletes and compares: it does
/// the same to each row, and at none it can fail but for a foreign key, which says the same of each. Of what can fail otherwise,
/// that which fails first is told, and a key that one row gives up is free or not for the next.
pub fn shows_order(statement: &Statement, schema: &Schema, touched: &[Touched]) -> bool {
    const MORE: [&str; 8] = ["insert", "limit", "replace", "returning", "select", "update", "values", "with"];
    if statement.kind != StatementKind::Data || statement.explains {
        // What it makes, CREATE TABLE … AS SELECT, has the order of its rows.
        return matches!(statement.kind, StatementKind::CreateTable { select: true, .. });
    }
    let says = |word: &str| statement.names.contains(word);
    let only_deletes = says("delete") && !MORE.into_iter().any(says) && statement.compares;
    // One that is computed may fail to be.
    let is_kept =
        |table: &str, column: &str| schema.table(table).is_none_or(|table| !table.generated.contains_key(column));
    let only_rows = touched.iter().all(|touch| match &touch.what {
        Some((Verb::Read | Verb::Delete, table, column)) => touch.accessor.is_none() && is_kept(table, column),
        _ => false,
    });
    !(only_deletes && only_rows)
}

/// Tells whether rows are walked to do this. To insert one, only its place is looked for.
pub fn walks(verb: Verb) -> bool {
    matches!(verb, Verb::Read | Verb::Update | Verb::Delete)
}

/// Decides on the orders in which a statement walks rows, by the pages at their roots. Allowed, it returns the grants that
/// rests on.
pub fn decide_orders(
    restriction: &Restriction,
    schema: &Schema,
    statement: &Statement,
    touched: &[Touched],
    walked: &BTreeSet<i64>,
) -> Result<Vec<Need>, Denied> {
    let by_itself = touched.iter().all(|touch| touch.accessor.is_none());
    let walks_in = |table: &str| {
        let verbs = touched.iter().filter_map(|touch| touch.what.as_ref()).filter(|(_, touched, _)| touched == table);
        let verbs: Vec<Verb> = verbs.map(|(verb, ..)| *verb).collect();
        // What does not stand in its text, a foreign key leads to: it only looks there whether rows refer to the one, or deletes
        // those, and says the same of whichever comes first.
        let is_led = by_itself && !statement.mentions(table) && !verbs.contains(&Verb::Update);
        !is_led && verbs.into_iter().any(walks)
    };
    let walked: Vec<&Order> = walked.iter().filter_map(|root| schema.orders.get(root)).collect();
    let walked = || walked.iter().filter(|order| walks_in(&order.table));
    match walked().filter_map(|order| Some((order, lacking(restriction, schema, order)?))).next() {
        None => Ok(walked().flat_map(|order| needs(schema, order)).collect()),
        Some((order, need)) => {
            let denied = Denied::lacking(&need);
            let way = match &order.index {
                Some(index) => format!(
                    ", whose values the order of the index {index} shows; with `NOT INDEXED` behind the table it is not walked"
                ),
                None => format!(", whose values the order of the rows of {} shows", order.table),
            };
            Err(Denied { reason: format!("{}{way}", denied.reason), ..denied })
        }
    }
}

/// Returns the first column of an order that may not be read.
fn lacking(restriction: &Restriction, schema: &Schema, order: &Order) -> Option<Need> {
    let grants = restriction.grants.as_ref()?;
    needs(schema, order).into_iter().find(|need| !need.is_met_by(grants))
}

/// Returns what an order tells about: its columns, and what they are made from.
fn needs(schema: &Schema, order: &Order) -> BTreeSet<Need> {
    let Some(table) = schema.tables.get(&order.table) else { return BTreeSet::new() };
    let made = order.columns.iter().flat_map(|column| sources(table, column));
    order.columns.iter().map(String::as_str).chain(made).map(|column| read(&order.table, column)).collect()
}
