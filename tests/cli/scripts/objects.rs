//! Plain objects made alike, and texts looked for in texts, which the engine does in ways of its own where they are simple.

use super::logs;

#[test]
fn objects_made_alike_are_as_the_specification_says() {
    let lines = logs(
        r#"
  const shown = (value) => JSON.stringify(value);
  const alike = (a, b, c) => ({ a, b, c });
  const grown = (a, b, c) => { const made = {}; made.a = a; made["b"] = b; Object.assign(made, { c }); return made; };
  for (let i = 0; i < 3; i += 1) log(shown(alike(i, "x", null)), shown(grown(i, "x", null)));
  // The same beginning, and then something else each time.
  const made = [alike(1, 2, 3), alike(4, 5, 6), { a: 7, b: 8 }, { a: 9, b: 10, d: 11 }, { b: 12, a: 13 }];
  made[0].d = 14; delete made[1].b; made[1].b = 15; Object.freeze(made[2]);
  try { made[2].c = 16; } catch (error) { log(error.message); }
  Object.defineProperty(made[3], "a", { get: () => "got" });
  log(made.map(shown).join(" "), Object.isFrozen({ a: 1, b: 2 }), shown({ a: 1, b: 2, d: 3 }));
  log(shown({ a: 1, a: 2, ["a"]: 3 }), shown({ 2: "two", 1: "one", b: 1, 0: "none" }), shown({ get a() { return 1; }, a: 2 }));
  // An object of another kind, or one that inherits from something else, is not like a plain one.
  class Pair { constructor(a, b) { this.a = a; this.b = b; } sum() { return this.a + this.b; } }
  log(new Pair(1, 2).sum(), shown(new Pair(3, 4)), { a: 1, b: 2 }.sum, { __proto__: Pair.prototype, a: 5, b: 6 }.sum());
  const bare = Object.create(null); bare.a = 1; bare.b = 2;
  log("toString" in bare, "toString" in { a: 1, b: 2 }, shown(bare));
  const moved = { a: 1, b: 2 }; Object.setPrototypeOf(moved, Pair.prototype);
  log(moved.sum(), { a: 1, b: 2 }.sum, Object.getPrototypeOf({ a: 1, b: 2 }) === Object.prototype);
  // A setter that all inherit hears of an assignment, and not of a definition.
  Object.defineProperty(Object.prototype, "late", { set(value) { log(`set ${value}`); }, configurable: true });
  const heard = { a: 1 }; heard.late = 2;
  log(Object.keys(heard).join(), Object.keys({ a: 1, late: 3 }).join());
  delete Object.prototype.late;
  heard.late = 4; log(shown(heard));
  Object.preventExtensions(heard);
  try { heard.more = 5; } catch (error) { log(error.message); }
  log(shown(Object.getOwnPropertyDescriptor({ a: 1, b: 2 }, "b")));
"#,
    );
    assert_eq!(
        lines,
        [
            r#"{"a":0,"b":"x","c":null} {"a":0,"b":"x","c":null}"#,
            r#"{"a":1,"b":"x","c":null} {"a":1,"b":"x","c":null}"#,
            r#"{"a":2,"b":"x","c":null} {"a":2,"b":"x","c":null}"#,
            "object is not extensible",
            r#"{"a":1,"b":2,"c":3,"d":14} {"a":4,"c":6,"b":15} {"a":7,"b":8} {"a":"got","b":10,"d":11} {"b":12,"a":13} false {"a":1,"b":2,"d":3}"#,
            r#"{"a":3} {"0":"none","1":"one","2":"two","b":1} {"a":2}"#,
            r#"3 {"a":3,"b":4} undefined 11"#,
            r#"false true {"a":1,"b":2}"#,
            "3 undefined true",
            "set 2",
            "a a,late",
            r#"{"a":1,"late":4}"#,
            "object is not extensible",
            r#"{"value":2,"writable":true,"enumerable":true,"configurable":true}"#,
        ]
    );
}

