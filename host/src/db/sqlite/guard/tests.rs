//! Every rule on a real SQLite: what a statement touches is refused unless it is granted, by whatever way it is
//! reached.

mod lasting;
mod needed;
mod refused;

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use crate::db::sqlite::with_connection;
use crate::db::{DbError, ErrorCode, OpenOptions, Session};
use crate::grants::{Grants, Restriction};
use crate::interrupt::Interrupt;

const SETUP: &str = "
CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT, secret TEXT, age INTEGER,
    shout AS (upper(secret)), louder AS (shout || '!'), CHECK (age < length(secret) OR age IS NULL));
CREATE TABLE account (id INTEGER PRIMARY KEY, customer REFERENCES customer ON DELETE CASCADE, secret TEXT, note TEXT);
CREATE TABLE audit (line TEXT, made TEXT DEFAULT CURRENT_TIMESTAMP, chance DEFAULT (random()));
CREATE TABLE log (line TEXT);
CREATE TABLE keyed (k TEXT UNIQUE ON CONFLICT REPLACE, x);
CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, x);
CREATE INDEX customer_secret ON customer (lower(secret));
CREATE INDEX account_note ON account (note) WHERE secret IS NOT NULL;
CREATE INDEX log_line ON log (line);
CREATE VIEW names AS SELECT id, name FROM customer;
CREATE VIEW hidden AS SELECT * FROM (SELECT secret FROM customer);
CREATE VIEW joined AS SELECT account.id FROM account JOIN customer USING (secret);
CREATE VIEW counts AS WITH c AS (SELECT id FROM customer) SELECT count(*) AS n FROM c;
CREATE TRIGGER log_inserted AFTER INSERT ON log BEGIN INSERT INTO audit (line, made, chance) VALUES (new.line, 1, 1); END;
CREATE TRIGGER account_updated AFTER UPDATE OF note ON account BEGIN INSERT OR REPLACE INTO keyed VALUES (new.note, 1); END;
CREATE VIRTUAL TABLE text USING fts5(body);
CREATE VIRTUAL TABLE place USING rtree(id, low, high);
CREATE TABLE _whimbrel_history (checksum TEXT);
INSERT INTO customer (id, name, email, secret) VALUES (1, 'Ada', 'a@x', 'sesame'), (2, 'Bob', 'b@x', 'open');
INSERT INTO account VALUES (1, 1, 'sesame', 'n'), (2, 2, 'z', 'm');
INSERT INTO text VALUES ('hello world');
INSERT INTO place VALUES (1, 1, 2);
";

fn options() -> OpenOptions {
    OpenOptions { lock_timeout: Duration::ZERO, interrupt: Interrupt::new(), record: true }
}

/// Runs in a transaction on a new database, held to the grants.
fn held<R>(grants: Option<&str>, work: impl FnOnce(&mut dyn Session) -> R) -> R {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(SETUP).unwrap();
    with_connection(&mut connection, &options(), |mut session| {
        session.begin().unwrap();
        restrict(session.as_mut(), grants);
        let result = work(session.as_mut());
        session.restrict(None);
        session.rollback().unwrap();
        result
    })
    .unwrap()
}

fn restrict(session: &mut dyn Session, grants: Option<&str>) {
    let grants = grants.map(|text| toml::from_str::<Grants>(text).expect(text));
    let restriction = Restriction {
        protected: vec!["_whimbrel_history".into(), "_whimbrel_history_schema".into()],
        grants,
        read_only: false,
        namespace: None,
    };
    session.restrict(Some(Arc::new(restriction)));
}

fn run(session: &mut dyn Session, sql: &str) -> Result<u64, DbError> {
    session.execute(sql, &[])
}

/// Returns the grant that a refusal names; nothing when there is none to name.
fn wanted(error: &DbError) -> String {
    assert_eq!(error.code, ErrorCode::Denied, "{error}");
    let named = error.details.iter().find(|(key, _)| key == "grant");
    named.map(|(_, grant)| grant.clone()).unwrap_or_default()
}

/// Finds out, grant by grant, what a statement needs, and that it then runs.
fn needed(sql: &str) -> Vec<String> {
    let mut grants = Grants::default();
    let mut named = Vec::new();
    loop {
        let text = grants.to_toml();
        match held(Some(&text), |session| run(session, sql)) {
            Ok(_) => return named,
            Err(error) => {
                let grant = wanted(&error);
                assert!(!grant.is_empty() && !named.contains(&grant), "{sql}: {error} after {named:?}");
                grants.extend(&toml::from_str(&grant).expect("a line of TOML"));
                named.push(grant);
            }
        }
    }
}

/// Checks what statements need, one short word for each grant: `read customer(id)`.
fn need(cases: &[(&str, &[&str])]) {
    for (sql, expected) in cases {
        let found: Vec<String> =
            needed(sql).iter().map(|grant| grant.replace(" = [\"", " ").replace("\"]", "")).collect();
        let (mut found, mut expected) = (found, expected.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>());
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{sql}");
    }
}
