//! Values on their way in and out of Python, to the ends of their ranges.

use insta::assert_snapshot;

use super::logs;

#[test]
fn every_kind_of_value_comes_back_as_it_went() {
    let lines = logs(
        r#"db.execute("CREATE TABLE v (v)")
for value in [None, True, False, 0, -7, 2**31, 2**53 + 1, -(2**63), 2**63 - 1, 1.5, 3.0, float("inf"), 5e-324,
              "", "a\0ü😀", b"\x01\xff", b""]:
    db.execute("DELETE FROM v")
    db.execute("INSERT INTO v VALUES (?)", [value])
    row = db.first("SELECT v, typeof(v) AS t FROM v")
    log.info(f"{row['t']} {type(row['v']).__name__} {row['v']!r}")"#,
    );
    assert_snapshot!(lines.join("\n"), @r"
    null NoneType None
    integer int 1
    integer int 0
    integer int 0
    integer int -7
    integer int 2147483648
    integer int 9007199254740993
    integer int -9223372036854775808
    integer int 9223372036854775807
    real float 1.5
    real float 3.0
    real float inf
    real float 5e-324
    text str ''
    text str 'a\x00ü😀'
    blob bytes b'\x01\xff'
    blob bytes b''
    ");
}

/// What CPython says of the same, with the edges of its rules.
#[test]
fn floats_are_rounded_as_cpython_rounds_them() {
    let cases = [
        ("2.675, 2", "2.67"),
        ("5.015, 2", "5.01"),
        ("-0.001, 2", "-0.0"),
        ("2.5, 0", "2.0"),
        ("2.5", "2"),
        ("1e300, 5", "1e+300"),
        ("1e-320, 322", "1e-320"),
        ("1.1, 400", "1.1"),
        ("float('inf'), 2", "inf"),
        ("1234567.125, -2", "1234600.0"),
        ("1250.0, -2", "1200.0"),
        ("1350.0, -2", "1400.0"),
        ("1250.0000001, -2", "1300.0"),
        ("-50.0, -2", "-0.0"),
        ("8.5e307, -308", "1e+308"),
        ("123.0, -400", "0.0"),
        ("5e15, -16", "0.0"),
        ("12345, -2", "12300"),
        ("True, 1", "1"),
        ("ndigits=1, number=0.25", "0.2"),
    ];
    let code: String = cases.iter().map(|(given, _)| format!("log.info(repr(round({given})))\n")).collect();
    assert_eq!(logs(&code), cases.map(|(_, expected)| expected));
    let code = "for given in [(1.7e308, -308), ('x', 2), (1.5, 'x'), (1.5, 1.0)]:\n    try:\n        round(*given)\n    \
                except Exception as error:\n        log.info(type(error).__name__)";
    assert_eq!(logs(code), ["OverflowError", "TypeError", "TypeError", "TypeError"]);
}

#[test]
fn what_no_column_holds_is_an_error_that_says_what_to_do() {
    let lines = logs(
        r#"from datetime import date, datetime, time, timedelta
from decimal import Decimal
for value in [2**63, -(2**63) - 1, float("nan"), Decimal("1.20"), datetime(2020, 1, 2), date(2020, 1, 2), time(1, 2),
              timedelta(days=1), {"a": 1}, [1], (1,), {1}, object, lambda x: x]:
    try:
        db.execute("UPDATE customer SET full_name = ?, born = ?", ["x", value])
    except (OverflowError, ValueError, TypeError) as error:
        log.info(type(error).__name__, error)
log.info(db.first("SELECT count(*) AS n FROM customer WHERE full_name = 'x'"))"#,
    );
    assert_snapshot!(lines.join("\n"), @r"
    OverflowError parameter 2 is an int beyond 64 bits: str(x) makes a text of it
    OverflowError parameter 2 is an int beyond 64 bits: str(x) makes a text of it
    ValueError parameter 2 is nan, which no column holds
    TypeError parameter 2 is a Decimal: say str(x), float(x), or int(x * 100)
    TypeError parameter 2 is a datetime: say x.isoformat(), or int(x.timestamp())
    TypeError parameter 2 is a date: say x.isoformat()
    TypeError parameter 2 is a time: say x.isoformat()
    TypeError parameter 2 is a timedelta: say x.total_seconds()
    TypeError parameter 2 is a dict: json.dumps(x) makes a text of it
    TypeError parameter 2 is a list: json.dumps(x) makes a text of it, bytes(x) a blob
    TypeError parameter 2 is a tuple: json.dumps(x) makes a text of it, bytes(x) a blob
    TypeError parameter 2 is a set, which no column holds
    TypeError parameter 2 is a type, which no column holds
    TypeError parameter 2 is a function or the like, which no column holds
    {'n': 0}
    ");
}

#[test]
fn what_is_called_wrongly_says_how() {
    let lines = logs(
        r#"for call in [lambda: db.execute("SELECT ?", 1), lambda: db.execute(7), lambda: db.execute("SELECT ?", []),
             lambda: db.query("SELECT 1", rows="list"), lambda: db.executemany("SELECT ?", 5),
             lambda: db.executemany("SELECT ?", [1]), lambda: db.executemany("SELECT ?", [[1], [1, 2]]),
             lambda: db.query("SELECT 1", nothing=1), lambda: db.cursor("SELECT 1").fetch(0),
             lambda: db.execute("SELECT 1", (), 3), lambda: db.nothing(), lambda: log.nothing(1)]:
    try:
        call()
        log.info("passed")
    except Exception as error:
        log.info(type(error).__name__, error)"#,
    );
    assert_snapshot!(lines.join("\n"), @r#"
    TypeError parameters are a list or a tuple, and this is an int: db.execute(sql, [a, b])
    TypeError the statement is a str: db.execute("UPDATE …", [a, b])
    RuntimeError the statement has 1 parameters, but 0 values were given
    ValueError rows is "dict" or "tuple"
    TypeError executemany takes a list of rows, and this is an int
    TypeError row 0 of executemany is an int, and no list of parameters
    TypeError row 1 of executemany has 2 parameters, and the one before has 1
    TypeError takes sql, params, rows, and `nothing` is none of them or there twice
    ValueError fetch takes how many rows, 1 or more
    TypeError takes 2: sql, params
    AttributeError 'Database' object has no attribute 'nothing'
    AttributeError log has debug, info, warn, error and progress, and no nothing
    "#);
}

#[test]
fn a_column_may_be_called_anything() {
    let lines = logs(r#"log.info(db.query('SELECT 1 AS "__class__", 2 AS "keys", 3 AS "", 4 AS a, 5 AS a'))"#);
    assert_eq!(lines, ["[{'__class__': 1, 'keys': 2, '': 3, 'a': 5}]"]);
}
