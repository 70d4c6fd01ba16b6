// The codec against the vectors beside the contract. VECTORS names the module that asc made of vectors.ts.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const { check, cells, rewrite } = await import(process.env.VECTORS);
const vectors = JSON.parse(readFileSync(new URL("../../wit/packed-vectors.json", import.meta.url), "utf8"));
const text = ({ rows, columns }) =>
  [rows, ...columns.map(({ kind, tags, words, heap }) => [kind, tags, words, heap].join(","))].join("|");

test("there are vectors", () => {
  assert.ok(vectors.valid.length >= 10 && vectors.malformed.length >= 20);
});

for (const vector of vectors.valid) {
  test(`reads and writes ${vector.name}`, () => {
    const batch = text(vector.batch);
    assert.equal(check(batch), "");
    const expected = vector.rows.flat().map((cell) => Object.entries(cell)[0].join(":"));
    assert.deepEqual(cells(batch), expected);
    if (vector.canonical && vector.batch.rows > 0) assert.equal(rewrite(batch), batch);
  });
}

for (const vector of vectors.malformed) {
  test(`refuses ${vector.name}`, () => {
    assert.equal(check(text(vector.batch)), [vector.reason, vector.column ?? -1, vector.row ?? -1].join(" "));
  });
}
