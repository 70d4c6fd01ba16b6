//! Finds the history tables of other tools by their columns, whatever they are called; by their names as well where many
//! tables have such columns.

use std::collections::BTreeSet;

use super::Tool;
use crate::db::{DbError, Session, Value, for_each_row};

/// A table that looks like the history of a tool.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ForeignTable {
    /// The tool.
    pub tool: Tool,
    /// Name of the table.
    pub table: String,
}

/// A table and its columns.
#[derive(Debug)]
struct Shape {
    table: String,
    columns: BTreeSet<String>,
    /// The declared type of `version`, if there is such a column, and whether it is the primary key.
    version: Option<(String, bool)>,
}

/// Returns the tables that look like the history of a tool, ordered by tool and name.
pub(super) fn find(session: &mut dyn Session) -> Result<Vec<ForeignTable>, DbError> {
    let shapes = shapes(session)?;
    let rails = shapes.iter().any(|shape| shape.table == "ar_internal_metadata");
    let mut found: Vec<ForeignTable> = shapes
        .iter()
        .filter_map(|shape| Some(ForeignTable { tool: judge(shape, rails)?, table: shape.table.clone() }))
        .collect();
    found.sort_by(|left, right| (left.tool, &left.table).cmp(&(right.tool, &right.table)));
    Ok(found)
}

/// Tables that tools have beside their histories; a `*` stands for the name of the history.
const BESIDE: [(Tool, &[&str]); 5] = [
    (Tool::Rails, &["ar_internal_metadata"]),
    (Tool::Liquibase, &["DATABASECHANGELOGLOCK"]),
    (Tool::Knex, &["*_lock"]),
    (Tool::Kysely, &["*_lock"]),
    (Tool::EfCore, &["__EFMigrationsLock"]),
];

/// Returns the tables of these tools: their histories, and what they have beside them.
pub(crate) fn tables_of(session: &mut dyn Session, tools: &[Tool]) -> Result<Vec<String>, DbError> {
    if tools.is_empty() {
        return Ok(Vec::new());
    }
    let mut tables = Vec::new();
    for found in find(session)?.into_iter().filter(|found| tools.contains(&found.tool)) {
        let beside = BESIDE.iter().filter(|(tool, _)| *tool == found.tool).flat_map(|(_, names)| names.iter());
        tables.extend(beside.map(|name| name.replace('*', &found.table)));
        tables.push(found.table);
    }
    Ok(tables)
}

fn shapes(session: &mut dyn Session) -> Result<Vec<Shape>, DbError> {
    let sql = "SELECT t.name, lower(c.name), lower(c.type), c.pk FROM sqlite_schema AS t, pragma_table_info(t.name) AS c \
               WHERE t.type = 'table' ORDER BY t.name, c.cid";
    let mut shapes: Vec<Shape> = Vec::new();
    for_each_row(session, sql, &[], &mut |row| {
        let [Value::Text(table), Value::Text(column), Value::Text(kind), Value::Integer(key)] = row else {
            return Ok(());
        };
        if shapes.last().is_none_or(|shape| shape.table != *table) {
            shapes.push(Shape { table: table.clone(), columns: BTreeSet::new(), version: None });
        }
        if let Some(shape) = shapes.last_mut() {
            shape.columns.insert(column.clone());
            if column == "version" {
                shape.version = Some((kind.clone(), *key > 0));
            }
        }
        Ok(())
    })?;
    Ok(shapes)
}

/// Columns of the tools that have so many that others may be added without making the table another tool's.
const MANY: [(Tool, &[&str]); 7] = [
    // Before sqlx, whose columns it has as well.
    (
        Tool::Flyway,
        &["installed_rank", "version", "description", "type", "script", "checksum", "installed_on", "success"],
    ),
    (Tool::Sqlx, &["version", "description", "installed_on", "success", "checksum", "execution_time"]),
    (
        Tool::Prisma,
        &["id", "checksum", "finished_at", "migration_name", "rolled_back_at", "started_at", "applied_steps_count"],
    ),
    (Tool::Atlas, &["version", "description", "type", "applied", "total", "executed_at", "hash", "operator_version"]),
    (Tool::Liquibase, &["id", "author", "filename", "dateexecuted", "orderexecuted", "exectype", "md5sum"]),
    (Tool::Sqitch, &["change_id", "script_hash", "change", "project", "committed_at", "planned_at"]),
    (Tool::Goose, &["id", "version_id", "is_applied", "tstamp"]),
];

/// Columns of the tools that have so few that there must be no others.
const FEW: [(Tool, &[&str]); 9] = [
    (Tool::Refinery, &["version", "name", "applied_on", "checksum"]),
    (Tool::GolangMigrate, &["version", "dirty"]),
    (Tool::Diesel, &["version", "run_on"]),
    (Tool::SeaOrm, &["version", "applied_at"]),
    (Tool::Alembic, &["version_num"]),
    (Tool::Django, &["id", "app", "name", "applied"]),
    (Tool::Knex, &["id", "name", "batch", "migration_time"]),
    (Tool::Laravel, &["id", "migration", "batch"]),
    (Tool::EfCore, &["migrationid", "productversion"]),
];

/// Columns of the tools that have such as many tables do, and what the name of the table must have in it.
const NAMED: [(Tool, &str, &[&str]); 6] = [
    (Tool::Drizzle, "drizzle", &["id", "hash", "created_at"]),
    (Tool::Drizzle, "drizzle", &["id", "hash", "created_at", "name", "applied_at"]),
    (Tool::D1, "d1_migrations", &["id", "name", "applied_at"]),
    (Tool::Kysely, "kysely", &["name", "timestamp"]),
    (Tool::TypeOrm, "migrations", &["id", "timestamp", "name"]),
    (Tool::Sequelize, "SequelizeMeta", &["name"]),
];

fn judge(shape: &Shape, rails: bool) -> Option<Tool> {
    let has = |columns: &[&str]| columns.iter().all(|column| shape.columns.contains(*column));
    if let Some((tool, _)) = MANY.iter().find(|(_, columns)| has(columns)) {
        return Some(*tool);
    }
    let exactly = |columns: &[&str]| columns.len() == shape.columns.len() && has(columns);
    if let Some((tool, ..)) = NAMED.iter().find(|(_, name, columns)| shape.table.contains(name) && exactly(columns)) {
        return Some(*tool);
    }
    if let Some((tool, _)) = FEW.iter().find(|(_, columns)| exactly(columns)) {
        return Some(*tool);
    }
    let (kind, is_key) = shape.version.as_ref().filter(|_| shape.columns.len() == 1)?;
    match (kind.contains("char"), kind.contains("int")) {
        (true, _) if rails => Some(Tool::Rails),
        (true, _) if *is_key => Some(Tool::Dbmate),
        (false, true) if *is_key => Some(Tool::Tern),
        _ => None,
    }
}
