// The packed form of rows; packed.md beside the contract is its specification. Needs no host.
import { decode, encode, validUpTo } from "./utf8.js";

export const NULL = 0;
export const INTEGER = 1;
export const REAL = 2;
export const TEXT = 3;
export const BLOB = 4;
export const BOOLEAN = 5;
export const MIXED = 255;

const MAX_ROWS = 1 << 20;
const MAX_COLUMNS = 32767;
const NOTHING = new Uint8Array(0);

const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** What is wrong with a batch, and where; null where it concerns no single column or row. */
export class MalformedBatch extends Error {
  constructor(reason, column = null, row = null) {
    super(`malformed batch${column === null ? "" : `, column ${column}`}${row === null ? "" : `, row ${row}`}: ${reason}`);
    this.name = "MalformedBatch";
    this.reason = reason;
    this.column = column;
    this.row = row;
  }
}

/** A batch whose columns were all checked. */
export class CheckedBatch {
  constructor({ rows, columns }) {
    if (rows > MAX_ROWS) throw new MalformedBatch("too-many-rows");
    if (columns.length > MAX_COLUMNS) throw new MalformedBatch("too-many-columns");
    this.rows = rows;
    this.columns = columns.map((column, index) => {
      const fault = check(column, rows);
      if (fault) throw new MalformedBatch(fault[0], index, fault[1]);
      return { ...column, view: view(column.words) };
    });
  }

  /** Returns the code of a cell's kind. */
  kind(row, column) {
    const { kind, tags } = this.columns[column];
    return tags.length === 0 ? kind : tags[row];
  }

  /** Returns a cell: null, boolean, bigint, number, string or Uint8Array. Integers are always bigint. */
  cell(row, column) {
    const { view: words, heap } = this.columns[column];
    switch (this.kind(row, column)) {
      case INTEGER:
        return words.getBigInt64(row * 8, true);
      case REAL:
        return words.getFloat64(row * 8, true);
      case BOOLEAN:
        return words.getUint8(row * 8) === 1;
      case TEXT: {
        const start = words.getUint32(row * 8, true);
        return decode(heap, start, start + words.getUint32(row * 8 + 4, true));
      }
      case BLOB: {
        const start = words.getUint32(row * 8, true);
        return heap.slice(start, start + words.getUint32(row * 8 + 4, true));
      }
      default:
        return null;
    }
  }
}

/** Returns what is wrong with a column and in which row, or nothing. */
function check({ kind, tags, words, heap }, rows) {
  const mixed = kind === MIXED;
  if (kind > BOOLEAN && !mixed) return ["unknown-kind", null];
  if (words.length !== rows * 8) return ["words-length", null];
  if (tags.length !== 0 && tags.length !== rows) return ["tags-length", null];
  if (mixed && tags.length === 0 && rows > 0) return ["tags-missing", null];
  for (let row = 0; row < tags.length; row += 1) {
    if (tags[row] > BOOLEAN) return ["unknown-tag", row];
    if (!mixed && tags[row] !== NULL && tags[row] !== kind) return ["tag-mismatch", row];
  }
  if (!mixed && kind !== TEXT && kind !== BLOB && heap.length !== 0) return ["heap-unused", null];
  if (tags.length === 0 && (kind === INTEGER || kind === REAL)) return null;
  const valid = kind === TEXT ? validUpTo(heap, 0, heap.length) : heap.length;
  const whole = valid === heap.length;
  const at = view(words);
  const cuts = (place) => place < heap.length && (heap[place] & 0xc0) === 0x80;
  let total = 0;
  for (let row = 0; row < rows; row += 1) {
    const low = at.getUint32(row * 8, true);
    const high = at.getUint32(row * 8 + 4, true);
    const code = tags.length === 0 ? kind : tags[row];
    if (code === NULL && (low !== 0 || high !== 0)) return ["null-word", row];
    if (code === BOOLEAN && (low > 1 || high !== 0)) return ["boolean-word", row];
    if (code !== TEXT && code !== BLOB) continue;
    if (low + high > heap.length) return ["heap-range", row];
    if (kind === TEXT && whole && (cuts(low) || cuts(low + high))) return ["utf8", row];
    total += high;
    if (total > heap.length) return ["heap-shared", row];
    if (mixed && code === TEXT && validUpTo(heap, low, low + high) !== low + high) return ["utf8", row];
  }
  if (whole) return null;
  for (let row = 0; row < rows; row += 1) {
    const start = at.getUint32(row * 8, true);
    if (start <= valid && valid < start + at.getUint32(row * 8 + 4, true)) return ["utf8", row];
  }
  return ["utf8", null];
}

