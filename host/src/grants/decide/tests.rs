//! The table of decisions. What SQLite really reports for each kind of statement is tested beside its authorizer.

use std::collections::BTreeSet;

use super::*;
use crate::grants::{FunctionGrant, Reference, StatementKind, Table, Trigger, TriggerEvent, Verb};

fn grants(text: &str) -> Grants {
    toml::from_str(text).expect(text)
}

fn words(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

fn mentioning(kind: StatementKind, names: &[&str]) -> Statement {
    Statement { kind, names: words(names), ..Statement::default() }
}

fn schema() -> Schema {
    let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let mut schema = Schema::default();
    let customer = Table {
        columns: columns(&["id", "name", "secret", "shout", "age"]),
        primary: columns(&["id"]),
        generated: [("shout".to_owned(), columns(&["secret"]))].into(),
        checked: vec![columns(&["age", "secret"])],
        ..Table::default()
    };
    let orders = Table { columns: columns(&["id", "secret"]), replaces: true, ..Table::default() };
    let text = Table { module: Some("fts5".into()), ..Table::default() };
    for (name, table) in [("customer", customer), ("orders", orders), ("text", text)] {
        schema.tables.insert(name.into(), table);
    }
    schema.tables.insert("text_data".into(), Table::default());
    // No part of anything, and it would be one of a full-text table called `letter`.
    schema.tables.insert("letter_content".into(), Table::default());
    schema.views.insert("names".into(), mentioning(StatementKind::CreateView { view: "names".into() }, &["customer"]));
    let fired = Statement { replaces: true, names: words(&["log"]), ..Statement::default() };
    schema.triggers.insert("fired".into(), Trigger { table: "customer".into(), text: fired });
    schema.indexes.insert("customer_name".into(), "customer".into());
    schema.indexes.insert("sqlite_autoindex_text_data_1".into(), "text_data".into());
    schema.foreign_functions.insert("send_mail".into());
    schema
}

/// What is expected: it is free, it needs a grant (any of several), or no grant allows it.
enum Expect {
    Free,
    Needs(&'static [&'static str]),
    Never,
}
use Expect::{Free, Needs, Never};

struct Case<'a> {
    statement: Statement,
    action: Action<'a>,
    accessor: Option<&'a str>,
    expect: Expect,
}

fn data(names: &[&str]) -> Statement {
    mentioning(StatementKind::Data, names)
}

fn case<'a>(statement: Statement, action: Action<'a>, expect: Expect) -> Case<'a> {
    Case { statement, action, accessor: None, expect }
}

fn check_case(schema: &Schema, case: &Case<'_>) {
    let request = Request {
        action: case.action,
        database: Some("main"),
        accessor: case.accessor,
        statement: &case.statement,
        schema,
    };
    let what = format!("{:?} in {:?}", case.action, case.statement.kind);
    let with = |text: &str| {
        let restriction = Restriction {
            protected: vec!["own".into()],
            grants: Some(grants(text)),
            read_only: false,
            namespace: None,
        };
        decide(&restriction, &request)
    };
    let free = Restriction { protected: vec!["own".into()], grants: None, read_only: false, namespace: None };
    let denied = with("").err();
    match case.expect {
        Free => assert_eq!(denied, None, "{what}"),
        Never => {
            assert_eq!(denied.map(|denied| denied.grant), Some(None), "{what}");
            assert!(decide(&free, &request).is_err(), "{what} without grants in particular");
        }
        Needs(lines) => {
            let denied = denied.unwrap_or_else(|| panic!("{what} needs nothing"));
            assert_eq!(denied.grant.map(|grant| grant.to_string()).as_deref(), lines.first().copied(), "{what}");
            assert!(with(&all_but(lines)).is_err(), "{what} is allowed by other grants");
            let alternatives = lines.iter().filter(|line| !line.starts_with('+'));
            let together: String =
                lines.iter().filter_map(|line| line.strip_prefix('+')).map(|line| format!("{line}\n")).collect();
            for line in alternatives {
                assert!(with(&format!("{line}\n{together}")).is_ok(), "{what} with {line}");
            }
            assert!(decide(&free, &request).is_ok(), "{what} without grants in particular");
        }
    }
}

