// The codec against the vectors beside the contract.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { transformRows } from "../src/index.js";
import { BatchBuilder, CheckedBatch } from "../src/packed.js";

const vectors = JSON.parse(readFileSync(new URL("../../wit/packed-vectors.json", import.meta.url), "utf8"));
const bytes = (hex) => new Uint8Array(Buffer.from(hex, "hex"));
const batch = ({ rows, columns }) => ({
  rows,
  columns: columns.map(({ kind, tags, words, heap }) => ({ kind, tags: bytes(tags), words: bytes(words), heap: bytes(heap) })),
});

function shown(checked, row, column) {
  const cell = checked.cell(row, column);
  if (cell === null) return { null: true };
  if (typeof cell === "bigint") return { integer: String(cell) };
  if (typeof cell === "string") return { text: cell };
  if (typeof cell === "boolean") return { boolean: cell };
  if (cell instanceof Uint8Array) return { blob: Buffer.from(cell).toString("hex") };
  return { real: checked.columns[column].view.getBigUint64(row * 8, true).toString(16).padStart(16, "0") };
}

test("there are vectors", () => {
  assert.ok(vectors.valid.length >= 10 && vectors.malformed.length >= 20);
});

for (const vector of vectors.valid) {
  test(`reads and writes ${vector.name}`, () => {
    const expected = batch(vector.batch);
    const checked = new CheckedBatch(expected);
    const builder = new BatchBuilder(expected.columns.length);
    const rows = vector.rows.map((cells, row) =>
      cells.map((_, column) => {
        builder.copy(column, checked, row, column);
        return shown(checked, row, column);
      }),
    );
    assert.deepEqual(rows, vector.rows);
    if (vector.canonical) assert.deepEqual(builder.finish(), expected);
  });
}

for (const vector of vectors.malformed) {
  test(`refuses ${vector.name}`, () => {
    assert.throws(() => new CheckedBatch(batch(vector.batch)), ({ reason, column, row }) => {
      assert.deepEqual({ reason, column, row }, { reason: vector.reason, column: vector.column, row: vector.row });
      return true;
    });
  });
}

test("rows are read by name, and integers are exact", () => {
  const each = (row, out) => {
    assert.equal(row.isNull("nothing"), true);
    assert.throws(() => row.text("nothing"), { message: "column nothing: expected a text, found NULL" });
    assert.throws(() => row.text("nobody"), { message: "the query has no column nobody, only id, nothing" });
    assert.throws(() => row.integer("id"), RangeError);
    out.set("nothing", row.bigint("ID") + 1n);
  };
  const rows = transformRows(each, { read: ["id", "nothing"], write: ["id", "nothing"] }, [[9007199254740993n, null]]);
  assert.deepEqual(rows, [[9007199254740993n, 9007199254740994n]]);
});

test("numbers keep their sign and size", () => {
  const builder = new BatchBuilder(1);
  const numbers = [0, -1, 4294967296, -4294967297, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
  numbers.forEach((number) => builder.push(0, number));
  const checked = new CheckedBatch(builder.finish());
  assert.deepEqual(numbers.map((_, row) => checked.cell(row, 0)), numbers.map(BigInt));
  assert.throws(() => builder.push(0, 2 ** 53), RangeError);
  assert.throws(() => builder.push(0, 2n ** 63n), RangeError);
  assert.throws(() => builder.push(0, "\ud800"), TypeError);
});
