// Reads packed rows: checks a batch as a whole, and gives its cells.
import { Bits } from "./builder.js";
import { BLOB, BOOLEAN, halves, INTEGER, MIXED, NULL, REAL, TEXT } from "./kinds.js";
import { decode, decodeAll, isAscii, toBinary, validUpTo } from "./text.js";

const MAX_ROWS = 1 << 20;
const MAX_COLUMNS = 32767;
const HALF = 4294967296;

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
      const checked = new CheckedColumn(column);
      const fault = checked.fault(rows);
      if (fault) throw new MalformedBatch(fault[0], index, fault[1]);
      return checked;
    });
  }

  /** Returns the code of a cell's kind. */
  kind(row, column) {
    return this.columns[column].kindOf(row);
  }

  /** Returns a cell: null, boolean, bigint, number, string or Uint8Array. Integers are always bigint. */
  cell(row, column) {
    return this.columns[column].cell(row);
  }
}

/** One column of a checked batch. */
class CheckedColumn {
  constructor({ kind, tags, words, heap }) {
    this.kind = kind;
    this.tags = tags;
    this.words = words;
    this.heap = heap;
    this.halves = halves(words);
    this.integers = null;
    this.reals = null;
    /** The kind of all cells, or -1 when each has its own. */
    this.only = tags.length === 0 ? kind : -1;
    /** The heap as a binary text, when there are texts in it. */
    this.binary = "";
    /** Each byte of the heap is a character. */
    this.ascii = true;
    /** The texts, where all were decoded at once. */
    this.texts = null;
  }

  kindOf(row) {
    return this.only < 0 ? this.tags[row] : this.kind;
  }

  cell(row) {
    switch (this.kindOf(row)) {
      case INTEGER:
        return this.bigint(row);
      case REAL:
        return this.real(row);
      case BOOLEAN:
        return this.halves[row * 2] === 1;
      case TEXT:
        return this.text(row);
      case BLOB: {
        const start = this.halves[row * 2];
        return this.heap.slice(start, start + this.halves[row * 2 + 1]);
      }
      default:
        return null;
    }
  }

  /** Returns a cell as a builder takes it to write the same. */
  exact(row) {
    return this.kindOf(row) === REAL ? new Bits(this.halves[row * 2], this.halves[row * 2 + 1]) : this.cell(row);
  }

  /** Returns an integer as a number: beyond 2^53 it is rounded, and no safe integer. */
  number(row) {
    return (this.halves[row * 2 + 1] | 0) * HALF + this.halves[row * 2];
  }

  bigint(row) {
    this.integers ??= new BigInt64Array(this.halves.buffer, this.halves.byteOffset, this.halves.length / 2);
    return this.integers[row];
  }

  real(row) {
    this.reals ??= new Float64Array(this.halves.buffer, this.halves.byteOffset, this.halves.length / 2);
    return this.reals[row];
  }

  /** Returns the texts of a column of nothing else. */
  all() {
    if (this.texts !== null) return this.texts;
    var { ascii, binary, halves } = this;
    var texts = [];
    for (var at = 0; at < halves.length; at += 2) {
      var text = binary.slice(halves[at], halves[at] + halves[at + 1]);
      texts.push(ascii ? text : decode(text));
    }
    this.texts = texts;
    return texts;
  }

  text(row) {
    if (this.texts !== null) return this.texts[row];
    const start = this.halves[row * 2];
    const binary = this.binary.slice(start, start + this.halves[row * 2 + 1]);
    return this.ascii ? binary : decode(binary);
  }

  /** Returns what is wrong and in which row, or nothing. */
  fault(rows) {
    const { kind, tags, words, heap, halves } = this;
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
    this.readHeap();
    if (this.only === TEXT && this.ascii) return places(halves, heap.length);
    if (kind === TEXT && !this.ascii) this.texts = inOrder(this.binary, halves, tags);
    if (this.texts !== null) return null;
    const whole = kind !== TEXT || this.ascii || validUpTo(heap) === heap.length;
    let total = 0;
    for (let row = 0; row < rows; row += 1) {
      const low = halves[row * 2];
      const high = halves[row * 2 + 1];
      const code = tags.length === 0 ? kind : tags[row];
      if (code === NULL && (low !== 0 || high !== 0)) return ["null-word", row];
      if (code === BOOLEAN && (low > 1 || high !== 0)) return ["boolean-word", row];
      if (code !== TEXT && code !== BLOB) continue;
      if (low + high > heap.length) return ["heap-range", row];
      if (kind === TEXT && whole && (cuts(heap, low) || cuts(heap, low + high))) return ["utf8", row];
      total += high;
      if (total > heap.length) return ["heap-shared", row];
      if (mixed && code === TEXT && !this.decodes(row)) return ["utf8", row];
    }
    return whole ? null : this.notUtf8(rows);
  }

  readHeap() {
    if (this.heap.length === 0 || (this.kind !== TEXT && this.kind !== MIXED)) return;
    this.binary = toBinary(this.heap);
    this.ascii = isAscii(this.heap);
  }

  decodes(row) {
    try {
      this.text(row);
      return true;
    } catch {
      return false;
    }
  }

  /** Finds the row that holds what is no UTF-8. */
  notUtf8(rows) {
    const valid = validUpTo(this.heap);
    for (let row = 0; row < rows; row += 1) {
      const start = this.halves[row * 2];
      if (start <= valid && valid < start + this.halves[row * 2 + 1]) return ["utf8", row];
    }
    return ["utf8", null];
  }
}

/** Tells whether a place lies inside a character. */
function cuts(heap, place) {
  return (heap[place] & 0xc0) === 0x80;
}

/**
 * Returns the texts of a heap in which they lie one after the other, as writers put them, decoded in one go: then each one
 * is UTF-8 by itself. Null when they lie otherwise, or something is wrong.
 */
function inOrder(binary, halves, tags) {
  var rows = halves.length / 2;
  var nulls = tags.length > 0;
  var parts = [];
  var next = 0;
  for (var row = 0, at = 0; row < rows; row++) {
    var start = halves[at++];
    var length = halves[at++];
    if (nulls && tags[row] === NULL) {
      if (start !== 0 || length !== 0) return null;
    } else if (start !== next) return null;
    // From where the last one ended: nulls, which begin at 0, have nothing.
    parts[row] = binary.slice(next, (next += length));
  }
  return next === binary.length ? decodeAll(parts) : null;
}

/** Checks where the texts of an ASCII heap lie. */
function places(halves, size) {
  var end = halves.length;
  var total = 0;
  for (var at = 0; at < end; at += 2) {
    var length = halves[at + 1];
    total += length;
    if (halves[at] + length > size) return ["heap-range", at / 2];
    if (total > size) return ["heap-shared", at / 2];
  }
  return null;
}
