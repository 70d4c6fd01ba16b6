//! Decides whether a statement's action is allowed. Pure; the only file with the rules.

/// What a statement is about to do, as the database's parser sees it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action<'a> {
    /// BEGIN, COMMIT or ROLLBACK.
    Transaction,
    /// SAVEPOINT, RELEASE or ROLLBACK TO.
    Savepoint,
    /// ATTACH.
    Attach,
    /// DETACH.
    Detach,
    /// VACUUM, also INTO a file.
    Vacuum,
    /// PRAGMA, with its value if it sets one.
    Pragma {
        /// Name of the pragma.
        name: &'a str,
        /// What is assigned or passed.
        value: Option<&'a str>,
    },
    /// Calls a function.
    Function {
        /// Name of the function.
        name: &'a str,
    },
    /// Creates a virtual table.
    CreateVirtualTable {
        /// Name of the table.
        table: &'a str,
        /// Module that implements it.
        module: &'a str,
    },
    /// Reads, writes, creates, alters, indexes or drops a table or something on it.
    Table {
        /// What is done: `read`, `insert`, `update`, `delete`, `create`, `alter`, `drop`, `index`, `trigger`.
        verb: &'static str,
        /// Name of the table.
        table: &'a str,
    },
    /// Anything else.
    Other,
}

/// What the statements of a code migration are held to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Restriction {
    /// The host's own tables, out of reach for every migration's code.
    pub protected: Vec<String>,
}

/// A refusal: what was tried, on what, and why not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Denied {
    /// What was tried, such as `attach` or `update`.
    pub action: String,
    /// What it was tried on; may be empty.
    pub object: String,
    /// One clause for a person.
    pub reason: String,
}

/// Pragmas that only tell about the schema, or about nothing a migration should not know.
const READ_ONLY_PRAGMAS: &[&str] = &[
    "collation_list",
    "encoding",
    "foreign_key_check",
    "foreign_key_list",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// Pragmas that may be read but not set.
const READABLE_PRAGMAS: &[&str] = &["application_id", "foreign_keys", "schema_version", "user_version"];

/// Decides whether `restriction` allows `action`.
pub fn decide(restriction: &Restriction, action: Action<'_>) -> Result<(), Denied> {
    let deny = |action: &str, object: &str, reason: String| {
        Err(Denied { action: action.to_owned(), object: object.to_owned(), reason })
    };
    match action {
        Action::Transaction => deny(
            "transaction",
            "",
            "a code migration may not begin, commit or roll back; return from it instead".into(),
        ),
        Action::Savepoint => {
            deny("savepoint", "", "a code migration uses savepoints through its handle, not as SQL".into())
        }
        Action::Attach => deny("attach", "", "a code migration may not attach a database".into()),
        Action::Detach => deny("detach", "", "a code migration may not detach a database".into()),
        Action::Vacuum => deny("vacuum", "", "a code migration may not vacuum the database".into()),
        Action::Pragma { name, value } => {
            let known = |list: &[&str]| list.iter().any(|known| known.eq_ignore_ascii_case(name));
            if known(READ_ONLY_PRAGMAS) || (value.is_none() && known(READABLE_PRAGMAS)) {
                Ok(())
            } else {
                deny("pragma", name, format!("a code migration may not use PRAGMA {name} this way"))
            }
        }
        Action::Function { name } if name.eq_ignore_ascii_case("load_extension") => {
            deny("function", name, "a code migration may not load extensions".into())
        }
        Action::CreateVirtualTable { table, .. } | Action::Table { table, .. }
            if restriction.protected.iter().any(|own| own.eq_ignore_ascii_case(table)) =>
        {
            let verb = match action {
                Action::Table { verb, .. } => verb,
                _ => "create",
            };
            deny(verb, table, format!("a code migration may not {verb} the host's own table {table}"))
        }
        Action::Function { .. } | Action::CreateVirtualTable { .. } | Action::Table { .. } | Action::Other => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decides_every_kind_of_action() {
        let restriction = Restriction { protected: vec!["_whimbrel_history".into()] };
        let pragma = |name, value| Action::Pragma { name, value };
        let table = |verb, table| Action::Table { verb, table };
        let cases = [
            (Action::Transaction, false),
            (Action::Savepoint, false),
            (Action::Attach, false),
            (Action::Detach, false),
            (Action::Vacuum, false),
            (pragma("table_info", Some("t")), true),
            (pragma("user_version", None), true),
            (pragma("user_version", Some("5")), false),
            (pragma("journal_mode", None), false),
            (pragma("WRITABLE_SCHEMA", Some("1")), false),
            (Action::Function { name: "LOAD_EXTENSION" }, false),
            (Action::Function { name: "upper" }, true),
            (table("read", "customer"), true),
            (table("read", "_WHIMBREL_history"), false),
            (table("drop", "_whimbrel_history"), false),
            (Action::Other, true),
        ];
        for (action, allowed) in cases {
            assert_eq!(decide(&restriction, action).is_ok(), allowed, "{action:?}");
        }
    }
}
