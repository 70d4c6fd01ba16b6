//! TypeScript means here what its own compiler makes of it, once the types are gone; what does not is refused.

use insta::assert_snapshot;

use super::script;

/// Runs the body of `up`, in TypeScript, and returns what it logs.
fn logs(body: &str) -> Vec<String> {
    let project = script("0002_x.ts", &format!("export function up(db: any, ctx: any): void {{\n{body}\n}}\n"));
    let json = project.ok(&["up", "--json"]).json("up");
    let lines = json["steps"][1]["logs"].as_array().or(json["logs"].as_array()).expect("logs");
    lines.iter().map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn lines_without_a_semicolon_stay_statements_when_a_type_is_taken_out() {
    let body = "
type Row = { id: number }
let said: string[] = []
const say = (what: string) => said.push(what)
let a = say as any
(() => say('call'))()
let b = [1, 2, 3] as Array<Array<number> | number>
[1].forEach((one: number) => say(`list ${one}`))
let c = 'c' satisfies string
`${say('template')}`
let d = say
type Other = Row
(() => say('alias'))()
let e = say
interface Third { id: number }
[2].forEach((two) => say(`interface ${two}`))
let f = say
declare const nowhere: Row
(() => say('declared'))()
class Fields {
  one = [1, 2] as any
  ['two'] = 2
  readonly ['three'] = [0]
  private ['zero'] = 1
  declare nothing: number
  public *letters() { yield 'a' }
  get: number = 3
  size() { return 4 }
  set: number
  last() { return 5 }
}
const fields = new Fields()
const same = say!
(fields.one.length + ' ' + (fields as any).two + fields.three.length + [...fields.letters()] + ' ' + fields.get + fields.size() + fields.last())
log(said.join(), typeof a, typeof b, c, typeof d, typeof e, typeof f, same)";
    assert_eq!(
        logs(body),
        ["call,list 1,template,alias,interface 2,declared,2 21a 345 function object c function function function 7"]
    );
}

#[test]
fn generic_calls_and_parameters_stay_in_one_piece() {
    let body = "
function first<T>
(list: T[]): T { return list[0] }
class Box<T> {
  static readonly ['of']: number = 1
  constructor(private readonly value: T,
    [other]: T[] = []) { log(String(other)) }
  get<U>
  (): T { return this.value }
}
function bound(this: any,
  [one]: number[]) { return one }
const maybe = <T,>
(value: T) => value
const box = new Box<number>
(7, [8])
log(first<number>
  ([1]), box.get<string>(), bound.call(null, [2]), maybe<number>(3), (Box as any).of)";
    assert_eq!(logs(body), ["8", "1 7 2 3 1"]);
}

#[test]
fn members_of_enums_that_are_texts_lead_nowhere_back() {
    let body = "
const outer = 'o'
enum Kind { One = 'a', Two = `b`, Three = `${outer}c`, Four = 'd' + outer, Five = Two, 'six-6' = `e`, Seven = 1 << 2, Eight, Nine = outer.length }
log(JSON.stringify(Kind))";
    assert_eq!(
        logs(body),
        [
            r#"{"1":"Nine","4":"Seven","5":"Eight","One":"a","Two":"b","Three":"oc","Four":"do","Five":"b","six-6":"e","Seven":4,"Eight":5,"Nine":1}"#
        ]
    );
}

#[test]
fn what_would_mean_something_else_without_its_types_is_refused() {
    assert_snapshot!(script("0002_x.ts", "export function up(db: any) {}\nconst rows = () => <any>{ id: 1 };\n").run(&["plan"]), @r"
    exit 1
    --- stderr
    error: migration 2 x cannot be loaded (migrations/0002_x.ts)
      caused by: SyntaxError: an object that an arrow function returns needs parentheses: write `() => ({ … }) as T`
     --> migrations/0002_x.ts:2:17
      |
    2 | const rows = () => <any>{ id: 1 };
      |                 ^
    ");
    let begins = "the value has to begin on the same line";
    for (refused, words, place) in [
        ("function a() { return <any>\n1 }", begins, "2:16"),
        ("function a() { return <{\n  id: number\n}>{ id: 1 } }", begins, "2:16"),
        ("function a() { return <\n  T,\n>(one: T) => one }", begins, "2:16"),
        ("function* a() { yield <any>\n1 }", begins, "2:17"),
        ("class A { b = this.a;\n  constructor(private a: number) {} }", "it is not set yet", "2:15"),
        ("class A { b = [this.a]; constructor(c: number, readonly a = 1) {} }", "it is not set yet", "2:16"),
    ] {
        let outcome = script("0002_x.ts", &format!("export function up(db: any) {{}}\n{refused}\n")).run(&["plan"]);
        assert!(outcome.code == 1 && outcome.stderr.contains(words), "{refused}: {outcome}");
        assert!(outcome.stderr.contains(&format!("0002_x.ts:{place}")), "{refused}: {outcome}");
    }
    for taken in [
        "const a = (): { id: number } => ({ id: 1 })",
        "const a = () => <any>({ id: 1 })",
        "function a() { return <any>{ id: 1 } }",
        "function a() { return (<{\n id: number }>{ id: 1 }) }",
        "class A { b = () => this.a; c() { return this.a } d: number; constructor(private a: number) { this.d = this.a } }",
        "class A { b = this.c; c = 1; constructor(private a: number) {} }",
    ] {
        script("0002_x.ts", &format!("export function up(db: any) {{}}\n{taken}\n")).ok(&["up"]);
    }
}

#[test]
fn places_stay_where_statements_are_kept_apart() {
    let text = "export function up(db: any) {\n  let a = db as any\n  (() => { null.x })()\n}\n";
    let outcome = script("0002_x.ts", text).run(&["up"]);
    assert!(outcome.stderr.contains("0002_x.ts:3:12"), "{outcome}");
}
