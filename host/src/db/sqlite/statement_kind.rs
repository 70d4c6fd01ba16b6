//! Reads from the tokens of a statement what SQLite's authorizer does not tell. Decides nothing.

use std::collections::BTreeSet;

use super::comparison;
use crate::grants::{Reference, Statement, StatementKind, TriggerEvent};
use crate::sql::{self, Token, TokenKind};

/// Reads one statement, or the text of a view or trigger.
pub(super) fn read(text: &str) -> Statement {
    let tokens: Vec<Token<'_>> = sql::tokens(text).filter(Token::is_significant).collect();
    let kind = kind(&tokens);
    let names = || tokens.iter().filter_map(Token::name).map(|name| name.to_ascii_lowercase());
    let natural = tokens.iter().any(|token| token.is_word("NATURAL"));
    let mut seen = BTreeSet::new();
    let mut is_repeated = |name: &String| !seen.insert(name.clone());
    let is_module = matches!(kind, StatementKind::CreateVirtualTable { .. });
    Statement {
        names: names().collect(),
        // Nothing else asks for them.
        repeated: if natural { names().filter(&mut is_repeated).collect() } else { BTreeSet::new() },
        temporary: temporary(&tokens),
        common_tables: common_tables(&tokens),
        using: if is_module { BTreeSet::new() } else { using(&tokens) },
        natural,
        replaces: replaces(&tokens),
        upserts_by_any_key: upserts_by_any_key(&tokens),
        expressions: tokens.iter().any(|token| ["CHECK", "AS", "GENERATED"].iter().any(|word| token.is_word(word))),
        references: references(&tokens),
        called: called(&tokens),
        inserted: inserted(&tokens),
        compares: comparison::only_compares(&tokens),
        explains: begins(&tokens, &["EXPLAIN"]),
        explains_program: begins(&tokens, &["EXPLAIN"]) && !begins(&tokens, &["EXPLAIN", "QUERY", "PLAN"]),
        kind,
    }
}

/// Tells whether there is nothing in a text that could be run.
pub(super) fn is_blank(text: &str) -> bool {
    !sql::tokens(text).any(|token| token.is_significant() && token.kind != TokenKind::Semicolon)
}

fn start<'a, 't>(tokens: &'a [Token<'t>]) -> &'a [Token<'t>] {
    let blank = tokens.iter().take_while(|token| token.kind == TokenKind::Semicolon).count();
    &tokens[blank..]
}

/// Walks over the first words of a statement.
struct Head<'a, 't>(&'a [Token<'t>]);

impl Head<'_, '_> {
    fn skip(&mut self, word: &str) -> bool {
        let skipped = self.0.first().is_some_and(|token| token.is_word(word));
        if skipped {
            self.0 = &self.0[1..];
        }
        skipped
    }

    fn skip_all(&mut self, words: &[&str]) {
        for word in words {
            self.skip(word);
        }
    }

    /// Takes a name, or the second part of one with a dot.
    fn name(&mut self) -> String {
        self.qualified().1
    }

    /// Takes a name, and what stands before it and a dot.
    fn qualified(&mut self) -> (Option<String>, String) {
        let (mut before, mut found) = (None, None);
        while let Some(part) = self.0.first().and_then(Token::name) {
            before = found.replace(part);
            self.0 = &self.0[1..];
            if self.0.first().is_none_or(|token| token.text != ".") {
                break;
            }
            self.0 = &self.0[1..];
        }
        (before, found.unwrap_or_default())
    }
}

