//! What would be passed over, or be something else than in another JavaScript without a word, is an error.

use insta::assert_snapshot;

use super::{fails, logs, script};

/// Logs what each of these throws.
fn thrown(expressions: &[&str]) -> Vec<String> {
    let tried: Vec<String> = expressions
        .iter()
        .map(|expression| format!("try {{ {expression}; log('taken') }} catch (error) {{ log(String(error)) }}"))
        .collect();
    logs(&tried.join("\n"))
}

#[test]
fn unknown_options_and_arguments_are_refused() {
    let cases = [
        ("db.query('SELECT 1', [], { row: 'array' })", "there is no option row: there are rows and integers"),
        ("db.query('SELECT 1', [], { rows: 'arrays' })", "the option rows is \"object\" or \"array\""),
        ("db.prepare('SELECT 1').first([], { integer: 'bigint' })", "there is no option integer"),
        ("db.query('SELECT 1', [], ['array'])", "there is no option 0"),
        ("db.query('SELECT 1').all({ rows: 'array' })", "too much is given: all(), for the query has its parameters"),
        ("db.query('SELECT 1').first([1])", "too much is given: first(), for the query has its parameters"),
        ("db.query('SELECT 1', [], {}, 1)", "too much is given: db.query(sql, [a, b], options)"),
        ("db.execute('SELECT 1', [], { rows: 'array' })", "too much is given: db.execute(sql, [a, b])"),
        ("db.executeMany('SELECT ?', [[1]], {})", "too much is given: db.executeMany(sql, [[a, b], [c, d]])"),
        ("db.prepare('SELECT ?').execute([1], [2])", "too much is given: execute([a, b])"),
    ];
    for (said, (expression, words)) in thrown(&cases.map(|(expression, _)| expression)).iter().zip(cases) {
        assert!(said.starts_with("TypeError: ") && said.contains(words), "{expression}: {said}");
    }
    let taken = ["db.query('SELECT 1', undefined, undefined)", "db.query('SELECT 1', [], { rows: undefined }).all()"];
    assert_eq!(thrown(&taken), ["taken", "taken"]);
    let transform = "// whimbrel: transform = { table = \"customer\", read = [\"id\"], write = [\"born\"] }\n";
    let typo = fails(&format!(
        "{transform}export const options = {{ row: 'array' }};\nexport const transform = () => ({{ born: 1 }});\n"
    ));
    assert!(typo.stderr.contains("there is no option row"), "{typo}");
}

#[test]
fn columns_that_a_transform_does_not_write_are_refused() {
    for (head, returned) in [
        ("table = \"customer\", read = [\"id\"], write = [\"born\"], on_error = \"skip\"", "{ born: 1, lived: 2 }"),
        ("table = \"customer\", read = [\"id\"], write = [\"text\"], into = \"other\"", "[{ text: 'a', lived: 2 }]"),
    ] {
        let project = script(
            "0002_x.js",
            &format!("// whimbrel: transform = {{ {head} }}\nexport const transform = () => ({returned});\n"),
        );
        project.write("migrations/0001_customers.sql", format!("{}CREATE TABLE other (text);", super::CUSTOMERS));
        let outcome = project.run(&["up"]);
        assert!(
            outcome.code == 1 && outcome.stderr.contains("transform returned lived, and writes no such column"),
            "{outcome}"
        );
    }
    let spread = "// whimbrel: transform = { table = \"customer\", read = [\"id\", \"full_name\"], write = [\"born\"] }\n\
                  export const transform = (row) => ({ ...row, born: row.id });\n";
    script("0002_x.js", spread).ok(&["up"]);
}

#[test]
fn what_depends_on_a_language_is_refused() {
    let refused = [
        "'a'.localeCompare('B')",
        "(1234.5).toLocaleString()",
        "10n.toLocaleString('de')",
        "[1.5].toLocaleString()",
        "new Date().toLocaleString()",
        "new Date().toLocaleDateString('en')",
        "new Date().toLocaleTimeString()",
        "'I'.toLocaleLowerCase('tr')",
        "'i'.toLocaleUpperCase(['tr'])",
    ];
    for (said, expression) in thrown(&refused).iter().zip(refused) {
        assert!(said.contains("the engine knows no languages; write "), "{expression}: {said}");
    }
    assert_eq!(
        logs("log('I'.toLocaleLowerCase() + 'i'.toLocaleUpperCase(undefined), ['a', 'b'].toLocaleString())"),
        ["iI a,b"]
    );
}

