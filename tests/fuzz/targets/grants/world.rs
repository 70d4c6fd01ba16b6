//! The database of every case, and the sessions on it.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use whimbrel::Interrupt;
use whimbrel::db::sqlite::Sqlite;
use whimbrel::db::{
    Ambient, Backend, BatchBuilder, CursorId, DbError, ErrorCode, OpenOptions, SavepointId, Session, StatementId,
};
use whimbrel::grants::Restriction;
use whimbrel::limits::{Limit, Limits, RunLimits};

use crate::input::{Case, Step};
use crate::judge::is_readable;
use crate::snapshot::Snapshot;

const SETUP: &str = "
    CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT, secret TEXT, age INTEGER,
        shout AS (upper(secret)), louder AS (shout || '!') STORED,
        CHECK (age < 1000000 OR length(secret) > 0), CHECK (name <> email));
    CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customer ON DELETE CASCADE ON UPDATE CASCADE,
        amount INTEGER, note TEXT);
    CREATE TABLE item (purchase INTEGER REFERENCES purchase ON DELETE SET NULL ON UPDATE SET DEFAULT, what TEXT, price);
    CREATE TABLE tag (k TEXT PRIMARY KEY, v INTEGER, w TEXT) WITHOUT ROWID;
    CREATE TABLE slot (a UNIQUE ON CONFLICT REPLACE, b TEXT);
    CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT, old TEXT, chance DEFAULT (random()),
        made DEFAULT CURRENT_TIMESTAMP);
    CREATE TABLE vault (k INTEGER PRIMARY KEY, v TEXT);
    CREATE TABLE _whimbrel_history (version INTEGER PRIMARY KEY, checksum TEXT);
    CREATE INDEX customer_secret ON customer (lower(secret));
    CREATE INDEX purchase_note ON purchase (note) WHERE amount > 0;
    CREATE INDEX item_what ON item (what);
    CREATE VIEW names AS SELECT id, name FROM customer;
    CREATE VIEW hidden AS SELECT * FROM (SELECT secret FROM customer);
    CREATE VIEW joined AS SELECT item.price FROM item NATURAL JOIN (SELECT v AS price FROM vault);
    CREATE VIEW used AS SELECT purchase.id FROM purchase JOIN customer USING (id);
    CREATE VIEW counts AS WITH c AS (SELECT secret FROM customer) SELECT count(*) AS n FROM c;
    CREATE VIRTUAL TABLE doc USING fts5(title, body);
    CREATE VIRTUAL TABLE box USING rtree(id, low, high);
    INSERT INTO customer (id, name, email, secret, age)
        VALUES (1, 'Ada', 'a@x', 'sesame', 36), (2, 'Bob', 'b@x', 'potato', 41), (3, 'Eve', 'e@x', 'window', NULL);
    INSERT INTO purchase VALUES (1, 1, 10, 'nn1'), (2, 1, 20, 'nn2'), (3, 2, 30, 'nn3'), (4, NULL, -5, 'nn4');
    INSERT INTO item VALUES (1, 'w1', 5), (1, 'w2', 6), (3, 'w3', 7);
    INSERT INTO tag VALUES ('k1', 1, 'ww1'), ('k2', 2, 'ww2');
    INSERT INTO slot VALUES (1, 'b1'), (2, 'b2');
    INSERT INTO audit VALUES (1, 'start', 'oo1', 1, 'then');
    INSERT INTO vault VALUES (1, 'v1'), (2, 'v2'), (5, 'v5');
    INSERT INTO _whimbrel_history VALUES (1, 'c1'), (2, 'c2');
    INSERT INTO doc VALUES ('Title', 'some words'), ('Other', 'more words here');
    INSERT INTO box VALUES (1, 1, 2), (2, 3, 4);
    CREATE TRIGGER customer_renamed AFTER UPDATE OF name ON customer
        BEGIN INSERT INTO audit (what, old, chance, made) VALUES ('name', old.secret, 1, 'then'); END;
    CREATE TRIGGER customer_gone AFTER DELETE ON customer WHEN old.secret > 'a'
        BEGIN UPDATE tag SET v = v + 1 WHERE k = 'k1'; END;
    CREATE TRIGGER item_new AFTER INSERT ON item BEGIN INSERT OR REPLACE INTO slot VALUES (1, new.what); END;
    CREATE TRIGGER tag_changed AFTER UPDATE ON tag BEGIN DELETE FROM vault WHERE k = new.v; END;
    CREATE TRIGGER names_new INSTEAD OF INSERT ON names BEGIN INSERT INTO customer (name) VALUES (new.name); END;
    CREATE TRIGGER names_changed INSTEAD OF UPDATE ON names BEGIN UPDATE customer SET name = new.name WHERE id = old.id; END;
    CREATE TRIGGER names_gone INSTEAD OF DELETE ON names BEGIN DELETE FROM customer WHERE id = old.id; END;";

