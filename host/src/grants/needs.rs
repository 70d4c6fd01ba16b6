//! Which grants an action needs, or that none allows it. Pure; a part of the rules.

use super::schema::could_be_shadow_of;
use super::{Action, Denied, FunctionGrant, Need, Request, StatementKind, Table, Verb};

/// Pragmas that tell about the table or index they are given.
const DESCRIBING_PRAGMAS: &[&str] =
    &["foreign_key_list", "index_info", "index_list", "index_xinfo", "table_info", "table_list", "table_xinfo"];
/// Pragmas that may be read but not set. Full-text and R-tree tables read `data_version` and `page_size`.
const READABLE_PRAGMAS: &[&str] = &[
    "application_id",
    "collation_list",
    "data_version",
    "encoding",
    "foreign_keys",
    "function_list",
    "page_size",
    "schema_version",
    "user_version",
];
/// Modules of virtual tables that keep to the database they are in.
const MODULES: &[&str] = &["fts5", "rtree"];
/// Tables that only take their arguments apart.
const PURE_TABLES: &[&str] = &["json_each", "json_tree", "jsonb_each", "jsonb_tree"];
/// Functions that full-text tables bring. What they are to look at is told by a column or by a number, and a number may mean the
/// row of any full-text table that is being read just then. <https://sqlite.org/fts5.html#_auxiliary_functions_>
const AUXILIARY: &[&str] = &["bm25", "fts5_get_locale", "highlight", "snippet"];
const SCHEMA_TABLES: &[&str] = &["sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema"];
/// The kinds of grant of which any lets a virtual table work with the tables behind it.
const ANY: [Verb; 7] = [Verb::Read, Verb::Insert, Verb::Update, Verb::Delete, Verb::Create, Verb::Alter, Verb::Drop];

fn among(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Returns what an action needs; nothing for what is free, an error for what no grant allows.
pub(super) fn needs(request: &Request<'_>) -> Result<Vec<Need>, Denied> {
    let action = request.action;
    let never = |object: &str, reason: &str| Err(Denied::never(action.word(), object, reason));
    if is_internal(request) {
        return Ok(Vec::new());
    }
    if let Some(needs) = behind_virtual_table(request) {
        return needs;
    }
    Ok(match action {
        Action::Transaction => {
            return never("", "a code migration may not begin, commit or roll back; return from it instead");
        }
        Action::Savepoint => return never("", "a code migration uses savepoints through its handle, not as SQL"),
        Action::Attach => return never("", "a code migration may not attach a database"),
        Action::Detach => return never("", "a code migration may not detach a database"),
        Action::Vacuum => return never("", "a code migration may not vacuum the database"),
        Action::Explain => {
            let reason = "a code migration may not see the program of a statement, in which addresses stand; EXPLAIN QUERY PLAN \
                          is allowed";
            return never("", reason);
        }
        Action::Unknown => return never("", "a code migration may not do what this host does not know"),
        Action::Temporary { object } => {
            return never(object, "a code migration may not make anything temporary: it would outlive its step");
        }
        Action::Pragma { name, value } => pragma(request, name, value)?,
        Action::Function { name } => function(request, name)?,
        Action::Select => Vec::new(),
        Action::Read { table, column } => read(request, table, column),
        Action::Insert { table } => vec![Need::object(Verb::Insert, table)],
        Action::Update { table, column } => vec![on(Verb::Update, table, column)],
        Action::Delete { table } => vec![Need::object(Verb::Delete, table)],
        Action::CreateTable { table } => vec![Need::object(Verb::Create, table)],
        Action::CreateVirtualTable { table, module } if among(MODULES, module) => {
            takes_nothing_over(request, table, table)?;
            vec![Need::object(Verb::Create, table)]
        }
        Action::CreateVirtualTable { table, module } => {
            let reason =
                format!("a code migration may not make a virtual table with {module}, only with fts5 and rtree");
            return never(table, &reason);
        }
        Action::CreateIndex { index, table } => vec![
            Need::object(Verb::Create, index),
            Need::AnyOf { choices: vec![(Verb::Alter, table.to_owned()), (Verb::Create, table.to_owned())] },
        ],
        Action::Trigger { table } => vec![Need::object(Verb::Trigger, table)],
        Action::View { view } => vec![Need::object(Verb::View, view)],
        Action::AlterTable { table } => {
            let new = match &request.statement.kind {
                StatementKind::Alter { renamed: Some(new), .. } => {
                    if request.schema.is_virtual(&table.to_ascii_lowercase()) {
                        takes_nothing_over(request, table, new)?;
                    }
                    Some(Need::object(Verb::Create, new))
                }
                _ => None,
            };
            [Need::object(Verb::Alter, table)].into_iter().chain(new).collect()
        }
        Action::DropTable { table } => vec![Need::object(Verb::Drop, table)],
        Action::DropIndex { index, table } => {
            vec![Need::AnyOf { choices: vec![(Verb::Drop, index.to_owned()), (Verb::Drop, table.to_owned())] }]
        }
        Action::Reindex { index } => vec![alter_for_index(request, index)],
        Action::Analyze { table } => vec![Need::object(Verb::Alter, table_behind(request, table))],
    })
}

/// Refuses a virtual table under whose name a table that is there would count as one that it is made of, and be opened by
/// what is granted on it. With some options it makes fewer tables than it could, and so does not meet the one.
fn takes_nothing_over(request: &Request<'_>, table: &str, name: &str) -> Result<(), Denied> {
    match request.schema.tables.keys().find(|there| could_be_shadow_of(name, there)) {
        None => Ok(()),
        Some(there) => {
            let reason =
                format!("the table {there} would count as a part of a virtual table {name}: take another name");
            Err(Denied::never(request.action.word(), table, reason))
        }
    }
}

fn on(verb: Verb, table: &str, column: &str) -> Need {
    Need::On { verb, object: table.to_owned(), column: column.to_owned() }
}

fn read(request: &Request<'_>, table: &str, column: &str) -> Vec<Need> {
    if among(SCHEMA_TABLES, table) {
        return vec![on(Verb::Read, "sqlite_schema", column)];
    }
    if request.schema.has(table) {
        // What stands there may be asked to be what a function makes of any column.
        let is_rank = column.eq_ignore_ascii_case("rank") && request.schema.table(table).is_some_and(is_full_text);
        return vec![on(Verb::Read, table, if is_rank { "*" } else { column })];
    }
    let common = request.statement.common_tables.contains(&table.to_ascii_lowercase());
    if column.is_empty() && (common || request.schema.has_common_table(table)) {
        return Vec::new();
    }
    // The pragma behind such a table is asked about by itself when the table is read.
    if is_table_function(table) {
        return Vec::new();
    }
    vec![on(Verb::Read, table, column)]
}

/// Tells whether it is a table that is made of its arguments, or of what a pragma tells.
pub(super) fn is_table_function(table: &str) -> bool {
    among(PURE_TABLES, table) || table.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("pragma_"))
}