/// Grants of every kind on another table.
fn all_but(_: &[&str]) -> String {
    let kinds = Verb::ALL.map(|verb| format!("{verb} = [\"another\"]\n"));
    kinds.concat() + "functions = [\"another\"]"
}

#[test]
fn decides_on_statements_that_read_and_write() {
    let read = |table, column| Action::Read { table, column };
    let with_c = Statement { common_tables: words(&["c"]), ..data(&["c"]) };
    let cases = [
        case(data(&[]), Action::Select, Free),
        case(
            data(&[]),
            read("customer", "name"),
            Needs(&["read = [\"customer(name)\"]", "read = [\"customer\"]", "read = [\"CUST*\"]"]),
        ),
        case(data(&[]), read("customer", ""), Needs(&["read = [\"customer\"]", "read = [\"customer(id)\"]"])),
        case(data(&[]), read("names", "id"), Needs(&["read = [\"names(id)\"]"])),
        case(data(&[]), Action::Insert { table: "customer" }, Needs(&["insert = [\"customer\"]"])),
        case(
            data(&[]),
            Action::Update { table: "customer", column: "name" },
            Needs(&["update = [\"customer(name)\"]", "update = [\"customer\"]"]),
        ),
        case(data(&[]), Action::Delete { table: "customer" }, Needs(&["delete = [\"customer\"]"])),
        case(with_c, read("c", ""), Free),
        case(data(&["c"]), read("c", ""), Needs(&["read = [\"c\"]"])),
        case(data(&["sqlite_schema"]), read("sqlite_master", "sql"), Needs(&["read = [\"sqlite_schema(sql)\"]"])),
        case(data(&["dbstat"]), read("dbstat", "name"), Needs(&["read = [\"dbstat(name)\"]"])),
        case(data(&[]), read("json_each", "value"), Free),
        case(data(&[]), read("pragma_table_info", "name"), Free),
        // Reached by the virtual table itself, and by the statement.
        case(
            data(&["text"]),
            read("text_data", "block"),
            Needs(&["read = [\"text\"]", "insert = [\"text\"]", "drop = [\"text\"]"]),
        ),
        case(
            data(&["text"]),
            Action::Insert { table: "text_data" },
            Needs(&["read = [\"text\"]", "update = [\"text\"]"]),
        ),
        case(data(&["text_data"]), read("text_data", "block"), Needs(&["read = [\"text\"]"])),
        case(data(&["text_data"]), Action::Insert { table: "text_data" }, Never),
        Case { accessor: Some("names"), ..case(data(&["text"]), Action::Delete { table: "text_data" }, Never) },
        Case {
            accessor: Some("fired"),
            ..case(data(&[]), Action::Insert { table: "log" }, Needs(&["insert = [\"log\"]"]))
        },
        case(data(&[]), Action::Insert { table: "own" }, Never),
        case(data(&[]), read("OWN", "x"), Never),
    ];
    let schema = schema();
    for case in &cases {
        check_case(&schema, case);
    }
}