/// Does the same to objects and to lists of pairs.
#[test]
fn objects_keep_their_properties_whatever_is_done_to_them() {
    let lines = logs(
        r#"
  const pick = (list) => list[Math.floor(Math.random() * list.length)];
  const names = Array.from({ length: 60 }, (_, i) => `name${i}`);
  const check = (object, pairs) => {
    const keys = Object.keys(object);
    if (keys.length !== pairs.length || keys.some((key, i) => key !== pairs[i][0] || object[key] !== pairs[i][1])) {
      throw new Error(`${JSON.stringify(object)} ${JSON.stringify(pairs)}`);
    }
  };
  let objects = [];
  for (let times = 0; times < 20000; times += 1) {
    if (objects.length < 20) {
      const [a, b] = [times, String(times)];
      objects.push(pick([
        () => [{}, []],
        () => [{ name0: a }, [["name0", a]]],
        () => [{ name0: a, name1: b, name2: a }, [["name0", a], ["name1", b], ["name2", a]]],
        () => [{ name1: b, ...{ name0: a } }, [["name1", b], ["name0", a]]],
      ])());
    }
    const [object, pairs] = pick(objects);
    const name = pick(Math.random() < 0.7 ? names.slice(0, 5) : names);
    const at = pairs.findIndex(([key]) => key === name);
    const what = Math.random();
    if (what < 0.15) {
      delete object[name];
      if (at >= 0) pairs.splice(at, 1);
    } else if (what < 0.18) {
      objects = objects.filter((entry) => entry[0] !== object);
    } else {
      if (what < 0.6) object[name] = times; else Object.defineProperty(object, name, { value: times, writable: true, enumerable: true, configurable: true });
      if (at >= 0) pairs[at][1] = times; else pairs.push([name, times]);
    }
    check(object, pairs);
  }
  for (const [object, pairs] of objects) check(object, pairs);
  const map = {};
  for (let i = 0; i < 20000; i += 1) map[`key ${i}`] = i;
  log(Object.keys(map).length, map["key 19999"], objects.length > 0);
"#,
    );
    assert_eq!(lines, ["20000 19999 true"]);
}

#[test]
fn texts_are_found_as_the_specification_says() {
    let lines = logs(
        r#"
  const pick = (list) => list[Math.floor(Math.random() * list.length)];
  const letters = ["a", "b", " ", "é", "ÿ", "Σ", "\u{1F600}", "\uD83D"];
  const word = (most) => Array.from({ length: Math.floor(Math.random() * most) }, () => pick(Math.random() < 0.7 ? letters.slice(0, 4) : letters)).join("");
  const at = (text, part, place) => [...Array(part.length).keys()].every((i) => text[place + i] === part[i]);
  const first = (text, part) => { for (let i = 0; i + part.length <= text.length; i += 1) if (at(text, part, i)) return i; return -1; };
  const last = (text, part) => { for (let i = text.length - part.length; i >= 0; i -= 1) if (at(text, part, i)) return i; return -1; };
  let found = 0;
  for (let times = 0; times < 5000; times += 1) {
    const [text, part] = [word(12), word(4)];
    const [one, other] = [first(text, part), last(text, part)];
    if (text.indexOf(part) !== one || text.lastIndexOf(part) !== other) throw new Error(JSON.stringify([text, part]));
    if (one >= 0 && (text.indexOf(part, one) !== one || text.lastIndexOf(part, other) !== other)) throw new Error("from there");
    found += one >= 0;
  }
  log(found > 500, "abc".indexOf(), "undefined".indexOf(), "a1b".lastIndexOf(1), "".lastIndexOf(""), "abc".lastIndexOf("c", -5));
  log(("x".repeat(5000) + "y").lastIndexOf("y"), ("x".repeat(3000) + "y" + "x".repeat(3000)).indexOf("yx"), "abc".indexOf("", 9));
  try { String.prototype.indexOf.call(null, "x"); } catch (error) { log(error instanceof TypeError); }
"#,
    );
    assert_eq!(lines, ["true -1 0 1 0 -1", "5000 3000 3", "true"]);
}
