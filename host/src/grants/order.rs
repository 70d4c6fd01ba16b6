//! What the order in which rows come tells: whoever walks an index reads something of its columns. Pure; a part of the rules.

use std::collections::BTreeSet;

use super::decide::{Denied, Restriction};
use super::implied::{Touched, read, sources};
use super::{Need, Order, Schema, Statement, StatementKind, Verb};

/// Tells whether there is an order in which some code may not walk the rows of a table that it may read otherwise.
pub fn has_hidden_orders(restriction: &Restriction, schema: &Schema) -> bool {
    schema.orders.values().any(|order| lacking(restriction, schema, order).is_some())
}

/// Functions whose value rests on their arguments alone, so that it is the same in whatever order rows come, and that refuse no
/// value: one that fails tells which row came first, by its message or by a second one that fails otherwise. So there are none
/// of those that read JSON and its paths here, nor `abs`, which may overflow, nor `unistr`; nor what makes large values of small
/// ones, such as `zeroblob`. (`json_valid` refuses flags that are none, and those of dates a clock that is not granted.)
const PURE: [&str; 72] = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cast",
    "ceil",
    "ceiling",
    "char",
    "coalesce",
    "concat",
    "concat_ws",
    "cos",
    "cosh",
    "date",
    "datetime",
    "degrees",
    "exp",
    "floor",
    "format",
    "hex",
    "if",
    "ifnull",
    "iif",
    "instr",
    "json_valid",
    "julianday",
    "length",
    "likelihood",
    "likely",
    "ln",
    "log",
    "log10",
    "log2",
    "lower",
    "ltrim",
    "max",
    "min",
    "mod",
    "nullif",
    "octet_length",
    "pi",
    "pow",
    "power",
    "printf",
    "quote",
    "radians",
    "replace",
    "round",
    "rtrim",
    "sign",
    "sin",
    "sinh",
    "soundex",
    "sqrt",
    "strftime",
    "substr",
    "substring",
    "tan",
    "tanh",
    "time",
    "timediff",
    "trim",
    "trunc",
    "typeof",
    "unhex",
    "unicode",
    "unixepoch",
    "unlikely",
    "upper",
];
/// Words behind which a parenthesis opens no arguments.
const NO_FUNCTION: [&str; 14] =
    ["and", "between", "case", "else", "glob", "in", "is", "like", "not", "or", "set", "then", "when", "where"];

/// Tells whether a statement could show the order in which it comes by rows. One that only updates or deletes does the same
/// to each of them, whichever comes first: unless it goes on past one that is refused, or calls what may count.
pub fn shows_order(statement: &Statement, schema: &Schema, touched: &[Touched]) -> bool {
    if statement.kind != StatementKind::Data || statement.explains {
        // What it makes, CREATE TABLE … AS SELECT, has the order of its rows.
        return matches!(statement.kind, StatementKind::CreateTable { select: true, .. });
    }
    let says = |word: &str| statement.names.contains(word);
    let changes = (says("update") && !says("from") && !says("insert")) || (says("delete") && !says("update"));
    let only_changes = changes && !["select", "returning", "with", "values"].into_iter().any(says);
    let goes_on = statement.replaces || ["ignore", "fail"].into_iter().any(says);
    let written = || touched.iter().filter_map(|touch| touch.what.as_ref().map(|(_, table, _)| table));
    let may_go_on = goes_on || written().filter_map(|table| schema.table(table)).any(|table| table.goes_on);
    let is_pure = |called: &String| PURE.contains(&called.as_str()) || NO_FUNCTION.contains(&called.as_str());
    // The operators REGEXP and MATCH are functions of their name.
    let may_count = !statement.called.iter().all(is_pure) || says("regexp") || says("match");
    !only_changes || may_go_on || may_count || touched.iter().any(|touch| touch.accessor.is_some())
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
    touched: &[Touched],
    walked: &BTreeSet<i64>,
) -> Result<Vec<Need>, Denied> {
    let walks_in = |table: &str| {
        let mut what = touched.iter().filter_map(|touch| touch.what.as_ref());
        what.any(|(verb, touched, _)| walks(*verb) && touched == table)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that functions are least at ease with.
    const VALUES: &str = "(NULL), (-9223372036854775808), (9e999), (-0.5), (''), ('{'), ('now'), ('9999-99-99'), ('\\u'), (x''), (x'ff00')";

    #[test]
    fn functions_that_count_as_pure_refuse_no_value() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let arguments = "SELECT DISTINCT name, narg FROM pragma_function_list WHERE type = 's' AND builtin";
        let mut statement = connection.prepare(arguments).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let known: Vec<(String, i64)> = rows.collect::<rusqlite::Result<_>>().unwrap();
        for name in PURE.iter().filter(|name| !["cast", "soundex", "likelihood"].contains(name)) {
            let forms = known.iter().filter(|form| form.0 == *name && **form != ("json_valid".to_owned(), 2));
            let counts: Vec<i64> = forms.map(|(_, arguments)| if *arguments < 0 { 2 } else { *arguments }).collect();
            assert!(!counts.is_empty(), "{name} is there");
            for count in counts {
                let places = ["a.column1", "b.column1", "c.column1"];
                let call = format!("{name}({})", places[..usize::try_from(count).unwrap()].join(", "));
                let sql =
                    format!("SELECT count({call}) FROM (VALUES {VALUES}) a, (VALUES {VALUES}) b, (VALUES {VALUES}) c");
                connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).expect(&sql);
            }
        }
    }
}