#[test]
fn decides_on_functions_and_pragmas() {
    let function = |name| Action::Function { name };
    let pragma = |name, value| Action::Pragma { name, value };
    let any = Needs(&[
        "read = [\"customer\"]",
        "read = [\"customer(id)\"]",
        "update = [\"customer(id)\"]",
        "delete = [\"customer\"]",
    ]);
    let cases = [
        case(data(&["upper"]), function("upper"), Free),
        case(data(&["random"]), function("RANDOM"), Needs(&["functions = [\"random\"]"])),
        case(data(&["current_date"]), function("current_date"), Needs(&["functions = [\"now\"]"])),
        // Only in a default, which may not even be used.
        case(data(&[]), function("random"), Free),
        case(data(&[]), function("send_mail"), Needs(&["functions = [\"send_mail\"]"])),
        case(data(&[]), function("load_extension"), Never),
        case(data(&[]), function("FTS3_tokenizer"), Never),
        case(data(&[]), pragma("table_info", Some("customer")), any),
        case(
            data(&[]),
            pragma("INDEX_INFO", Some("customer_name")),
            Needs(&["read = [\"customer\"]", "alter = [\"customer\"]"]),
        ),
        case(data(&[]), pragma("table_list", None), Needs(&["read = [\"sqlite_schema(name)\"]"])),
        case(data(&[]), pragma("foreign_key_check", Some("customer")), Needs(&["read = [\"*\"]"])),
        case(data(&[]), pragma("user_version", None), Free),
        case(data(&[]), pragma("user_version", Some("5")), Never),
        case(data(&[]), pragma("encoding", None), Free),
        case(data(&[]), pragma("journal_mode", None), Never),
        case(data(&[]), pragma("WRITABLE_SCHEMA", Some("1")), Never),
        case(data(&[]), pragma("quick_check", Some("customer")), Never),
        case(data(&[]), pragma("table_info", Some("own")), Never),
        case(data(&[]), Action::Transaction, Never),
        case(data(&[]), Action::Savepoint, Never),
        case(data(&[]), Action::Attach, Never),
        case(data(&[]), Action::Detach, Never),
        case(data(&[]), Action::Vacuum, Never),
        case(data(&[]), Action::Explain, Never),
        case(data(&[]), Action::Unknown, Never),
        case(data(&[]), Action::Temporary { object: "t" }, Never),
    ];
    let schema = schema();
    for case in &cases {
        check_case(&schema, case);
    }
    assert_eq!(FunctionGrant::of_function("random"), Some(FunctionGrant::Random));
}