/// Tells whether a statement begins with these words.
fn begins(tokens: &[Token<'_>], words: &[&str]) -> bool {
    let start = start(tokens);
    start.len() >= words.len() && start.iter().zip(words).all(|(token, word)| token.is_word(word))
}

fn kind(tokens: &[Token<'_>]) -> StatementKind {
    let mut head = Head(start(tokens));
    if head.skip("EXPLAIN") {
        head.skip_all(&["QUERY", "PLAN"]);
    }
    if head.skip("CREATE") {
        return created(&mut head);
    }
    if head.skip("ALTER") {
        head.skip("TABLE");
        let table = head.name();
        let renames = head.skip("RENAME");
        let renamed = (renames && head.skip("TO")).then(|| head.name());
        // The word may be left out, and may be the column's name.
        if renames && renamed.is_none() && !head.0.get(1).is_some_and(|token| token.is_word("TO")) {
            head.skip("COLUMN");
        }
        let mut names = || {
            let old = head.name();
            (old, if head.skip("TO") { head.name() } else { String::new() })
        };
        let column = (renames && renamed.is_none()).then(&mut names);
        return StatementKind::Alter { table, renamed, column };
    }
    if head.skip("DROP") {
        let whole = head.skip("TABLE") || head.skip("VIEW");
        head.skip_all(&["IF", "EXISTS"]);
        return StatementKind::Drop { object: if whole { head.name() } else { String::new() } };
    }
    if head.skip("ROLLBACK") {
        head.skip("TRANSACTION");
        return if head.skip("TO") { StatementKind::Savepoint } else { StatementKind::Transaction };
    }
    let kinds = [
        ("BEGIN", StatementKind::Transaction),
        ("COMMIT", StatementKind::Transaction),
        ("END", StatementKind::Transaction),
        ("SAVEPOINT", StatementKind::Savepoint),
        ("RELEASE", StatementKind::Savepoint),
        ("VACUUM", StatementKind::Vacuum),
        ("PRAGMA", StatementKind::Pragma),
        ("REINDEX", StatementKind::Reindex),
        ("ANALYZE", StatementKind::Analyze),
    ];
    kinds.into_iter().find(|(word, _)| head.skip(word)).map_or(StatementKind::Data, |(_, kind)| kind)
}

fn created(head: &mut Head<'_, '_>) -> StatementKind {
    head.skip_all(&["TEMP", "TEMPORARY", "UNIQUE"]);
    let is_virtual = head.skip("VIRTUAL");
    let what = ["TABLE", "INDEX", "TRIGGER", "VIEW"].into_iter().find(|word| head.skip(word));
    head.skip_all(&["IF", "NOT", "EXISTS"]);
    let named = head.name();
    match what {
        Some("TABLE") if is_virtual => StatementKind::CreateVirtualTable { table: named },
        Some("TABLE") => StatementKind::CreateTable { table: named, select: head.skip("AS") },
        Some("INDEX") => StatementKind::CreateIndex { index: named },
        Some("TRIGGER") => trigger(named, head),
        Some("VIEW") => StatementKind::CreateView { view: named },
        _ => StatementKind::Data,
    }
}

/// Finds what a statement makes in the temporary database. SQLite's authorizer is told of a trigger there as of one in
/// the database of its table.
fn temporary(tokens: &[Token<'_>]) -> Option<String> {
    let mut head = Head(start(tokens));
    if head.skip("EXPLAIN") {
        head.skip_all(&["QUERY", "PLAN"]);
    }
    if !head.skip("CREATE") {
        return None;
    }
    let by_word = head.skip("TEMP") || head.skip("TEMPORARY");
    head.skip_all(&["UNIQUE", "VIRTUAL", "TABLE", "INDEX", "TRIGGER", "VIEW", "IF", "NOT", "EXISTS"]);
    let (database, object) = head.qualified();
    let by_name = database.is_some_and(|database| database.eq_ignore_ascii_case("temp"));
    (by_word || by_name).then_some(object)
}

fn trigger(trigger: String, head: &mut Head<'_, '_>) -> StatementKind {
    head.skip_all(&["BEFORE", "AFTER", "INSTEAD", "OF"]);
    let event = if head.skip("INSERT") {
        TriggerEvent::Insert
    } else if head.skip("DELETE") {
        TriggerEvent::Delete
    } else {
        head.skip("UPDATE");
        let mut columns = Vec::new();
        if head.skip("OF") {
            while !head.0.is_empty() && !head.0[0].is_word("ON") {
                columns.extend(head.0[0].name());
                head.0 = &head.0[1..];
            }
        }
        TriggerEvent::Update(columns)
    };
    head.skip("ON");
    StatementKind::CreateTrigger { trigger, table: head.name(), event }
}

/// Finds the names in `WITH name AS (…)`, `WITH name (columns) AS (…)` and after a comma.
fn common_tables(tokens: &[Token<'_>]) -> BTreeSet<String> {
    if !tokens.iter().any(|token| token.is_word("WITH")) {
        return BTreeSet::new();
    }
    let begins = |token: &Token<'_>| token.is_word("WITH") || token.is_word("RECURSIVE") || token.text == ",";
    let goes_on = |token: &Token<'_>| token.is_word("AS") || token.text == "(";
    let named = tokens.windows(3).filter(|window| begins(&window[0]) && goes_on(&window[2]));
    named.filter_map(|window| window[1].name()).map(|name| name.to_ascii_lowercase()).collect()
}

fn using(tokens: &[Token<'_>]) -> BTreeSet<String> {
    let mut columns = BTreeSet::new();
    for (index, _) in tokens.iter().enumerate().filter(|(_, token)| token.is_word("USING")) {
        let list = tokens[index + 1..].iter().take_while(|token| token.text != ")");
        columns.extend(list.filter_map(Token::name).map(|name| name.to_ascii_lowercase()));
    }
    columns
}

/// Finds the names that have arguments behind them. The columns of INSERT are none.
fn called(tokens: &[Token<'_>]) -> BTreeSet<String> {
    let into = |at: usize| {
        let qualified = at >= 2 && tokens[at - 1].text == ".";
        let before = if qualified { at.checked_sub(3) } else { at.checked_sub(1) };
        before.is_some_and(|before| tokens[before].is_word("INTO"))
    };
    let with_arguments = tokens.windows(2).enumerate().filter(|(at, pair)| pair[1].text == "(" && !into(*at));
    with_arguments.filter_map(|(_, pair)| pair[0].name()).map(|name| name.to_ascii_lowercase()).collect()
}

/// Finds the columns in `INTO name (columns)` and `INTO name AS other (columns)`.
fn inserted(tokens: &[Token<'_>]) -> BTreeSet<String> {
    let mut columns = BTreeSet::new();
    for (index, _) in tokens.iter().enumerate().filter(|(_, token)| token.is_word("INTO")) {
        let mut head = Head(&tokens[index + 1..]);
        head.name();
        if head.skip("AS") {
            head.name();
        }
        if head.0.first().is_some_and(|token| token.text == "(") {
            let list = head.0.iter().take_while(|token| token.text != ")");
            columns.extend(list.filter_map(Token::name).map(|name| name.to_ascii_lowercase()));
        }
    }
    columns
}

/// Tells whether it says `REPLACE INTO`, `INSERT OR REPLACE`, `UPDATE OR REPLACE` or `ON CONFLICT REPLACE`.
fn replaces(tokens: &[Token<'_>]) -> bool {
    let pair =
        |first: &str, second: &str| tokens.windows(2).any(|pair| pair[0].is_word(first) && pair[1].is_word(second));
    pair("REPLACE", "INTO") || pair("OR", "REPLACE") || pair("CONFLICT", "REPLACE")
}

/// Tells whether it says `ON CONFLICT DO UPDATE`, without a key by which the row is found.
pub(super) fn upserts_by_any_key(tokens: &[Token<'_>]) -> bool {
    let words = ["CONFLICT", "DO", "UPDATE"];
    tokens.windows(words.len()).any(|window| window.iter().zip(words).all(|(token, word)| token.is_word(word)))
}

/// Finds the tables and columns in `REFERENCES name (columns)`.
fn references(tokens: &[Token<'_>]) -> Vec<Reference> {
    let words = tokens.iter().enumerate().filter(|(_, token)| token.is_word("REFERENCES"));
    let found = words.filter_map(|(at, _)| {
        let mut head = Head(&tokens[at + 1..]);
        let table = head.name();
        let has_columns = head.0.first().is_some_and(|token| token.text == "(");
        let list = head.0.iter().take_while(|token| has_columns && token.text != ")");
        let columns = list.filter_map(Token::name).map(|name| name.to_ascii_lowercase()).collect();
        (!table.is_empty()).then_some(Reference { table, columns })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_kinds_apart() {
        let table = |table: &str, select| StatementKind::CreateTable { table: table.into(), select };
        let alter = |table: &str, renamed: Option<&str>| StatementKind::Alter {
            table: table.into(),
            renamed: renamed.map(str::to_owned),
            column: None,
        };
        let column = |old: &str, new: &str| StatementKind::Alter {
            table: "a".into(),
            renamed: None,
            column: Some((old.into(), new.into())),
        };
        let trigger =
            |table: &str, event| StatementKind::CreateTrigger { trigger: "g".into(), table: table.into(), event };
        let drop = |object: &str| StatementKind::Drop { object: object.into() };
        let cases = [
            ("SELECT 1", StatementKind::Data),
            ("", StatementKind::Data),
            (";; -- x\n COMMIT", StatementKind::Transaction),
            ("explain query plan end transaction", StatementKind::Transaction),
            ("ROLLBACK TRANSACTION TO x", StatementKind::Savepoint),
            ("ROLLBACK", StatementKind::Transaction),
            ("RELEASE x", StatementKind::Savepoint),
            ("/* */ VACUUM INTO 'x'", StatementKind::Vacuum),
            ("create table if not exists main . \"a\"\"b\" (x)", table("a\"b", false)),
            ("CREATE TEMP TABLE t AS SELECT 1", table("t", true)),
            ("CREATE VIRTUAL TABLE f USING fts5(x)", StatementKind::CreateVirtualTable { table: "f".into() }),
            ("CREATE UNIQUE INDEX [i] ON t(a)", StatementKind::CreateIndex { index: "i".into() }),
            ("CREATE VIEW v AS SELECT 1", StatementKind::CreateView { view: "v".into() }),
            ("CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END", trigger("t", TriggerEvent::Insert)),
            ("CREATE TRIGGER g INSTEAD OF DELETE ON 'v' BEGIN SELECT 1; END", trigger("v", TriggerEvent::Delete)),
            (
                "CREATE TRIGGER g UPDATE OF a, \"b\" ON t BEGIN SELECT 1; END",
                trigger("t", TriggerEvent::Update(vec!["a".into(), "b".into()])),
            ),
            ("CREATE TRIGGER g UPDATE ON t BEGIN SELECT 1; END", trigger("t", TriggerEvent::Update(vec![]))),
            ("ALTER TABLE a RENAME TO `b`", alter("a", Some("b"))),
            ("ALTER TABLE a RENAME x TO y", column("x", "y")),
            ("ALTER TABLE a RENAME COLUMN [x y] TO 'z'", column("x y", "z")),
            ("ALTER TABLE a RENAME column TO y", column("column", "y")),
            ("ALTER TABLE a RENAME COLUMN column TO \"to\"", column("column", "to")),
            ("ALTER TABLE a ADD COLUMN x", alter("a", None)),
            ("DROP TABLE IF EXISTS main.t", drop("t")),
            ("DROP VIEW v", drop("v")),
            ("DROP TRIGGER t", drop("")),
            ("DROP INDEX t", drop("")),
            ("ANALYZE t", StatementKind::Analyze),
            ("REINDEX", StatementKind::Reindex),
            ("PRAGMA table_info(t)", StatementKind::Pragma),
        ];
        for (text, kind) in cases {
            assert_eq!(read(text).kind, kind, "{text}");
        }
        for (text, temporary) in [
            ("CREATE TEMP TABLE t (x)", Some("t")),
            ("CREATE TEMPORARY TRIGGER IF NOT EXISTS g AFTER INSERT ON t BEGIN SELECT 1; END", Some("g")),
            ("CREATE TRIGGER \"Temp\" . g AFTER INSERT ON main.t BEGIN SELECT 1; END", Some("g")),
            ("EXPLAIN CREATE UNIQUE INDEX [temp].i ON t (x)", Some("i")),
            ("CREATE TABLE main.temp (x)", None),
            ("CREATE TABLE temp (x)", None),
            ("SELECT * FROM temp.t", None),
        ] {
            assert_eq!(read(text).temporary.as_deref(), temporary, "{text}");
        }
        assert!(read("EXPLAIN CREATE TABLE t (x)").explains && !read("CREATE TABLE explain (x)").explains);
        assert!(read("; EXPLAIN SELECT 1").explains_program && !read("EXPLAIN QUERY PLAN SELECT 1").explains_program);
    }

    #[test]
    fn finds_what_is_called_and_what_is_inserted() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
        let cases: [(&str, &[&str], &[&str]); 5] = [
            ("SELECT Upper(a) FROM main.\"F\"('x'), g AS h", &["upper", "f"], &[]),
            ("INSERT INTO f (f, [rank]) SELECT max(a), 1 FROM g('y')", &["max", "g"], &["f", "rank"]),
            ("INSERT INTO main.f AS g(x) VALUES (1)", &["g", "values"], &["x"]),
            ("INSERT INTO f SELECT 1", &[], &[]),
            ("INSERT INTO f VALUES (f)", &["values"], &[]),
        ];
        for (text, called, inserted) in cases {
            let told = read(text);
            assert_eq!((told.called, told.inserted), (set(called), set(inserted)), "{text}");
        }
    }

    #[test]
    fn finds_what_the_authorizer_does_not_tell() {
        let text = "WITH a AS (SELECT 1), \"B\"(x) AS (SELECT 2) INSERT OR REPLACE INTO t SELECT replace(x, 'Y', 1) \
                    FROM a NATURAL JOIN b JOIN c USING (Id, [n])";
        let statement = read(text);
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(statement.common_tables, set(&["a", "b"]));
        assert_eq!(statement.using, set(&["id", "n"]));
        assert!(statement.natural && statement.replaces);
        assert!(statement.mentions("Y") && statement.mentions("T") && !statement.mentions("z"));
        assert!(!read("SELECT replace(a, b, c) FROM t").replaces);
        let reference = |table: &str, columns: &[&str]| Reference {
            table: table.to_owned(),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        };
        assert_eq!(
            read("CREATE TABLE t (a REFERENCES \"p q\"(x, Y) ON DELETE SET NULL, b REFERENCES r)").references,
            [reference("p q", &["x", "y"]), reference("r", &[])]
        );
        assert!(read("CREATE VIRTUAL TABLE t USING fts5(a)").using.is_empty());
    }
}