fn pragma(request: &Request<'_>, name: &str, value: Option<&str>) -> Result<Vec<Need>, Denied> {
    if value.is_none() && among(READABLE_PRAGMAS, name) {
        return Ok(Vec::new());
    }
    if name.eq_ignore_ascii_case("foreign_key_check") {
        // It reads tables that it does not name, and the database reports none of them.
        return Ok(vec![Need::Everything(Verb::Read)]);
    }
    match value {
        Some(value) if among(DESCRIBING_PRAGMAS, name) => {
            let index = request.schema.indexes.get(&value.to_ascii_lowercase());
            let table = index.map_or(value, String::as_str);
            Ok(vec![any_of(table_behind(request, table))])
        }
        None if name.eq_ignore_ascii_case("table_list") => Ok(vec![on(Verb::Read, "sqlite_schema", "name")]),
        _ => Err(Denied::never("pragma", name, format!("a code migration may not use PRAGMA {name} this way"))),
    }
}

fn any_of(table: &str) -> Need {
    Need::AnyOf { choices: ANY.map(|verb| (verb, table.to_owned())).to_vec() }
}

fn function(request: &Request<'_>, name: &str) -> Result<Vec<Need>, Denied> {
    if name.eq_ignore_ascii_case("load_extension") {
        return Err(Denied::never("function", name, "a code migration may not load extensions"));
    }
    if name.eq_ignore_ascii_case("fts3_tokenizer") {
        return Err(Denied::never("function", name, "a code migration may not handle the machine's addresses"));
    }
    if name.eq_ignore_ascii_case("fts5_locale") {
        let reason = "a code migration may not use fts5_locale: what it returns is another value in each connection";
        return Err(Denied::never("function", name, reason));
    }
    if let Some(grant) = FunctionGrant::of_function(name) {
        // SQLite names the functions of every default of a table that is read or updated. Whether one of them is really
        // called is known, and decided, only when it is.
        let from = request.accessor.and_then(|accessor| request.schema.text_of(accessor));
        let called = request.statement.mentions(name) || from.is_some_and(|text| text.mentions(name));
        return Ok(if called { vec![Need::Function(grant.as_str().to_owned())] } else { Vec::new() });
    }
    if is_auxiliary(name) {
        let tables = request.schema.tables.iter().filter(|(_, table)| is_full_text(table));
        return Ok(tables.map(|(table, _)| on(Verb::Read, table, "*")).collect());
    }
    let foreign = request.schema.foreign_functions.contains(&name.to_ascii_lowercase());
    Ok(if foreign { vec![Need::Function(name.to_ascii_lowercase())] } else { Vec::new() })
}

