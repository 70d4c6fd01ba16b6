//! Splitting by regular expressions, which the engine does in a way of its own.

use super::logs;

/// An expression with a property of its own is left to QuickJS, so both ways can be compared.
const COMPARED: &str = r#"
  const plainly = (expression) => Object.defineProperty(expression, "own", { value: 1 });
  const shown = (parts) => JSON.stringify(parts.map((part) => (part === undefined ? null : part)));
"#;

#[test]
fn it_gives_what_the_specification_says_whatever_the_expression() {
    let body = r#"
  const pick = (list) => list[Math.floor(Math.random() * list.length)];
  const atoms = ["a", "b", "\\s", "\\S", ".", "", "^", "$", "\\b", "\\B", "(a)", "(b)?", "(?:a|)", "(?=b)", "(?<=a)", "(?<!b)",
    "(?<n>[ab])", "[^a]", "\\u{1F600}", "[\\u{1F600}b]", "\\uD83D", "\\uDE00", "\\p{L}", "\\1", "/", "\\n", "A"];
  const counts = ["", "", "", "*", "+", "?", "*?", "+?", "{2}"];
  const letters = ["a", "b", " ", "A", "\n", "/", "é", "\u{1F600}", "\uD83D", "\uDE00", ",", ";", ".", "+", "1", "]", "\\", "\u2028", "\u3000", "\uFEFF", "\xA0", "ÿ", "×"];
  const all = ["", "i", "m", "s", "u", "v", "y", "g", "d", "iu", "gy", "uy", "dgimsuy", "vy", "ms"];
  // What is split without expressions, and what is nearly that.
  const plain = ["\\s", "\\s+", "[,;]", "[,;\\s]+", ",", ",+", "\\d", "[\\d.]+", "\\.", "\\+", "\\\\+", "[+]+", "[\\]]", "\u2028",
    " ", "[ \u3000]", "[,,]", "[a,]", "\\s+?", "[^,]", "[,-.]", "[]", "\\/", "[\\\\]+", "é", "\u{1F600}", "×", "[\xA0;]+", "[×\u3000]"];
  const limits = [undefined, undefined, undefined, 0, 1, 2, 3, -1, 1.5, "2", 4294967297, null];
  const text = (count, from) => Array.from({ length: Math.floor(Math.random() * count) }, () => from()).join("");
  let compared = 0;
  let matched = 0;
  while (compared < 20000) {
    const pattern = compared % 2 ? pick(plain) : text(4, () => pick(atoms) + pick(counts));
    const flags = pick(all);
    let one, other;
    try {
      one = new RegExp(pattern, flags);
      other = plainly(new RegExp(pattern, flags));
    } catch {
      continue;
    }
    const words = text(15, () => pick(letters));
    const limit = pick(limits);
    one.lastIndex = other.lastIndex = 3;
    const [parts, expected] = [words.split(one, limit), words.split(other, limit)];
    if (shown(parts) !== shown(expected) || one.lastIndex !== 3) {
      throw new Error(`${one} splits ${JSON.stringify(words)} up to ${limit}: ${shown(parts)}, not ${shown(expected)}`);
    }
    compared += 1;
    if (parts.length > 1) matched += 1;
  }
  for (let times = 0; times < 5000; times += 1) {
    const [words, separator, limit] = [text(9, () => pick(letters)), text(3, () => pick(letters)), pick(limits)];
    const expression = plainly(new RegExp(separator.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")));
    const [parts, expected] = [words.split(separator, limit), words.split(expression, limit)];
    if (shown(parts) !== shown(expected)) {
      throw new Error(`${JSON.stringify([separator, words, limit])}: ${shown(parts)}, not ${shown(expected)}`);
    }
  }
  // Long texts, and texts that are parts of others or were put together, lie elsewhere in memory.
  for (let times = 0; times < 60; times += 1) {
    const narrow = Math.random() < 0.5 ? letters.filter((letter) => letter < "\u0100") : letters;
    const long = text(40000, () => pick(narrow));
    const words = pick([long, long.slice(3, -5), long.slice(0, 9000) + long, "x" + long.slice(1).slice(2)]);
    const [pattern, limit] = [pick(plain.slice(0, -3)), pick(limits)];
    const [parts, expected] = [words.split(new RegExp(pattern), limit), words.split(plainly(new RegExp(pattern)), limit)];
    if (shown(parts) !== shown(expected)) throw new Error(`${pattern} up to ${limit}: ${parts.length}, not ${expected.length}`);
    const [separator, by] = [text(3, () => pick(narrow)), pick([";", "é", "a"])];
    const joined = separator.concat(by);
    const again = words.split(joined);
    if (again.join(joined) !== words || again.some((part) => part.includes(joined))) throw new Error(joined);
  }
  log(matched > 3000);
  log(shown("  a  b ".split(/\s+/u)), shown("a1b22c".split(/(\d)(x)?/)), shown("\u{1F600}x".split(/(?:)/u)), "\u{1F600}".split(/(?:)/).length);
"#;
    assert_eq!(
        logs(&format!("{COMPARED}{body}")),
        ["true", r#"["","a","b",""] ["a","1",null,"b","2",null,"","2",null,"c"] ["😀","x"] 2"#]
    );
}

#[test]
fn it_calls_what_a_script_has_put_in_its_place() {
    let lines = logs(
        r#"
  class Loud extends RegExp { exec(text) { log("exec"); return super.exec(text); } }
  log("ab".split(new Loud("b")).length);
  log("a1b".split(Object.defineProperty(/1/, "flags", { get() { log("flags"); return ""; } })).join());
  log("a1b".split(/1/, { valueOf() { log("limit"); return 1; } }).join());
  log(RegExp.prototype[Symbol.split].call(/1/, { toString: () => "x1y" }).join());
  const { exec } = RegExp.prototype;
  let calls = 0;
  RegExp.prototype.exec = function (text) { calls += 1; return exec.call(this, text); };
  log("a1b".split(/1/).join(), calls);
  RegExp.prototype.exec = exec;
  log("a1b".split(/1/).join(), calls);
  const { get } = Object.getOwnPropertyDescriptor(RegExp.prototype, "flags");
  log("a1b2c".split(Object.assign(/1/, { exec: () => null })).join(), "a1b".split(Object.freeze(/1/)).join());
  log("a1b2c".split(Object.setPrototypeOf(/1/, { [Symbol.split]: () => "other" })), get.call(/1/m));
  log("a1b2c".split(/1/.compile("2")).join(), `${"a1"}${"b".repeat(3)}`.split(/1/).join());
  RegExp.prototype.constructor = class extends RegExp { constructor(...all) { super(...all); log("constructor"); } };
  log("a1b".split(/1/).join());
  RegExp.prototype.constructor = RegExp;
  for (const [object, name] of [[RegExp.prototype, "sticky"], [RegExp.prototype, "flags"], [RegExp, Symbol.species]]) {
    try { Object.defineProperty(object, name, { get() { return ""; } }); } catch (error) { log(error instanceof TypeError); }
  }
  try { RegExp.prototype[Symbol.split].call(1, "a"); } catch (error) { log(error instanceof TypeError); }
  log("a1b".split({ [Symbol.split]: () => "own" }), "a1b1c".split(1).join(), String.prototype.split.call(121, "2").join());
  const own = RegExp.prototype[Symbol.split];
  RegExp.prototype[Symbol.split] = () => "replaced";
  log("a1b".split(/1/), String.prototype.split.name, String.prototype.split.length);
  RegExp.prototype[Symbol.split] = own;
  const method = Object.getOwnPropertyDescriptor(RegExp.prototype, Symbol.split);
  log(method.value.name, method.value.length, method.enumerable, method.writable, method.configurable);
"#,
    );
    let after: Vec<&str> = lines.iter().map(String::as_str).skip_while(|line| *line == "exec").collect();
    assert!(after.len() < lines.len(), "{lines:?}");
    assert_eq!(
        after,
        [
            "2",
            "flags",
            "a,b",
            "limit",
            "a",
            "x,y",
            "a,b 3",
            "a,b 3",
            "a,b2c a,b",
            "other m",
            "a1b,c a,bbb",
            "constructor",
            "a,b",
            "true",
            "true",
            "true",
            "true",
            "own a,b,c 1,1",
            "replaced split 2",
            "[Symbol.split] 2 false true true"
        ]
    );
}