/// A table of the setup.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The column that names a row.
    pub(crate) key: &'static str,
    /// Columns whose values the two databases share.
    pub(crate) shared: &'static [&'static str],
    /// Columns with what they are in the other database. Order and equality stay as they are.
    pub(crate) own: &'static [(&'static str, &'static str)],
    /// Columns that are made of others.
    pub(crate) generated: &'static [&'static str],
}

impl Table {
    /// Returns the names of the columns, the key first.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        let own = self.own.iter().map(|(name, _)| *name);
        [self.key].into_iter().chain(self.shared.iter().copied()).chain(own).chain(self.generated.iter().copied())
    }
}

pub(crate) const TABLES: [Table; 10] = [
    Table {
        name: "customer",
        key: "id",
        shared: &[],
        own: &[("name", "name || '~'"), ("email", "email || '~'"), ("secret", "secret || '~'"), ("age", "age + 1000")],
        generated: &["shout", "louder"],
    },
    Table {
        name: "purchase",
        key: "id",
        shared: &["customer"],
        own: &[("amount", "amount * 3"), ("note", "note || '~'")],
        generated: &[],
    },
    Table {
        name: "item",
        key: "rowid",
        shared: &["purchase"],
        own: &[("what", "what || '~'"), ("price", "price + 1000")],
        generated: &[],
    },
    Table { name: "tag", key: "k", shared: &[], own: &[("v", "v + 1000"), ("w", "w || '~'")], generated: &[] },
    Table { name: "slot", key: "rowid", shared: &["a"], own: &[("b", "b || '~'")], generated: &[] },
    Table {
        name: "audit",
        key: "id",
        shared: &["chance", "made"],
        own: &[("what", "what || '~'"), ("old", "old || '~'")],
        generated: &[],
    },
    Table { name: "vault", key: "k", shared: &[], own: &[("v", "v || '~'")], generated: &[] },
    Table {
        name: "_whimbrel_history",
        key: "version",
        shared: &[],
        own: &[("checksum", "checksum || '~'")],
        generated: &[],
    },
    Table {
        name: "doc",
        key: "rowid",
        shared: &[],
        own: &[("title", "title || '~'"), ("body", "body || '~'")],
        generated: &["doc", "rank"],
    },
    Table {
        name: "box",
        key: "id",
        shared: &[],
        own: &[("high", "high + 1000"), ("low", "low - 1000")],
        generated: &[],
    },
];

/// What else a grant or a statement may name.
pub(crate) const OBJECTS: [&str; 28] = [
    "names",
    "hidden",
    "joined",
    "used",
    "counts",
    "acme_a",
    "acme_b",
    "acme_*",
    "*",
    "customer_secret",
    "purchase_note",
    "item_what",
    "customer_renamed",
    "customer_gone",
    "names_new",
    "sqlite_schema",
    "sqlite_master",
    "sqlite_sequence",
    "sqlite_stat1",
    "sqlite_stat4",
    "dbstat",
    "doc_data",
    "doc_content",
    "box_node",
    "json_each",
    "pragma_table_info",
    "fts5vocab",
    "sqlite_temp_schema",
];

/// The two databases, opened once: every case is rolled back.
pub(crate) struct World {
    plain: [RefCell<Box<dyn Session>>; 2],
    other: [RefCell<Box<dyn Session>>; 2],
    /// The plain one before any case.
    pub(crate) before: Snapshot,
}

impl World {
    pub(crate) fn new() -> Self {
        let open = |record| {
            let options = OpenOptions { lock_timeout: Duration::ZERO, interrupt: Interrupt::new(), record };
            let mut session = Sqlite::file("fuzz").open_scratch(&options).expect("a database in memory");
            session.execute_script(SETUP).expect("the setup");
            RefCell::new(session)
        };
        let plain = [open(false), open(true)];
        let before = Snapshot::take(plain[0].borrow_mut().as_mut());
        Self { plain, other: [open(false), open(true)], before }
    }

