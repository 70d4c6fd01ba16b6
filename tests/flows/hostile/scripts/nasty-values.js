export function up(db) {
  db.execute("UPDATE customer SET age = 1");
  const nasty = () => new Proxy(function () {}, {
    get: (_, name) => name === Symbol.toPrimitive ? () => "1" : nasty(), has: () => true, ownKeys: () => ["length", "prototype", "x"],
    apply: () => nasty(), construct: () => nasty(), getOwnPropertyDescriptor: () => ({ configurable: true, value: 1 }),
  });
  const circle = []; circle.push(circle);
  const shrinking = [1, 2, 3]; Object.defineProperty(shrinking, 0, { get() { shrinking.length = 0; return 1; } });
  const detached = new Uint8Array(8); try { detached.buffer.transfer(); } catch {}
  const values = [nasty(), circle, shrinking, detached, { length: 2 ** 53 }, { length: -1 }, { length: NaN }, Symbol("x"), 2n ** 64n,
    "\ud800", new Date(NaN), new Uint8Array(new ArrayBuffer(8, { maxByteLength: 16 })), { get length() { throw 1; } }, () => 1];
  for (const value of values) {
    for (const attempt of [() => db.execute("SELECT ?", [value]), () => db.execute("SELECT ?", value), () => db.execute(value),
      () => db.query(value, value, value).all(), () => db.executeMany("INSERT INTO audit (text) VALUES (?)", value),
      () => db.executeMany("INSERT INTO audit (text) VALUES (?)", [[value], value]), () => db.savepoint(value), () => db.prepare(value),
      () => log(value), () => log.progress(value, value), () => new TextEncoder().encode(value), () => new TextDecoder().decode(value)]) {
      try { attempt(); } catch {}
    }
  }
  throw new Error("still here");
}
