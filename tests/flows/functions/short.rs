//! Calls of functions whose arguments are handed over by value, with guests that keep to the form and others that do not.

use rusqlite::Connection;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::super::guests::workspace;
use super::Stage;

/// What a library of one function, `f(a any) any`, answers.
struct Library<'l> {
    world: &'static str,
    /// What `call-short` does beside it.
    body: &'static str,
    /// Code and size of what `call-short` answers.
    head: &'static str,
    /// Its bytes.
    rest: &'static str,
    /// The result that `long-answer` gives, as it lies in memory.
    long: &'l str,
}

/// A library that does as it should: `call` answers 7, `call-short` 1.
const GOOD: Library<'_> = Library { world: "short-functions", body: "", head: "\\01", rest: "\\01", long: "" };

impl Library<'_> {
    fn component(&self, contract: &str) -> Vec<u8> {
        let Self { body, head, rest, long, .. } = self;
        let words = "i64 ".repeat(8);
        let module = format!(
            r#"(module
                (memory (export "memory") 1)
                (global $next (mut i32) (i32.const 4096))
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                    (global.get $next)
                    (global.set $next
                        (i32.and (i32.add (i32.add (global.get $next) (local.get 3)) (i32.const 7)) (i32.const -8))))
                (func (export "describe") (result i32) (i32.const 16))
                (func (export "call") (param i32 i32 i32) (result i32) (i32.const 512))
                (func (export "call-short") (param i32 {words}) (result i32) {body} (i32.const 304))
                (func (export "long-answer") (result i32) (i32.const 560))
                ;; A list of one signature, with one parameter.
                (data (i32.const 16) "\40\00\00\00\01")
                (data (i32.const 64) "\c8\00\00\00\01\00\00\00" "\c8\00\00\00\00\00\00\00" "\80\00\00\00\01\00\00\00"
                    "\00\00\00\00\00\00\00\00\00\00\00\00" "\d2\00\00\00\03\00\00\00" "\01\00")
                (data (i32.const 128) "\dc\00\00\00\01\00\00\00" "\d2\00\00\00\03\00\00\00")
                (data (i32.const 196) "\ff")
                (data (i32.const 200) "f")
                (data (i32.const 210) "any")
                (data (i32.const 220) "a")
                (data (i32.const 304) "{head}")
                (data (i32.const 312) "{rest}")
                ;; The integer 7.
                (data (i32.const 512) "\00\00\00\00\00\00\00\00" "\02\00\00\00\00\00\00\00" "\07")
                (data (i32.const 560) "{long}"))"#
        );
        let mut bytes = wat::parse_str(module).unwrap();
        let mut resolve = Resolve::default();
        let package = resolve.push_str("whimbrel.wit", contract).unwrap();
        let world = resolve.select_world(&[package], Some(self.world)).unwrap();
        embed_component_metadata(&mut bytes, &resolve, world, StringEncoding::UTF8).unwrap();
        ComponentEncoder::default().module(&bytes).unwrap().validate(true).encode().unwrap()
    }

    fn stage(&self, sql: &str) -> Stage {
        let stage = Stage::calling(sql);
        stage.write("text_tools.functions.wasm", self.component(&contract()));
        stage
    }

    /// Calls it and tells the result.
    fn result(&self, call: &str) -> String {
        let stage = self.stage(&format!("CREATE TABLE r AS SELECT {call} AS r;"));
        stage.up().unwrap_or_else(|error| panic!("{call}: {}", super::chain(&error)));
        text(&stage, "SELECT quote(r) FROM r")
    }
}

fn contract() -> String {
    std::fs::read_to_string(workspace().join("guest-sdk/wit/whimbrel.wit")).unwrap()
}

fn text(stage: &Stage, query: &str) -> String {
    Connection::open(stage.database()).unwrap().query_row(query, [], |row| row.get(0)).unwrap()
}

#[test]
fn what_fits_goes_one_way_and_what_does_not_the_other() {
    for (call, expected) in [
        ("f('x')", "1"),
        ("f(NULL)", "1"),
        ("f(printf('%61s', 'x'))", "1"),
        ("f(printf('%62s', 'x'))", "7"),
        ("f(zeroblob(61))", "1"),
        ("f(zeroblob(1000))", "7"),
    ] {
        assert_eq!(GOOD.result(call), expected, "{call}");
    }
    let older = Library { world: "functions", ..GOOD };
    assert_eq!(older.result("f('x')"), "7");
}

