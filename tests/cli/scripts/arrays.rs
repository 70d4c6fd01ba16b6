//! Arrays taken apart, put together and joined, which the engine does in a way of its own where they are simple.

use super::logs;

#[test]
fn they_are_walked_as_the_specification_says() {
    let lines = logs(
        r#"
  const shown = (value) => JSON.stringify(value);
  const [a, b = "none", ...rest] = [1];
  log(shown([a, b, rest]), shown((([, x, ...y]) => [x, y])("héllo")), shown([...[1, , 3], ...new Set([4])]));
  const growing = [1, 2];
  for (const x of growing) if (growing.length < 5) growing.push(x * 10);
  const shrinking = [1, 2, 3, 4], seen = [];
  for (const x of shrinking) { seen.push(x); if (x === 2) shrinking.length = 2; }
  log(shown(growing), shown(seen));
  const iterator = [1, 2, 3].values();
  for (const x of iterator) { log(x); break; }
  const [second, third, fourth] = iterator;
  log(second, third, fourth, shown(iterator.next()));
  const ended = [1].values();
  const [, after] = ended;
  log(after, shown(ended.next()), shown([...[7, 8].entries()]), shown([...[7, 8].keys()]));
  const late = [1].values(), list = [];
  const [x1, x2] = (function* () { for (const x of [1, 2, 3]) yield x * 2; })();
  class Sub extends Array {}
  const [s1, ...s2] = Sub.of(1, 2, 3);
  const getter = [0]; Object.defineProperty(getter, 0, { get: () => "got" });
  const own = Object.assign([1, 2], { [Symbol.iterator]: function* () { yield "own"; } });
  log(x1, x2, s1, shown(s2), s2 instanceof Sub, ...getter, ...own, ...Object.freeze(["frozen"]));
  const holes = [1, , 3];
  Array.prototype[1] = "inherited";
  const [h1, h2, ...h3] = holes;
  log(h1, h2, shown(h3), holes.join("-"), shown([...holes]));
  delete Array.prototype[1];
  let many = []; for (let i = 0; i < 1000; i += 1) many = [...many, i];
  const [zero, ...others] = many;
  log(zero, others.length, others[998], others.reduce((sum, x) => sum + x));
  try { const [z] = null; } catch (error) { log(error.message); }
  try { const [z] = 1; } catch (error) { log(error.message); }
"#,
    );
    assert_eq!(
        lines,
        [
            r#"[1,"none",[]] ["é",["l","l","o"]] [1,null,3,4]"#,
            "[1,2,10,20,100] [1,2]",
            "1",
            r#"2 3 undefined {"done":true}"#,
            r#"undefined {"done":true} [[0,7],[1,8]] [0,1]"#,
            "2 4 1 [2,3] false got own frozen",
            r#"1 inherited [3] 1-inherited-3 [1,"inherited",3]"#,
            "0 999 999 499500",
            "cannot read property 'Symbol.iterator' of null",
            "value is not iterable",
        ]
    );
}

#[test]
fn what_a_script_has_changed_is_called() {
    let lines = logs(
        r#"
  // What the script's own log is made of changes here.
  const said = [], { join } = Array.prototype;
  const say = function () {
    let line = "";
    for (let index = 0; index < arguments.length; index += 1) line += (index > 0 ? " " : "") + arguments[index];
    said[said.length] = line;
  };
  const walk = (list) => { const [first, ...rest] = list; return [first, rest.length].join(); };
  const Iterator = Object.getPrototypeOf([].values());
  const { next } = Iterator;
  for (const x of [1, 2]) {
    Iterator.next = function () { say("next"); return next.call(this); };
    say(x);
  }
  say(walk([1]));
  Iterator.next = next;
  Iterator.return = function () { say("return"); return {}; };
  for (const x of [1, 2]) break;
  const [one] = [1, 2];
  try { for (const x of [1]) throw new Error("thrown"); } catch (error) { say(error.message); }
  say(walk([1, 2]));
  delete Iterator.return;
  const values = Array.prototype[Symbol.iterator];
  Array.prototype[Symbol.iterator] = function () { say("iterator"); return values.call(this); };
  say(walk([1, 2, 3]));
  Array.prototype[Symbol.iterator] = values;
  Array.prototype.values = () => say("values");
  say(walk([1, 2, 3, 4]), join.name, join.length, values.name, values === Array.prototype[Symbol.iterator]);
  Array.prototype.join = () => "joined";
  say(["a"].join(), String(["a"]), join.call({ length: 2, 0: "x", 1: "y" }, "+"));
  Array.prototype.join = join;
  Object.setPrototypeOf(Array.prototype, { get 0() { return "far"; } });
  say(walk([,]), ...[,]);
  Object.defineProperty(Iterator, "next", { get() { say("get"); return next; } });
  for (const x of ["last"]) say(x);
  Object.defineProperty(Iterator, "next", { value: next });
  Object.setPrototypeOf(Array.prototype, Object.prototype);
  for (const line of said) log(line);
"#,
    );
    assert_eq!(
        lines,
        [
            "1",
            "2",
            "next",
            "next",
            "1,0",
            "return",
            "return",
            "return",
            "thrown",
            "1,1",
            "iterator",
            "1,2",
            "1,3 join 1 values true",
            "joined joined x+y",
            "far,0 far",
            "get",
            "last",
        ]
    );
}

#[test]
fn they_are_joined_as_the_specification_says() {
    let lines = logs(
        r#"
  const pick = (list) => list[Math.floor(Math.random() * list.length)];
  const words = ["", "a", "é", "ÿ×", "Σ", "\u{1F600}", "\uD83D", "b".repeat(2000), "é".repeat(3000).slice(1), "a" + "Σ".repeat(1500), 1, 2.5, null,
    undefined, true, 10n, ["x", ["y"]], { toString: () => "object" }];
  const separators = [" ", "", ", ", "é", "Σ", "\u{1F600}", undefined, null, 0, "-".repeat(1200)];
  const plain = (list, separator) => {
    const between = separator === undefined ? "," : String(separator);
    let joined = "";
    for (let index = 0; index < list.length; index += 1) {
      if (index > 0) joined += between;
      if (list[index] !== null && list[index] !== undefined) joined += String(list[index]);
    }
    return joined;
  };
  for (let times = 0; times < 5000; times += 1) {
    const among = Math.random() < 0.8 ? words.slice(0, 10) : words;
    const list = Array.from({ length: Math.floor(Math.random() * 5) }, () => pick(among));
    const separator = pick(separators);
    const [joined, expected] = [list.join(separator), plain(list, separator)];
    if (joined !== expected || joined.length !== expected.length) throw new Error(JSON.stringify([list, separator]));
    const keys = new Map([[joined, 1]]);
    if (keys.get(expected) !== 1 || ({ [joined]: 2 })[expected] !== 2) throw new Error("another key");
  }
  log([].join(" ") === "", ["a"].join({ toString() { log("converted"); return ""; } }), ["1", 2n ** 2n > 3n].toLocaleString());
  try { ["a", Symbol()].join(" "); } catch (error) { log(error instanceof TypeError); }
  try { Array(2).fill("x".repeat(2 ** 20)).join("y".repeat(2 ** 20)); log("long"); } catch (error) { log(error.name); }
"#,
    );
    assert_eq!(lines, ["converted", "true a 1,true", "true", "long"]);
}
