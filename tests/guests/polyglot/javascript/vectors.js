// The codec against the vectors beside the contract, in the engine of a component.
import { BatchBuilder, CheckedBatch, log, MalformedBatch, migration } from "@whimbrel/guest";
import vectors from "../../../../guest-sdk/wit/packed-vectors.json";

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const batch = ({ rows, columns }) => ({
  rows,
  columns: columns.map(({ kind, tags, words, heap }) => ({ kind, tags: bytes(tags), words: bytes(words), heap: bytes(heap) })),
});
const written = ({ rows, columns }) => ({
  rows,
  columns: columns.map(({ kind, tags, words, heap }) => ({ kind, tags: hex(tags), words: hex(words), heap: hex(heap) })),
});

function shown(checked, row, column) {
  const cell = checked.cell(row, column);
  if (cell === null) return { null: true };
  if (typeof cell === "bigint") return { integer: String(cell) };
  if (typeof cell === "string") return { text: cell };
  if (typeof cell === "boolean") return { boolean: cell };
  if (cell instanceof Uint8Array) return { blob: hex(cell) };
  const word = checked.columns[column].words.slice(row * 8, row * 8 + 8);
  return { real: hex(word.reverse()) };
}

function same(name, found, expected) {
  if (JSON.stringify(found) === JSON.stringify(expected)) return;
  throw new Error(`${name}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
}

function refusal(malformed) {
  try {
    new CheckedBatch(batch(malformed));
  } catch (error) {
    if (error instanceof MalformedBatch) return [error.reason, error.column, error.row];
    throw error;
  }
  return null;
}

export const up = migration(() => {
  for (const { name, batch: expected, rows, canonical } of vectors.valid) {
    const checked = new CheckedBatch(batch(expected));
    const builder = new BatchBuilder(expected.columns.length);
    rows.forEach((cells, row) => {
      same(name, cells.map((_, column) => shown(checked, row, column)), cells);
      builder.row(checked.columns.map((column) => column.exact(row)));
    });
    if (canonical) same(name, written(builder.finish()), written(batch(expected)));
  }
  for (const { name, batch: malformed, reason, column, row } of vectors.malformed) {
    same(name, refusal(malformed), [reason, column, row]);
  }
  log.info(`${vectors.valid.length} valid, ${vectors.malformed.length} malformed`);
});
