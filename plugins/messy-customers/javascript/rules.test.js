import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { transformRows } from "@whimbrel/guest";
import { mend } from "./transform.js";

const READ = ["id", "full_name", "email", "phone", "balance"];
const WRITE = ["first_name", "last_name", "email_key", "phone_key", "cents"];
const ESCAPES = { t: "\t", n: "\n", r: "\r", "\\": "\\" };
const value = (column) => (column === "\\N" ? null : column.replace(/\\(.)/g, (_, letter) => ESCAPES[letter]));

const lines = readFileSync(new URL("../cases.tsv", import.meta.url), "utf8").trimEnd().split("\n");

lines.forEach((line, index) => {
  test(`case ${index + 1}`, () => {
    const columns = line.split("\t").map(value);
    const [found] = transformRows(mend, { read: READ, write: WRITE }, [[index + 1, ...columns.slice(0, 4)]]);
    const expected = columns.slice(4);
    expected[4] = expected[4] === null ? null : BigInt(expected[4]);
    assert.deepEqual(found, expected);
  });
});

test("strict refuses what is no e-mail address", () => {
  const strict = { read: READ, write: WRITE, params: { strict: "yes" } };
  assert.throws(() => transformRows(mend, strict, [[3, null, "ada", null, null]]), {
    message: "customer 3: not an e-mail address: ada",
  });
});
