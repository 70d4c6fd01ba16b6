import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { transformRows } from "@whimbrel/guest";
import { mend } from "./transform.ts";

const READ = ["id", "full_name", "email", "phone", "balance"];
const WRITE = ["first_name", "last_name", "email_key", "phone_key", "cents"];
const ESCAPES = new Map([["t", "\t"], ["n", "\n"], ["r", "\r"]]);

function value(column: string): string | null {
  return column === "\\N" ? null : column.replace(/\\(.)/g, (_, letter: string) => ESCAPES.get(letter) ?? letter);
}

test("every case", () => {
  // The path is from the folder that the tests are started in: this file runs bundled.
  const lines = readFileSync("../cases.tsv", "utf8").trimEnd().split("\n");
  assert.ok(lines.length > 10);
  lines.forEach((line, index) => {
    const columns = line.split("\t").map(value);
    const [found] = transformRows(mend, { read: READ, write: WRITE }, [[index + 1, ...columns.slice(0, 4)]]);
    const cents = columns[8] ?? null;
    assert.deepEqual(found, [...columns.slice(4, 8), cents === null ? null : BigInt(cents)], `case ${index + 1}`);
  });
});