/** Bytes that grow. */
class Bytes {
  constructor() {
    this.bytes = new Uint8Array(64);
    this.length = 0;
  }

  room(more) {
    if (this.length + more <= this.bytes.length) return;
    const larger = new Uint8Array((this.length + more) * 2);
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  push(byte) {
    if (this.length === this.bytes.length) this.room(1);
    this.bytes[this.length] = byte;
    this.length += 1;
  }

  append(bytes) {
    this.room(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  taken() {
    return this.length === 0 ? NOTHING : this.bytes.slice(0, this.length);
  }
}

class Column {
  constructor() {
    this.kind = NULL;
    this.rows = 0;
    this.tags = new Bytes();
    this.words = new Uint8Array(64 * 8);
    this.view = view(this.words);
    this.heap = new Bytes();
  }

  /** Makes room for one more word and settles kind and tags; returns where the word goes. */
  word(kind) {
    const at = this.rows * 8;
    if (at === this.words.length) {
      const larger = new Uint8Array(this.words.length * 2);
      larger.set(this.words);
      this.words = larger;
      this.view = view(larger);
    }
    if (kind !== this.kind || this.tags.length !== 0) {
      if (this.tags.length === 0) for (let row = 0; row < this.rows; row += 1) this.tags.push(this.kind);
      if (kind !== NULL && kind !== this.kind) this.kind = this.kind === NULL ? kind : MIXED;
      if (this.rows > 0) this.tags.push(kind);
    }
    this.rows += 1;
    return at;
  }
}

/** A number that is to be stored as a real although it is whole. */
export class Real {
  constructor(value) {
    this.value = value;
  }
}

/** Builds batches cell by cell. */
export class BatchBuilder {
  constructor(columns) {
    this.columns = Array.from({ length: columns }, () => new Column());
    this.bytes = 0;
  }

  /** Counts the cells of the last column. */
  get rows() {
    return this.columns.length === 0 ? 0 : this.columns[this.columns.length - 1].rows;
  }

  /** Appends a cell: null, boolean, bigint, number (whole ones are integers), Real, string or Uint8Array. */
  push(index, value) {
    const column = this.columns[index];
    if (value === null || value === undefined) {
      column.word(NULL);
    } else if (typeof value === "string") {
      const start = column.heap.length;
      if (!encode(value, column.heap)) throw new TypeError("a text with a lone surrogate cannot be stored");
      const length = column.heap.length - start;
      const at = column.word(TEXT);
      column.view.setUint32(at, start, true);
      column.view.setUint32(at + 4, length, true);
      this.bytes += length;
    } else if (typeof value === "bigint") {
      if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${value} does not fit into 64 bits`);
      const at = column.word(INTEGER);
      column.view.setBigInt64(at, value, true);
    } else if (typeof value === "number") {
      if (Number.isInteger(value)) {
        if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not exact: give a bigint, or a Real`);
        const at = column.word(INTEGER);
        const high = Math.floor(value / 4294967296);
        column.view.setUint32(at, value - high * 4294967296, true);
        column.view.setInt32(at + 4, high, true);
      } else {
        const at = column.word(REAL);
        column.view.setFloat64(at, value, true);
      }
    } else if (typeof value === "boolean") {
      const at = column.word(BOOLEAN);
      column.view.setUint32(at, value ? 1 : 0, true);
    } else if (value instanceof Real) {
      const at = column.word(REAL);
      column.view.setFloat64(at, value.value, true);
    } else if (value instanceof Uint8Array) {
      const start = column.heap.length;
      column.heap.append(value);
      const at = column.word(BLOB);
      column.view.setUint32(at, start, true);
      column.view.setUint32(at + 4, value.length, true);
      this.bytes += value.length;
    } else {
      throw new TypeError(`a ${typeof value} cannot be stored`);
    }
  }

  /** Appends a cell of a checked batch as it is. */
  copy(index, batch, row, from) {
    const kind = batch.kind(row, from);
    if (kind !== REAL) return this.push(index, batch.cell(row, from));
    // Bit for bit: a number would lose what a NaN carries.
    const column = this.columns[index];
    column.view.setBigUint64(column.word(REAL), batch.columns[from].view.getBigUint64(row * 8, true), true);
  }

  /** Returns the batch; the builder starts anew. */
  finish() {
    const rows = this.rows;
    if (this.columns.some((column) => column.rows !== rows)) throw new Error("the columns of the batch have different numbers of cells");
    const columns = this.columns.map((column) => ({
      kind: column.kind,
      tags: column.tags.taken(),
      words: column.words.slice(0, rows * 8),
      heap: column.heap.taken(),
    }));
    this.columns = this.columns.map(() => new Column());
    this.bytes = 0;
    return { rows, columns };
  }
}
