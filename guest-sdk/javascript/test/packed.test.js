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
  const bits = Buffer.from(checked.columns[column].words.slice(row * 8, row * 8 + 8)).readBigUInt64LE();
  return { real: bits.toString(16).padStart(16, "0") };
}

test("there are vectors", () => {
  assert.ok(vectors.valid.length >= 10 && vectors.malformed.length >= 20);
});

for (const vector of vectors.valid) {
  test(`reads and writes ${vector.name}`, () => {
    const expected = batch(vector.batch);
    const checked = new CheckedBatch(expected);
    const builder = new BatchBuilder(expected.columns.length);
    const rows = vector.rows.map((cells, row) => {
      builder.row(checked.columns.map((column) => column.exact(row)));
      return cells.map((_, column) => shown(checked, row, column));
    });
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
  numbers.forEach((number) => builder.row([number]));
  const checked = new CheckedBatch(builder.finish());
  assert.deepEqual(numbers.map((_, row) => checked.cell(row, 0)), numbers.map(BigInt));
  assert.throws(() => builder.row([2 ** 53]), RangeError);
  assert.throws(() => builder.row([2n ** 63n]), RangeError);
});

test("a row has a value for each column", () => {
  const builder = new BatchBuilder(2);
  builder.row([1, "one"]);
  for (const values of [[2], [2, "two", null], []]) {
    assert.throws(() => builder.row(values), { name: "RangeError", message: `a row of ${values.length} values, and the batch has 2 columns` });
  }
  builder.row([3, "three"]);
  const checked = new CheckedBatch(builder.finish());
  assert.deepEqual([checked.rows, checked.cell(1, 0), checked.cell(1, 1)], [2, 3n, "three"]);
});

test("a text with a lone surrogate is told by its row, and the builder goes on", () => {
  const builder = new BatchBuilder(1);
  ["é", null, "\ud800"].forEach((value) => builder.row([value]));
  assert.throws(() => builder.finish(), { name: "TypeError", row: 2 });
  builder.row(["next"]);
  assert.equal(new CheckedBatch(builder.finish()).cell(0, 0), "next");
  const columns = { read: ["text"], write: ["text"], into: "other" };
  const each = (row, out) => row.text("text").split(" ").forEach((word) => out.row(word === "three" ? "\udc00" : word));
  assert.throws(() => transformRows(each, columns, [["one two"], ["three"], ["four"]]), { name: "Error", row: 1 });
});

test("texts of all lengths and alphabets come back", () => {
  const texts = ["", "a", "Ælfgifu", "\u0080\u00ff", "日本語", "🦆 and 🪿", "\0", "x".repeat(70_000), "é".repeat(5_000)];
  const withNulls = (part) => part.flatMap((text) => [null, text]);
  for (const part of [texts, texts.slice(0, 2), texts.slice(2, 6), texts.slice(2), withNulls(texts.slice(0, 2)), withNulls(texts.slice(1, 6))]) {
    const builder = new BatchBuilder(2);
    for (const text of part) {
      builder.row([text, text === null || text.length % 2 === 0 ? text : new TextEncoder().encode(text)]);
    }
    const checked = new CheckedBatch(builder.finish());
    part.forEach((text, row) => {
      assert.equal(checked.cell(row, 0), text);
      const other = checked.cell(row, 1);
      assert.equal(other instanceof Uint8Array ? new TextDecoder().decode(other) : other, text);
    });
  }
});

test("rows that are refused, nulls and changing kinds leave what they would leave alone, batch after batch", () => {
  const batches = [
    [[1, "a"], [null, null], [-2, "b"]],
    [[null, null], [null, "é"], [3, null]],
    [["text", 1.5], [4, true], [null, new Uint8Array([7])], [5n, ""]],
    [[null, null]],
    [[2 ** 40, "x*y"], [-(2 ** 40), "*"]],
    Array.from({ length: 40 }, (_, row) => [row % 3 === 0 ? null : -row, row < 20 ? null : `ü${row}`]),
  ];
  const builder = new BatchBuilder(2);
  for (const rows of batches) {
    for (const row of rows) {
      assert.throws(() => builder.row([-9, () => {}]), TypeError);
      assert.throws(() => builder.row([2n ** 64n, null]), RangeError);
      builder.row(row);
    }
    const fresh = new BatchBuilder(2);
    for (const row of rows) fresh.row(row);
    const [batch, expected] = [builder.finish(), fresh.finish()];
    assert.deepEqual(batch.columns.map(({ kind }) => kind), expected.columns.map(({ kind }) => kind));
    const checked = new CheckedBatch(batch);
    const exact = (value) => (Number.isInteger(value) ? BigInt(value) : value);
    rows.forEach((row, at) => assert.deepEqual([checked.cell(at, 0), checked.cell(at, 1)], row.map(exact)));
  }
});

test("nulls between texts take no part of them", () => {
  const builder = new BatchBuilder(1);
  const texts = Array.from({ length: 9 }, (_, row) => (row % 2 === 0 ? `é${row}` : null));
  for (const text of texts) builder.row([text]);
  const checked = new CheckedBatch(builder.finish());
  texts.forEach((text, row) => assert.equal(checked.cell(row, 0), text));
  assert.deepEqual(checked.columns[0].texts, texts.map((text) => text ?? ""));
});

test("what is missing in a row is null, whichever row it is", () => {
  const builder = new BatchBuilder(2);
  const rows = [[1, 1], [1, 1], [1.5, 1], [1, ,], [, 2], [1, undefined]];
  for (const row of rows) builder.row(row);
  const checked = new CheckedBatch(builder.finish());
  const second = rows.map((_, row) => checked.cell(row, 1));
  assert.deepEqual(second, [1n, 1n, 1n, null, 2n, null]);
});

test("texts are placed right however many rows there are", () => {
  for (const rows of [1, 15, 16, 17, 32, 50]) {
    for (const letter of ["a", "ä", "語"]) {
      const builder = new BatchBuilder(2, 64);
      const texts = Array.from({ length: rows }, (_, row) => letter.repeat(row % 7));
      const others = texts.map((text, row) => (row % 5 === 3 ? null : `${text}!`));
      texts.forEach((text, row) => builder.row([text, others[row]]));
      const checked = new CheckedBatch(builder.finish());
      assert.deepEqual(texts.map((_, row) => checked.cell(row, 0)), texts);
      assert.deepEqual(others.map((_, row) => checked.cell(row, 1)), others);
    }
  }
});