#[test]
fn values_of_every_length_pass_unchanged() {
    let stage = Stage::calling(
        "CREATE TABLE v AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
             SELECT substr(printf('%.*c', 300, 'é'), 1, i) AS text, zeroblob(i) AS blob FROM n;
         CREATE TABLE r AS SELECT twice(text) = text || text AND typeof(twice(text)) = 'text' AS text,
             twice(blob) = zeroblob(2 * length(blob)) AS blob FROM v;",
    );
    stage.up().unwrap_or_else(|error| panic!("{}", super::chain(&error)));
    assert_eq!(text(&stage, "SELECT sum(text) || ' ' || sum(blob) || ' ' || count(*) FROM r"), "301 301 301");
}

#[test]
fn answers_of_every_kind_are_taken() {
    for (head, rest, expected) in [
        ("\\00\\ff", "rest", "NULL"),
        ("\\01", "\\fe\\ff\\ff\\ff\\ff\\ff\\ff\\ff", "-2"),
        ("\\02", "\\00\\00\\00\\00\\00\\00\\f8\\3f", "1.5"),
        ("\\03\\02", "é rest", "'é'"),
        ("\\04\\02", "\\00\\ff", "X'00FF'"),
        ("\\05", "\\01", "1"),
    ] {
        assert_eq!(Library { head, rest, ..GOOD }.result("f(1)"), expected, "{head}");
    }
    let integer = "\\00\\00\\00\\00\\00\\00\\00\\00\\02\\00\\00\\00\\00\\00\\00\\00\\09";
    assert_eq!(Library { head: "\\ff", long: integer, ..GOOD }.result("f(1)"), "9");
}

#[test]
fn answers_that_are_none_fail_the_statement() {
    let malformed = [
        ("\\06", "", "there is no kind 6"),
        ("\\fe", "", "there is no kind 254"),
        ("\\05", "\\02", "a boolean is 2"),
        ("\\03\\39", "", "57 bytes do not fit into 56"),
        ("\\04\\ff", "", "255 bytes do not fit into 56"),
        ("\\03\\02", "a\\ff", "byte 1 of a text is not UTF-8"),
    ];
    let fails = |library: Library<'_>| library.stage("UPDATE person SET last = 'x'; SELECT f(n) FROM person;").fails();
    for (head, rest, expected) in malformed {
        let message = fails(Library { head, rest, ..GOOD });
        assert!(
            message.starts_with(&format!("the function f: its answer is malformed: {expected}")),
            "{head}: {message}"
        );
    }
    // An error in its own words, one that lies beyond the memory, one that is not UTF-8, and no case at all.
    let error = "\\01\\00\\00\\00\\00\\00\\00\\00";
    for (long, expected) in [
        (format!("{error}\\d2\\00\\00\\00\\03\\00\\00\\00"), "any"),
        (format!("{error}\\d2\\00\\00\\00\\00\\00\\00\\70"), "it trapped: "),
        (format!("{error}\\c4\\00\\00\\00\\01\\00\\00\\00"), "it trapped: "),
        ("\\07".to_owned(), "it trapped: "),
    ] {
        let message = fails(Library { head: "\\ff", long: &long, ..GOOD });
        assert!(message.starts_with(&format!("the function f: {expected}")), "{long}: {message}");
    }
}

#[test]
fn a_trap_and_a_limit_end_them() {
    let traps = Library { body: "unreachable", ..GOOD };
    let message = traps.stage("UPDATE person SET last = 'x'; SELECT f(n) FROM person;").fails();
    assert!(message.starts_with("the function f: it trapped: "), "{message}");
    let loops = Library { body: "(loop (br 0))", ..GOOD };
    for (limit, word) in [("fuel = 1_000_000", "fuel"), ("time = '1s'", "time")] {
        let stage = loops.stage("UPDATE person SET last = 'x'; SELECT f(n) FROM person;");
        stage.write("0002_call.toml", format!("[limits]\n{limit}"));
        let message = stage.fails();
        assert!(message.starts_with("the function f: ") && message.contains(word), "{limit}: {message}");
    }
}

#[test]
fn exports_of_other_types_are_refused() {
    let other = contract().replace("w7: u64 }", "w7: s64 }");
    let stage = Stage::calling("SELECT f(1);");
    stage.write("text_tools.functions.wasm", GOOD.component(&other));
    let words = super::chain(&stage.up().unwrap_err());
    assert!(words.contains("the export call-short has other types than the contract's"), "{words}");
    assert!(!stage.database().exists());
}