#[test]
fn decides_on_definitions() {
    let create = |table: &str, select| StatementKind::CreateTable { table: table.into(), select };
    let create_n = || data_of(create("n", false));
    let filled = |names: &[&str]| mentioning(create("n", true), names);
    let drop = |object: &str| data_of(StatementKind::Drop { object: object.into() });
    let alter = |renamed: Option<&str>| {
        data_of(StatementKind::Alter { table: "customer".into(), renamed: renamed.map(str::to_owned), column: None })
    };
    let renaming =
        |new: &str| data_of(StatementKind::Alter { table: "text".into(), renamed: Some(new.into()), column: None });
    let index = || data_of(StatementKind::CreateIndex { index: "i".into() });
    let virtual_table = || data_of(StatementKind::CreateVirtualTable { table: "f".into() });
    let read = |table, column| Action::Read { table, column };
    let cases = [
        case(create_n(), Action::CreateTable { table: "n" }, Needs(&["create = [\"n\"]"])),
        case(create_n(), Action::Insert { table: "sqlite_master" }, Free),
        case(create_n(), Action::CreateTable { table: "sqlite_sequence" }, Free),
        case(create_n(), Action::CreateIndex { index: "sqlite_autoindex_n_1", table: "n" }, Free),
        case(create_n(), read("n", "a"), Free),
        case(create_n(), read("sqlite_master", "ROWID"), Free),
        case(create_n(), Action::Function { name: "like" }, Free),
        case(filled(&[]), read("sqlite_master", "ROWID"), Free),
        case(filled(&["sqlite_schema"]), read("sqlite_master", "sql"), Needs(&["read = [\"sqlite_schema(sql)\"]"])),
        case(filled(&["names"]), read("sqlite_master", "sql"), Needs(&["read = [\"sqlite_schema(sql)\"]"])),
        case(filled(&["customer"]), read("customer", "name"), Needs(&["read = [\"customer(name)\"]"])),
        // Not a part of any definition: an ordinary statement that would write there.
        case(
            data(&["sqlite_sequence"]),
            Action::Update { table: "sqlite_sequence", column: "seq" },
            Needs(&["update = [\"sqlite_sequence(seq)\"]"]),
        ),
        case(
            index(),
            Action::CreateIndex { index: "i", table: "customer" },
            Needs(&["create = [\"i\"]", "+alter = [\"customer\"]"]),
        ),
        case(index(), Action::Reindex { index: "i" }, Free),
        case(
            data_of(StatementKind::Reindex),
            Action::Reindex { index: "customer_name" },
            Needs(&["alter = [\"customer\"]"]),
        ),
        case(
            data_of(StatementKind::Reindex),
            Action::Reindex { index: "sqlite_autoindex_text_data_1" },
            Needs(&["alter = [\"text\"]"]),
        ),
        case(
            data_of(StatementKind::Analyze),
            Action::Analyze { table: "customer" },
            Needs(&["alter = [\"customer\"]"]),
        ),
        case(data_of(StatementKind::Analyze), Action::CreateTable { table: "sqlite_stat1" }, Free),
        case(data_of(StatementKind::Analyze), Action::Analyze { table: "text_data" }, Needs(&["alter = [\"text\"]"])),
        case(alter(None), Action::AlterTable { table: "customer" }, Needs(&["alter = [\"customer\"]"])),
        case(
            alter(Some("client")),
            Action::AlterTable { table: "customer" },
            Needs(&["alter = [\"customer\"]", "+create = [\"client\"]"]),
        ),
        case(alter(Some("own")), Action::AlterTable { table: "customer" }, Never),
        case(alter(None), Action::Update { table: "sqlite_master", column: "sql" }, Free),
        case(alter(None), Action::Pragma { name: "quick_check", value: Some("customer") }, Free),
        case(alter(None), Action::Pragma { name: "quick_check", value: Some("orders") }, Never),
        case(drop("customer"), Action::DropTable { table: "customer" }, Needs(&["drop = [\"customer\"]"])),
        case(drop("customer"), Action::Delete { table: "customer" }, Free),
        case(drop("customer"), Action::Delete { table: "orders" }, Needs(&["delete = [\"orders\"]"])),
        case(drop("customer"), Action::Trigger { table: "customer" }, Free),
        case(drop("customer"), Action::Delete { table: "sqlite_stat1" }, Free),
        // DROP TRIGGER names no table.
        case(drop(""), Action::Trigger { table: "customer" }, Needs(&["trigger = [\"customer\"]"])),
        case(
            drop(""),
            Action::DropIndex { index: "customer_name", table: "customer" },
            Needs(&["drop = [\"customer_name\"]", "drop = [\"customer\"]"]),
        ),
        case(drop("names"), Action::View { view: "names" }, Needs(&["view = [\"names\"]"])),
        case(drop("own"), Action::DropTable { table: "own" }, Never),
        case(
            data_of(StatementKind::CreateTrigger {
                trigger: "g".into(),
                table: "customer".into(),
                event: TriggerEvent::Insert,
            }),
            Action::Trigger { table: "customer" },
            Needs(&["trigger = [\"customer\"]"]),
        ),
        case(virtual_table(), Action::CreateVirtualTable { table: "f", module: "FTS5" }, Needs(&["create = [\"f\"]"])),
        case(virtual_table(), Action::CreateVirtualTable { table: "f", module: "csv" }, Never),
        // What is there already would be opened as a part of it.
        case(
            data_of(StatementKind::CreateVirtualTable { table: "letter".into() }),
            Action::CreateVirtualTable { table: "Letter", module: "fts5" },
            Never,
        ),
        case(renaming("letter"), Action::AlterTable { table: "text" }, Never),
        case(virtual_table(), Action::CreateTable { table: "f_data" }, Free),
        case(virtual_table(), Action::CreateTable { table: "customer_data" }, Needs(&["create = [\"customer_data\"]"])),
    ];
    let schema = schema();
    for case in &cases {
        check_case(&schema, case);
    }
}

fn data_of(kind: StatementKind) -> Statement {
    mentioning(kind, &[])
}

#[test]
fn keeps_to_its_own_database() {
    let schema = schema();
    let statement = data(&[]);
    for (database, allowed) in [(None, true), (Some("main"), true), (Some("temp"), false), (Some("other"), false)] {
        let request = Request {
            action: Action::Read { table: "customer", column: "id" },
            database,
            accessor: None,
            statement: &statement,
            schema: &schema,
        };
        let restriction = Restriction {
            protected: Vec::new(),
            grants: Some(grants("read = [\"*\"]")),
            read_only: false,
            namespace: None,
        };
        assert_eq!(decide(&restriction, &request).is_ok(), allowed, "{database:?}");
        assert!(decide(&Restriction::default(), &request).is_ok());
    }
}