    /// Looks whether nothing is left of a case.
    pub(crate) fn assert_sound(&self, case: &Case) {
        for sessions in [&self.plain, &self.other] {
            let mut session = sessions[usize::from(case.record)].borrow_mut();
            let checks = [
                "INSERT INTO doc (doc, rank) VALUES ('integrity-check', 1)",
                "SELECT rowid FROM doc WHERE doc MATCH 'words'",
                "SELECT id FROM box WHERE low > 0",
            ];
            for check in checks {
                if let Err(error) = session.execute(check, &[]) {
                    panic!("{check}: {error:?}, after\n{case}");
                }
            }
            assert_eq!(Snapshot::take(session.as_mut()), self.before, "after a rollback:\n{case}");
        }
    }

    /// Begins a case on the database as it is.
    pub(crate) fn plain(&self, case: &Case) -> Guest<'_> {
        Guest::begin(&self.plain[usize::from(case.record)], case, |_| {})
    }

    /// Begins a case on a database in which everything is different that may not be read.
    pub(crate) fn other(&self, case: &Case) -> Guest<'_> {
        Guest::begin(&self.other[usize::from(case.record)], case, |session| {
            for table in &TABLES {
                let hidden = table.own.iter().filter(|(column, _)| !is_readable(case, table, column));
                let changes: Vec<String> = hidden.map(|(column, value)| format!("{column} = {value}")).collect();
                if !changes.is_empty() {
                    let sql = format!("UPDATE {} SET {}", table.name, changes.join(", "));
                    session.execute(&sql, &[]).expect("a change that breaks nothing");
                }
            }
        })
    }
}

/// A session in the hands of a guest.
pub(crate) struct Guest<'w> {
    session: std::cell::RefMut<'w, Box<dyn Session>>,
    statements: Vec<StatementId>,
    cursors: Vec<CursorId>,
    savepoints: Vec<SavepointId>,
}

impl<'w> Guest<'w> {
    fn begin(session: &'w RefCell<Box<dyn Session>>, case: &Case, change: impl FnOnce(&mut dyn Session)) -> Self {
        let mut session = session.borrow_mut();
        session.begin().expect("a transaction");
        with_triggers(session.as_mut(), false);
        change(session.as_mut());
        // What `changes()` and `last_insert_rowid()` tell is of the connection, and the same for both.
        session.execute("INSERT INTO vault VALUES (99, '')", &[]).expect("a row");
        session.execute("DELETE FROM vault WHERE k = 99", &[]).expect("no row");
        with_triggers(session.as_mut(), true);
        // Virtual tables read tables of their own when they are used for the first time.
        session.execute("SELECT 1 FROM doc, box", &[]).expect("virtual tables");
        // And fts5 writes what is pending when somebody opens a savepoint.
        let savepoint = session.savepoint().expect("a savepoint");
        session.release(savepoint).expect("its end");
        let limits = Limits::default()
            .with(Limit::SqlOperations, 300_000)
            .with(Limit::ValueLength, 100_000)
            .with(Limit::RowsRead, 2_000)
            .with(Limit::TriggerDepth, 50);
        let limits = RunLimits::decide(None, &limits).expect("limits");
        session.set_limits(Some(&limits)).expect("limits");
        if case.record {
            session.start_recording();
        }
        session.set_ambient(Some(Ambient::default())).expect("neither time nor chance");
        let protected = vec!["_whimbrel_history".to_owned()];
        session.restrict(Some(Arc::new(Restriction { protected, grants: Some(case.grants.clone()), ..Restriction::default() })));
        Self { session, statements: Vec::new(), cursors: Vec::new(), savepoints: Vec::new() }
    }

    pub(crate) fn is_in_transaction(&self) -> bool {
        self.session.in_transaction()
    }

