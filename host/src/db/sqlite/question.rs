//! What SQLite asks about before a statement does it, in the words of the rules.

use std::ffi::c_int;

use rusqlite::ffi;

use crate::grants::{Action, Request, Schema, Statement};

/// A question as SQLite asks it. <https://sqlite.org/c3ref/c_alter_table.html>
pub(super) struct Question<'a> {
    /// What is to be done.
    pub(super) code: c_int,
    /// To what, in two names; in which database; in which trigger, view or subquery.
    pub(super) names: [Option<&'a [u8]>; 4],
}

/// A question whose names were found to be text.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    pub(super) code: c_int,
    pub(super) first: Option<&'a str>,
    pub(super) second: Option<&'a str>,
    pub(super) database: Option<&'a str>,
    pub(super) accessor: Option<&'a str>,
}

impl<'a> Question<'a> {
    /// Reads the names, unless one of them is no text.
    pub(super) fn words(&self) -> Option<Words<'a>> {
        let text = |name: Option<&'a [u8]>| name.map(str::from_utf8).transpose().ok();
        let [first, second, database, accessor] = self.names;
        Some(Words {
            code: self.code,
            first: text(first)?,
            second: text(second)?,
            database: text(database)?,
            accessor: text(accessor)?,
        })
    }
}

impl<'a> Words<'a> {
    /// Says what SQLite is about to do.
    pub(super) fn request(&self, statement: &'a Statement, schema: &'a Schema) -> Request<'a> {
        let mut database = self.database;
        let action = match (self.code, self.first, self.second) {
            (ffi::SQLITE_TRANSACTION, Some(_), _) => Action::Transaction,
            (ffi::SQLITE_SAVEPOINT, Some(_), Some(_)) => Action::Savepoint,
            (ffi::SQLITE_ATTACH, Some(_), _) => Action::Attach,
            (ffi::SQLITE_DETACH, Some(_), _) => Action::Detach,
            (ffi::SQLITE_PRAGMA, Some(name), value) => Action::Pragma { name, value },
            (ffi::SQLITE_FUNCTION, _, Some(name)) => Action::Function { name },
            (ffi::SQLITE_READ, Some(table), Some(column)) => Action::Read { table, column },
            (ffi::SQLITE_INSERT, Some(table), _) => Action::Insert { table },
            (ffi::SQLITE_UPDATE, Some(table), Some(column)) => Action::Update { table, column },
            (ffi::SQLITE_DELETE, Some(table), _) => Action::Delete { table },
            (ffi::SQLITE_CREATE_TABLE, Some(table), _) => Action::CreateTable { table },
            (ffi::SQLITE_CREATE_VTABLE, Some(table), Some(module)) => Action::CreateVirtualTable { table, module },
            (ffi::SQLITE_CREATE_INDEX, Some(index), Some(table)) => Action::CreateIndex { index, table },
            (ffi::SQLITE_CREATE_TRIGGER | ffi::SQLITE_DROP_TRIGGER, Some(_), Some(table)) => Action::Trigger { table },
            (ffi::SQLITE_CREATE_VIEW | ffi::SQLITE_DROP_VIEW, Some(view), _) => Action::View { view },
            (ffi::SQLITE_ALTER_TABLE, Some(of), Some(table)) => {
                // The only action with the database in the first place.
                database = Some(of);
                Action::AlterTable { table }
            }
            (ffi::SQLITE_DROP_TABLE, Some(table), _) | (ffi::SQLITE_DROP_VTABLE, Some(table), Some(_)) => {
                Action::DropTable { table }
            }
            (ffi::SQLITE_DROP_INDEX, Some(index), Some(table)) => Action::DropIndex { index, table },
            (ffi::SQLITE_REINDEX, Some(index), _) => Action::Reindex { index },
            (ffi::SQLITE_ANALYZE, Some(table), _) => Action::Analyze { table },
            (
                ffi::SQLITE_CREATE_TEMP_TABLE
                | ffi::SQLITE_CREATE_TEMP_VIEW
                | ffi::SQLITE_CREATE_TEMP_INDEX
                | ffi::SQLITE_CREATE_TEMP_TRIGGER
                | ffi::SQLITE_DROP_TEMP_TABLE
                | ffi::SQLITE_DROP_TEMP_VIEW
                | ffi::SQLITE_DROP_TEMP_INDEX
                | ffi::SQLITE_DROP_TEMP_TRIGGER,
                Some(object),
                _,
            ) => Action::Temporary { object },
            (ffi::SQLITE_SELECT | ffi::SQLITE_RECURSIVE, ..) => Action::Select,
            // ATTACH and DETACH with anything but a literal come without arguments.
            _ => Action::Unknown,
        };
        // `CREATE TABLE temp.t` is not reported as temporary, but it is.
        let action = match action.table() {
            Some(object) if database == Some("temp") && action.is_definition() => Action::Temporary { object },
            _ => action,
        };
        Request { action, database, accessor: self.accessor, statement, schema }
    }
}
