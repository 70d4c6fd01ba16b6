//! Values on their way in and out, to the ends of their ranges.

use insta::assert_snapshot;

use super::{fails, logs};

#[test]
fn every_kind_of_value_comes_back_as_it_went() {
    let lines = logs(
        r#"
  db.execute("CREATE TABLE v (v)");
  const there = (value) => {
    db.execute("DELETE FROM v");
    db.execute("INSERT INTO v VALUES (?)", [value]);
    const { v, t } = db.query("SELECT v, typeof(v) AS t FROM v").first();
    return `${t} ${typeof v} ${v instanceof Uint8Array ? `[${v}]` : String(v)}`;
  };
  for (const value of [null, true, false, 0, -7, 2 ** 31, -(2 ** 53 - 1), 1.5, -0.0, Infinity, 5e-324, 9007199254740993n,
    -(2n ** 63n), 2n ** 63n - 1n, 12n, "", "a\0ü😀", new Uint8Array([1, 255]), new Uint8Array(), new Uint8Array([9, 8, 7]).subarray(1),
    new Uint8Array([3]).buffer, db.real(3), real(-2.5)]) log(there(value));
"#,
    );
    let expected = [
        "null object null",
        "integer number 1",
        "integer number 0",
        "integer number 0",
        "integer number -7",
        "integer number 2147483648",
        "integer number -9007199254740991",
        "real number 1.5",
        "integer number 0",
        "real number Infinity",
        "real number 5e-324",
        "integer bigint 9007199254740993",
        "integer bigint -9223372036854775808",
        "integer bigint 9223372036854775807",
        "integer number 12",
        "text string ",
        "text string a\0ü😀",
        "blob object [1,255]",
        "blob object []",
        "blob object [8,7]",
        "blob object [3]",
        "real number 3",
        "real number -2.5",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn integers_are_bigint_by_option() {
    let lines = logs(
        r#"
  log(typeof db.query("SELECT 1 AS a", [], { integers: "bigint" }).first().a, typeof db.query("SELECT 1.0 AS a", [], { integers: "bigint" }).first().a);
  log(typeof db.query("SELECT 9007199254740991 AS a").first().a, typeof db.query("SELECT 9007199254740992 AS a").first().a);
"#,
    );
    assert_eq!(lines, ["bigint number", "number bigint"]);
}

#[test]
fn a_column_may_be_called_anything() {
    let lines = logs(
        r#"
  const row = db.query('SELECT 1 AS "__proto__", 2 AS "constructor", 3 AS "hasOwnProperty", 4 AS "0", 5 AS ""').first();
  log(JSON.stringify(Object.entries(row)), row.__proto__, row.constructor, Object.getPrototypeOf(row) === Object.prototype);
"#,
    );
    assert_eq!(lines, [r#"[["0",4],["__proto__",1],["constructor",2],["hasOwnProperty",3],["",5]] 1 2 true"#]);
}

#[test]
fn texts_of_all_letters_and_lengths_come_back_as_they_went() {
    let lines = logs(
        r#"
  const ranges = [[0x20, 0x7E], [0xA0, 0xFF], [0x100, 0x7FF], [0x800, 0xD7FF], [0xE000, 0xFFFF], [0x10000, 0x10FFFF]];
  const pick = (count) => Math.floor(Math.random() * count);
  const letter = (among) => {
    const [first, last] = ranges[pick(among)];
    return String.fromCodePoint(first + pick(last - first + 1));
  };
  const hex = (text) => Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, "0")).join("").toUpperCase();
  const ask = db.prepare("SELECT ?1 AS text, hex(?1) AS bytes, length(?1) AS letters");
  for (let times = 0; times < 3000; times += 1) {
    const among = 1 + pick(6);
    const letters = Array.from({ length: pick(40) }, () => letter(among));
    const text = times % 9 === 0 ? letters.reduce((text, letter) => text + letter, "") : letters.join("");
    const { text: back, bytes, letters: count } = ask.first([text]);
    const same = back === text && back.length === text.length && new Map([[back, 1]]).get(text) === 1;
    if (!same || bytes !== hex(text) || count !== letters.length) throw new Error(JSON.stringify([text, back, bytes]));
  }
  const bytes = Uint8Array.from({ length: 80 }, (_, index) => index + 1);
  for (let start = 0; start < 12; start += 1) {
    for (let count = 0; count < 40; count += 1) {
      const copy = bytes.slice(start, start + count), room = new Uint8Array(64);
      room.set(copy, 9);
      const good = copy.every((byte, index) => byte === start + index + 1 && room[index + 9] === byte);
      if (!good || copy.length !== count || room[8] !== 0 || room[9 + count] !== 0) throw new Error(`${start} ${count}`);
    }
  }
  const text = "x".repeat(5000) + "é".repeat(5000) + "\u{1F600}".repeat(3000);
  log(ask.first([text]).text === text, ask.first([""]).text === "");
  try { ask.first(["a\uD83D"]); } catch (error) { log(error.message); }
  try { ask.first(["\uDE00b"]); } catch (error) { log(error.message); }
"#,
    );
    let refused = "parameter 1 has half of a surrogate pair, which is no text";
    assert_eq!(lines, ["true true", refused, refused]);
}

#[test]
fn what_a_script_does_to_a_row_is_not_seen_in_the_next() {
    let lines = logs(
        r#"
  const numbers = "WITH n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i, 'é' || i AS \"10\", NULL AS c FROM n";
  const seen = [];
  for (const row of db.query(numbers)) {
    seen.push(JSON.stringify(row));
    if (row.i === 1) Object.freeze(row);
    if (row.i === 2) row.more = true;
    if (row.i === 3) { delete row.i; row.c = 1; }
    if (row.i === 4) Object.setPrototypeOf(row, Array.prototype);
  }
  log(seen.join(" "));
  const [first, ...rest] = db.query("SELECT 1 AS a, 'x' AS b UNION SELECT 2, 'y'", [], { rows: "array" });
  first.push(3);
  log(JSON.stringify([first, rest, rest[0].length, Array.isArray(first)]));
  db.execute("CREATE TABLE kept (a, b)");
  const hole = [1]; hole.length = 2;
  try { db.execute("INSERT INTO kept VALUES (?, ?)", hole); } catch (error) { log(error.message); }
  db.execute("INSERT INTO kept VALUES (?, ?)", Object.assign([1, 2], { name: "x" }));
  const odd = [3]; Object.defineProperty(odd, 1, { get: () => "got" });
  db.execute("INSERT INTO kept VALUES (?, ?)", odd);
  class Sub extends Array {}
  db.executeMany("INSERT INTO kept VALUES (?, ?)", [odd, Sub.of(5, "ÿ".repeat(3)), ["a" + "b".repeat(9000), "\u{1F600}".repeat(2)].map((x) => x + "!")]);
  log(JSON.stringify(db.query("SELECT a, b FROM kept").all().map(({ a, b }) => [String(a).length, b])));
"#,
    );
    assert_eq!(
        lines,
        [
            r#"{"10":"é1","i":1,"c":null} {"10":"é2","i":2,"c":null} {"10":"é3","i":3,"c":null} {"10":"é4","i":4,"c":null} {"10":"é5","i":5,"c":null}"#,
            r#"[[1,"x",3],[[2,"y"]],2,true]"#,
            "parameter 2 is undefined: write null for NULL",
            r#"[[1,2],[1,"got"],[1,"got"],[1,"ÿÿÿ"],[9002,"😀😀!"]]"#,
        ]
    );
}

#[test]
fn what_no_column_holds_is_an_error_that_says_what_to_do() {
    for (value, words) in [
        ("undefined", "parameter 2 is undefined: write null for NULL"),
        ("NaN", "parameter 2 is NaN"),
        ("2 ** 53", "use a BigInt, or real(x)"),
        ("2n ** 63n", "parameter 2 is 9223372036854775808n, which is beyond 64 bits"),
        ("'\\ud800'", "half of a surrogate pair"),
        ("{ a: 1 }", "JSON.stringify"),
        ("[1]", "JSON.stringify"),
        ("new Date()", "date.toISOString() or date.getTime()"),
        ("Symbol()", "is a symbol"),
        ("() => 1", "is a function"),
        ("Promise.resolve(1)", "await it first"),
        ("new Float64Array(1)", "is no Uint8Array: new Uint8Array(x.buffer"),
    ] {
        let text = format!(
            "export function up(db) {{\n  db.execute('UPDATE customer SET full_name = ?, born = ?', ['x', {value}]);\n}}\n"
        );
        let outcome = fails(&text);
        assert!(outcome.stderr.contains(words), "{value}: {outcome}");
    }
    for (code, words) in [
        ("db.execute('SELECT ?', 1)", "parameters are an array"),
        ("db.execute(7)", "the statement is a text"),
        ("db.execute('SELECT ?', [])", "parameter"),
        ("db.query('SELECT 1', [], { rows: 'list' })", "\"object\" or \"array\""),
        ("db.real('1')", "real takes a number"),
        ("db.executeMany('SELECT ?', [1])", "row 0 of executeMany is no array"),
        ("db.executeMany('SELECT ?', [[1], [1, 2]])", "row 1 of executeMany has 2 parameters"),
        ("db.query.call({}, 'SELECT 1').next.call({})", "is not the cursor of a query"),
    ] {
        let outcome = fails(&format!("export function up(db) {{\n  {code};\n}}\n"));
        assert!(outcome.stderr.contains(words), "{code}: {outcome}");
    }
}

#[test]
fn bytes_are_those_that_a_script_sees_now() {
    let lines = logs(
        r#"
  const ask = db.prepare("SELECT hex(?) AS bytes");
  const there = (...values) => {
    for (const value of values) try { log(ask.first([value]).bytes); } catch (error) { log(error.message); }
  };
  const buffer = new ArrayBuffer(4, { maxByteLength: 64 });
  const following = new Uint8Array(buffer), rest = new Uint8Array(buffer, 2), fixed = new Uint8Array(buffer, 2, 2);
  following.set([1, 2, 3, 4]);
  buffer.resize(6);
  there(following, rest, fixed, buffer);
  buffer.resize(3);
  there(following, rest, fixed, buffer);
  buffer.resize(1);
  there(following, rest);
  const gone = Uint8Array.of(1, 2), emptied = gone.buffer;
  emptied.transfer();
  there(gone, emptied);
  try { new TextDecoder().decode(gone); } catch (error) { log(error.message); }
  try { db.executeMany("SELECT ?", [[1], [gone]]); } catch (error) { log(error.message); }
  there(Int16Array.of(1));
"#,
    );
    assert_snapshot!(lines.join("\n"), @"
    010203040000
    03040000
    0304
    010203040000
    010203
    03
    parameter 1 has lost its bytes: the buffer was transferred, or made shorter than what is seen of it
    010203
    01
    parameter 1 has lost its bytes: the buffer was transferred, or made shorter than what is seen of it
    parameter 1 has lost its bytes: the buffer was transferred, or made shorter than what is seen of it
    parameter 1 has lost its bytes: the buffer was transferred, or made shorter than what is seen of it
    what TextDecoder is given has lost its bytes: the buffer was transferred, or made shorter than what is seen of it
    parameter 1 of row 1 has lost its bytes: the buffer was transferred, or made shorter than what is seen of it
    parameter 1 is no Uint8Array: new Uint8Array(x.buffer, x.byteOffset, x.byteLength) makes a blob of it
    ");
}