/// Tells whether a function may look at any full-text table that is being read.
pub(crate) fn is_auxiliary(function: &str) -> bool {
    among(AUXILIARY, function)
}

fn is_full_text(table: &Table) -> bool {
    table.module.as_deref().is_some_and(|module| module.eq_ignore_ascii_case("fts5"))
}

fn alter_for_index(request: &Request<'_>, index: &str) -> Need {
    match request.schema.indexes.get(&index.to_ascii_lowercase()) {
        Some(table) => Need::object(Verb::Alter, table_behind(request, table)),
        None => Need::Everything(Verb::Alter),
    }
}

/// Returns the virtual table that keeps its rows in this one, or else the table itself.
fn table_behind<'a>(request: &Request<'a>, table: &'a str) -> &'a str {
    request.schema.owner_of_shadow(table).unwrap_or(table)
}

/// Decides on the tables in which virtual tables keep their rows. Their own statements reach these tables by names
/// that do not stand in the guest's statement.
fn behind_virtual_table(request: &Request<'_>) -> Option<Result<Vec<Need>, Denied>> {
    let table = request.action.table()?;
    let owner = request.schema.owner_of_shadow(table)?;
    if matches!(request.action, Action::Analyze { .. }) {
        return None;
    }
    if request.accessor.is_none() && !request.statement.mentions(table) {
        return Some(Ok(vec![any_of(owner)]));
    }
    if matches!(request.action, Action::Read { .. }) {
        return Some(Ok(vec![on(Verb::Read, owner, "*")]));
    }
    let reason = format!("{table} is what the virtual table {owner} is made of: change that one");
    Some(Err(Denied::never(request.action.word(), table, reason)))
}

/// Tells whether the database does this for its own ends while it changes the schema.
///
/// A statement has no way to ask for it: SQLite lets none write `sqlite_schema`, and a table or function whose name
/// does not stand in the statement cannot be meant by it, unless a query in it goes through a view.
fn is_internal(request: &Request<'_>) -> bool {
    let statement = request.statement;
    if request.accessor.is_some() || !statement.kind.changes_schema() {
        return false;
    }
    let selects = matches!(statement.kind, StatementKind::CreateTable { select: true, .. });
    if is_bookkeeping(request, selects) {
        return true;
    }
    let same = |left: &str, right: &str| left.eq_ignore_ascii_case(right);
    match (&statement.kind, request.action) {
        (_, Action::Function { name }) => !selects && !statement.mentions(name),
        (StatementKind::CreateTable { table: own, .. }, Action::Read { table, .. }) => same(own, table),
        (StatementKind::CreateTable { table: own, .. }, Action::CreateIndex { index, table }) => {
            same(own, table) && index.starts_with("sqlite_autoindex_")
        }
        (StatementKind::CreateIndex { index: own }, Action::Reindex { index }) => same(own, index),
        (
            StatementKind::Drop { object },
            Action::Delete { table } | Action::Read { table, .. } | Action::Trigger { table },
        ) => same(object, table),
        (StatementKind::Alter { renamed, .. }, Action::Read { table, .. }) => {
            let renamed_virtual = renamed.as_ref().is_some_and(|renamed| could_be_shadow_of(renamed, table));
            renamed_virtual || same(table, "pragma_quick_check")
        }
        (StatementKind::Alter { table, renamed, .. }, Action::Pragma { name, value: Some(value) }) => {
            let own = same(table, value) || renamed.as_ref().is_some_and(|renamed| same(renamed, value));
            same(name, "quick_check") && own
        }
        (StatementKind::Alter { .. } | StatementKind::CreateTable { .. }, Action::Reindex { .. }) => true,
        (StatementKind::CreateVirtualTable { table: own }, action) => {
            action.table().is_some_and(|table| could_be_shadow_of(own, table))
        }
        _ => false,
    }
}

/// Tells whether it is about the tables that SQLite keeps for itself.
fn is_bookkeeping(request: &Request<'_>, selects: bool) -> bool {
    let Some(table) = request.action.table() else { return false };
    let mentions_schema = || SCHEMA_TABLES.iter().any(|name| request.statement.mentions(name));
    match request.action {
        Action::Insert { .. } | Action::Update { .. } | Action::Delete { .. } if among(SCHEMA_TABLES, table) => true,
        Action::Read { column, .. } if among(SCHEMA_TABLES, table) => {
            !selects || (column.eq_ignore_ascii_case("rowid") && !mentions_schema())
        }
        _ if among(SCHEMA_TABLES, table) => false,
        _ => {
            let own = table.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("sqlite_"));
            own && !selects && !request.statement.mentions(table)
        }
    }
}