    /// Does one step.
    pub(crate) fn run(&mut self, step: &Step) -> Answer {
        let session = &mut self.session;
        let done = match step {
            Step::Execute(sql) => session.execute(sql, &[]).map(|changed| vec![changed.to_string()]),
            Step::Prepare(sql) => session.prepare(sql).and_then(|statement| {
                self.statements.push(statement);
                session.execute_prepared(statement, &[]).map(|changed| vec![changed.to_string()])
            }),
            Step::Open(sql) => session.open_cursor(sql, &[]).and_then(|cursor| {
                self.cursors.push(cursor);
                fetch(session.as_mut(), cursor, 1).map(|(_, rows)| rows)
            }),
            Step::Savepoint => session.savepoint().map(|savepoint| {
                self.savepoints.push(savepoint);
                Vec::new()
            }),
            Step::Release => match self.savepoints.pop() {
                Some(savepoint) => session.release(savepoint).map(|()| Vec::new()),
                None => Ok(Vec::new()),
            },
            Step::RollBack => match self.savepoints.pop() {
                Some(savepoint) => session.rollback_to(savepoint).map(|()| Vec::new()),
                None => Ok(Vec::new()),
            },
        };
        Answer::new(done)
    }

    /// Reads queries to their end and runs what is prepared once more.
    pub(crate) fn go_on(&mut self) -> Vec<Answer> {
        let mut answers = Vec::new();
        for cursor in std::mem::take(&mut self.cursors) {
            let mut rest = Vec::new();
            answers.push(Answer::new(loop {
                match fetch(self.session.as_mut(), cursor, 100) {
                    Ok((more, rows)) => {
                        rest.extend(rows);
                        if !more {
                            break Ok(std::mem::take(&mut rest));
                        }
                    }
                    Err(error) => break Err(error),
                }
            }));
        }
        for statement in std::mem::take(&mut self.statements) {
            let done = self.session.execute_prepared(statement, &[]);
            answers.push(Answer::new(done.map(|changed| vec![changed.to_string()])));
        }
        answers
    }

    /// Takes the session back and looks at what the guest leaves behind, which is then undone.
    pub(crate) fn finish(mut self) -> Snapshot {
        let session = self.session.as_mut();
        session.close_handles();
        session.restrict(None);
        session.set_ambient(None).expect("the machine's time");
        session.set_limits(None).expect("no limits");
        let left = Snapshot::take(session);
        session.take_recording();
        session.rollback().expect("a rollback");
        // After an ALTER TABLE that failed, fts5 is not told of the rollback, and takes its table for damaged.
        session.execute("PRAGMA writable_schema = RESET", &[]).expect("the schema anew");
        left
    }
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        self.session.close_handles();
        self.session.restrict(None);
        let _ = self.session.set_ambient(None);
        let _ = self.session.set_limits(None);
        let _ = self.session.rollback();
        let _ = self.session.execute("PRAGMA writable_schema = RESET", &[]);
    }
}

fn with_triggers(session: &mut dyn Session, enabled: bool) {
    let connection = session.sqlite().expect("SQLite");
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, enabled).expect("a setting");
}

fn fetch(session: &mut dyn Session, cursor: CursorId, most: u32) -> Result<(bool, Vec<String>), DbError> {
    let mut rows = BatchBuilder::new(0);
    let more = session.fetch(cursor, most, 1 << 20, &mut rows)?;
    let checked = rows.finish().check().expect("what the session packs is right");
    let columns = checked.columns().len();
    let row =
        |row| (0..columns).map(|column| format!("{:?}", checked.cell(row, column))).collect::<Vec<_>>().join(", ");
    Ok((more, (0..checked.rows()).map(row).collect()))
}

/// What a guest is told.
#[derive(Debug)]
pub(crate) struct Answer(Result<Vec<String>, DbError>);

impl Answer {
    fn new(done: Result<Vec<String>, DbError>) -> Self {
        // Without ORDER BY the order says nothing that can be relied on.
        Self(done.map(|mut rows| {
            rows.sort();
            rows
        }))
    }

    pub(crate) fn is_error(&self) -> bool {
        self.0.is_err()
    }

    pub(crate) fn is_limit(&self) -> bool {
        self.0.as_ref().is_err_and(|error| matches!(error.code, ErrorCode::Limit | ErrorCode::Interrupted))
    }
}

impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Ok(left), Ok(right)) => left == right,
            // What is refused first depends on which virtual tables were used before.
            (Err(left), Err(right)) if left.code == ErrorCode::Denied => right.code == ErrorCode::Denied,
            (Err(left), Err(right)) => left == right,
            _ => false,
        }
    }
}
