export async function up(db) {
  db.execute("UPDATE customer SET age = 1");
  const attempts = [
    () => import("os"), () => import("std"), () => import("qjs:os"), () => import("qjs:std"), () => import("node:fs"),
    () => import("/etc/passwd"), () => import("../../../../etc/passwd"), () => import("file:///etc/passwd"),
    () => globalThis.os.exec(["id"]), () => globalThis.std.open("/etc/passwd", "r"), () => scriptArgs[0], () => process.env,
    () => require("fs"), () => Deno.env, () => fetch("http://localhost"), () => new Worker("x"), () => setTimeout(() => {}, 0),
    () => new WebSocket("ws://localhost"), () => XMLHttpRequest(), () => WebAssembly.compile(new Uint8Array(8)),
    () => loadScript("/etc/passwd"), () => evalFile("/etc/passwd"), () => bjson.read(new ArrayBuffer(8), 0, 8),
    () => globalThis.__dirname.length, () => db.constructor.constructor("return process")().env,
  ];
  const done = [];
  for (const [number, attempt] of attempts.entries()) {
    try { await attempt(); done.push(number); } catch {}
  }
  throw new Error(`done: [${done}]`);
}
