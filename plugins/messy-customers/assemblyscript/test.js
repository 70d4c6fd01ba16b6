// All cases, through the transform. MODULE names the module that asc made of test.ts.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const { mended } = await import(process.env.MODULE);
const ESCAPES = { t: "\t", n: "\n", r: "\r", "\\": "\\" };
const value = (column) => (column === "\\N" ? null : column.replace(/\\(.)/g, (_, letter) => ESCAPES[letter]));
const lines = readFileSync(new URL("../cases.tsv", import.meta.url), "utf8").trimEnd().split("\n");

lines.forEach((line, index) => {
  test(`case ${index + 1}`, () => {
    const columns = line.split("\t").map(value);
    assert.deepEqual(mended(index + 1, columns.slice(0, 4), false), columns.slice(4));
  });
});

test("strict refuses what is no e-mail address", () => {
  assert.deepEqual(mended(3, [null, "ada", null, null], true), ["!customer 3: not an e-mail address: ada"]);
});