fn referring(table: &str, columns: &[&str]) -> Reference {
    Reference { table: table.to_owned(), columns: columns.iter().map(|column| (*column).to_owned()).collect() }
}

#[test]
fn decides_on_what_is_not_reported() {
    let touched = |verb, table: &str, column: &str, accessor: Option<&str>| Touched {
        what: Some((verb, table.to_owned(), column.to_owned())),
        accessor: accessor.map(str::to_owned),
    };
    let using = Statement { using: words(&["secret"]), ..data(&["customer", "orders"]) };
    let generated = Statement { using: words(&["shout"]), ..data(&["customer"]) };
    let natural = Statement { natural: true, ..data(&["customer", "orders"]) };
    let replacing = Statement { replaces: true, ..data(&["customer"]) };
    let references = Statement {
        references: vec![referring("customer", &[]), referring("customer", &["name"]), referring("n", &[])],
        ..data_of(StatementKind::CreateTable { table: "n".into(), select: false })
    };
    let altering = Statement {
        expressions: true,
        ..mentioning(
            StatementKind::Alter { table: "customer".into(), renamed: None, column: None },
            &["customer", "secret", "fresh"],
        )
    };
    let table = |table: &str, called: &[&str]| Statement {
        called: words(called),
        ..data_of(StatementKind::CreateTable { table: table.into(), select: false })
    };
    let cases: [(Statement, Vec<Touched>, &str); 14] = [
        (data(&[]), vec![touched(Verb::Read, "customer", "name", None)], ""),
        (data(&[]), vec![touched(Verb::Read, "customer", "shout", None)], "read customer(secret)"),
        (data(&[]), vec![touched(Verb::Update, "customer", "age", None)], "read customer(secret)"),
        (
            data(&[]),
            vec![touched(Verb::Update, "customer", "age", None), touched(Verb::Update, "customer", "secret", None)],
            "",
        ),
        (using, vec![], "read customer(secret), read orders(secret)"),
        (natural, vec![], "read customer(id), read customer(secret), read orders(id), read orders(secret)"),
        (replacing, vec![touched(Verb::Insert, "customer", "", None)], "delete customer"),
        (data(&[]), vec![touched(Verb::Insert, "customer", "", Some("fired"))], "delete customer"),
        (data(&[]), vec![touched(Verb::Insert, "orders", "", None)], "delete orders"),
        (
            references,
            vec![],
            "read customer(id), read customer(name), reference customer(id), reference customer(name)",
        ),
        (generated, vec![], "read customer(secret), read customer(shout)"),
        (altering, vec![], "read customer(secret)"),
        (table("n", &["n", "randomblob", "upper"]), vec![], "functions random"),
        (table("Random", &["random"]), vec![], ""),
    ];
    let schema = schema();
    let restriction = Restriction { protected: vec!["own".into()], grants: None, read_only: false, namespace: None };
    for (statement, touched, expected) in cases {
        let needs = decide_whole(&restriction, &statement, &schema, &touched).unwrap();
        let shown: Vec<String> =
            needs.iter().map(|need| need.grant().to_string().replace(" = [\"", " ").replace("\"]", "")).collect();
        let mut shown = shown;
        shown.sort();
        let expected: Vec<&str> = expected.split(", ").filter(|line| !line.is_empty()).collect();
        let mut expected = expected;
        expected.sort_unstable();
        assert_eq!(shown, expected, "{statement:?} {touched:?}");
        let nothing =
            Restriction { protected: Vec::new(), grants: Some(Grants::default()), read_only: false, namespace: None };
        assert_eq!(decide_whole(&nothing, &statement, &schema, &touched).is_ok(), expected.is_empty());
    }
    let own = Statement {
        references: vec![referring("own", &[])],
        ..data_of(StatementKind::CreateTable { table: "n".into(), select: false })
    };
    assert!(decide_whole(&restriction, &own, &schema, &[]).is_err());
}