#[test]
fn texts_are_encoded_and_decoded_as_elsewhere() {
    let body = r"
const encoder = new TextEncoder();
log(encoder.encode('a\ud800b').join(), encoder.encode('\ud83d\ude00').join(), encoder.encode(12).join());
const bytes = encoder.encode('é€😀x');
for (const size of [1, 2, 3]) {
  const decoder = new TextDecoder();
  let text = '';
  for (let at = 0; at < bytes.length; at += size) text += decoder.decode(bytes.subarray(at, at + size), { stream: true });
  log(text + decoder.decode());
}
const marked = new Uint8Array([0xef, 0xbb, 0xbf, 97, 0xef, 0xbb, 0xbf]);
const length = (options) => new TextDecoder('UTF8', options).decode(marked).length;
log(length(), length({ ignoreBOM: true }));
const decoder = new TextDecoder();
log(Array.from(marked, (byte) => decoder.decode(new Uint8Array([byte]), { stream: true }).length).join());
log(decoder.decode(new Uint8Array([0xe2, 0x82]), { stream: true }).length, decoder.decode().length, decoder.decode(marked).length);
const fatal = new TextDecoder('utf-8', { fatal: true });
log(fatal.decode(new Uint8Array([0xe2, 0x82]), { stream: true }), fatal.fatal, fatal.ignoreBOM);
try { fatal.decode(); } catch (error) { log(String(error)); }";
    assert_eq!(
        logs(body),
        [
            "97,239,191,189,98 240,159,152,128 49,50",
            "é€😀x",
            "é€😀x",
            "é€😀x",
            "2 3",
            "0,0,0,1,0,0,1",
            "0 1 2",
            " true false",
            "TypeError: the bytes are no UTF-8",
        ]
    );
}

#[test]
fn the_clock_of_performance_stands_still_as_the_other_does() {
    let body = "log(performance.now(), performance.timeOrigin === Date.now(), new Map([[1, new Set([2n])]]));";
    assert_eq!(logs(body), [r#"0 true [[1,["2"]]]"#]);
}

#[test]
fn causes_are_told() {
    let caused = "export function up() {\n  try {\n    null.x;\n  } catch (cause) {\n    throw new Error('no names', { cause: new Error('no row', { cause }) });\n  }\n}\n";
    assert_snapshot!(fails(caused), @r"
    exit 1
    --- stderr
    Applied 1 customers ([time]).
    error: migration 2 x failed on its way up
      caused by: Error: no names (cause: Error: no row) (cause: TypeError: cannot read property 'x' of null)
     --> migrations/0002_x.js:5:46
      |
    5 |     throw new Error('no names', { cause: new Error('no row', { cause }) });
      |                                              ^^^^^
    note: migration 2 x was rolled back
    note: 1 migration was applied before it and stays applied
    ");
    let text = fails("export function up() { throw new Error('no', { cause: 'a word' }); }\n");
    assert!(text.stderr.contains("Error: no (cause: a word)"), "{text}");
    let object = fails("export function up() { throw { code: 7, message: 'no' }; }\n");
    assert!(object.stderr.contains(r#"threw {"code":7,"message":"no"}, which is no Error"#), "{object}");
    let itself = fails("export function up() { const error = new Error('no'); error.cause = error; throw error; }\n");
    assert!(itself.stderr.contains("(cause: Error: no)"), "{itself}");
}

#[test]
fn patterns_and_fields_have_a_place() {
    for (body, place) in [
        ("const { a } = null;", "0002_x.js:2:"),
        ("const one = 1,\n  [two] = null;", "0002_x.js:3:"),
        ("let a; ({ a } = null);", "0002_x.js:2:"),
        ("class A {\n  a = null.x;\n}\nnew A();", "0002_x.js:3:"),
        ("class A {\n  constructor(b, { a }) {}\n}\nnew A();", "0002_x.js:3:"),
        ("JSON.parse('{,');", "0002_x.js:2:"),
    ] {
        let outcome = fails(&format!("export function up() {{\n{body}\n}}\n"));
        assert!(outcome.stderr.contains(place), "{body}: {outcome}");
    }
}

#[test]
fn an_import_that_is_not_there_has_a_place() {
    let project = script("0002_x.js", "import './lib/names.js';\nexport function up() {}\n");
    project.write(
        "migrations/lib/names.js",
        "// from './none.js'\nimport { one }\n  from './none.js';\nexport { one };\n",
    );
    assert_snapshot!(project.run(&["plan"]), @r#"
    exit 1
    --- stderr
    error: migration 2 x cannot be loaded (migrations/0002_x.js)
      caused by: Error: cannot import "./none.js": there is no such file in the migrations folder
     --> migrations/lib/names.js:3:8
      |
    3 |   from './none.js';
      |        ^
    "#);
    for (text, words, place) in [
        (
            "import data from './data.json' with { type: 'json' };\n",
            "write it into \"./data.js\", after `export default`",
            "0002_x.js:1:18",
        ),
        ("import type { A } from './a.js';\nexport * from \"lodash\";\n", "is a package", "0002_x.ts:2:15"),
    ] {
        let name = if place.contains(".ts") { "0002_x.ts" } else { "0002_x.js" };
        let project = script(name, &format!("{text}export function up() {{}}\n"));
        project.write("migrations/data.json", "{}");
        let outcome = project.run(&["plan"]);
        assert!(outcome.stderr.contains(words) && outcome.stderr.contains(place), "{text}: {outcome}");
    }
    let late = fails("export async function up() {\n  await import('./none.js');\n}\n");
    assert!(late.stderr.contains("0002_x.js:2:16") && late.stderr.contains("there is no such file"), "{late}");
}
