// Writes packed rows. What is pushed is kept as it is, and coded column by column in the end: an interpreter calls a
// function dearly, and does best in one loop over many cells.
import { BLOB, BOOLEAN, INTEGER, MIXED, NO_BYTES, NULL, REAL, TEXT } from "./kinds.js";
import { encode, fromBinary, isAscii } from "./text.js";

const HALF = 4294967296;
/** Texts are counted in the size of a batch from this length on; shorter ones do not make it large. */
const LONG = 64;

/** A number that is to be stored as a real although it is whole. */
export class Real {
  constructor(value) {
    this.value = value;
  }
}

/** The bits of a number: it could be a NaN, which carries more than JavaScript keeps. */
class Bits {
  constructor(low, high) {
    this.low = low;
    this.high = high;
  }
}

/** A column that grows. */
class Column {
  constructor(wide = false) {
    this.kind = NULL;
    this.tags = null;
    this.cells = [];
    /** The kind of all cells, or -1 when each has its own. */
    this.only = NULL;
    /** There are characters beyond ASCII, or were in the batch before. */
    this.wide = wide;
  }

  /** Adds a cell, and settles kind and tags. */
  push(kind, cell) {
    if (kind !== this.only) {
      const rows = this.cells.length;
      if (this.tags === null && rows > 0) this.tags = new Array(rows).fill(this.kind);
      if (kind !== NULL && kind !== this.kind) this.kind = this.kind === NULL ? kind : MIXED;
      if (this.tags === null) this.only = this.kind;
      else {
        this.only = -1;
        this.tags.push(kind);
      }
    }
    this.cells.push(cell);
  }

  /** Returns the column as the contract has it. */
  finish() {
    const { kind, tags } = this;
    const words = new Uint8Array(this.cells.length * 8);
    const halves = new Uint32Array(words.buffer);
    let heap = NO_BYTES;
    if (kind === TEXT) heap = this.texts(halves) ?? this.pieces(halves);
    else if (this.only === INTEGER) this.integers(halves);
    else {
      if (kind === BLOB || kind === MIXED) heap = this.pieces(halves);
      this.fixed(halves, new Float64Array(words.buffer));
    }
    return { kind, tags: tags === null ? NO_BYTES : Uint8Array.from(tags), words, heap };
  }

  kindOf(row) {
    return this.tags === null ? this.kind : this.tags[row];
  }

  /** Codes texts and nulls, which are empty where texts are joined; nothing when texts have to be looked at one by one. */
  texts(halves) {
    const given = this.cells;
    const rows = given.length;
    let cells = given;
    let heap = this.wide ? null : bytesOfAscii(cells.join(""));
    if (heap === null) {
      cells = utf8OfAll(cells);
      if (cells.length !== rows) return null;
      heap = fromBinary(cells.join(""));
      this.wide = !isAscii(heap);
    }
    const nulls = this.tags !== null;
    let start = 0;
    for (let row = 0, at = 0; row < rows; row += 1, at += 2) {
      if (nulls && given[row] === null) continue;
      const length = cells[row].length;
      halves[at] = start;
      halves[at + 1] = length;
      start += length;
    }
    return heap;
  }

  /** Codes texts and blobs one by one. */
  pieces(halves) {
    const pieces = [];
    let start = 0;
    for (let row = 0; row < this.cells.length; row += 1) {
      const kind = this.kindOf(row);
      if (kind !== TEXT && kind !== BLOB) continue;
      const piece = kind === TEXT ? utf8(this.cells[row], row) : this.cells[row];
      halves[row * 2] = start;
      halves[row * 2 + 1] = piece.length;
      start += piece.length;
      pieces.push(piece);
    }
    if (this.kind === TEXT) return fromBinary(pieces.join(""));
    const heap = new Uint8Array(start);
    start = 0;
    for (const piece of pieces) {
      heap.set(typeof piece === "string" ? fromBinary(piece) : piece, start);
      start += piece.length;
    }
    return heap;
  }

  integers(halves) {
    const { cells } = this;
    const rows = cells.length;
    for (let row = 0, at = 0; row < rows; row += 1, at += 2) {
      const cell = cells[row];
      if (typeof cell === "number" && cell >= 0 && cell <= 0xffffffff) halves[at] = cell;
      else integer(halves, at, cell);
    }
  }

  /** Codes what needs no heap, cell by cell. */
  fixed(halves, reals) {
    for (let row = 0; row < this.cells.length; row += 1) {
      const cell = this.cells[row];
      const kind = this.kindOf(row);
      if (kind === INTEGER) integer(halves, row * 2, cell);
      else if (kind === BOOLEAN) halves[row * 2] = cell ? 1 : 0;
      else if (kind === REAL && typeof cell === "number") reals[row] = cell;
      else if (kind === REAL) {
        halves[row * 2] = cell.low;
        halves[row * 2 + 1] = cell.high;
      }
    }
  }
}

function integer(halves, at, value) {
  const big = typeof value === "bigint";
  halves[at] = big ? Number(BigInt.asUintN(32, value)) : value;
  halves[at + 1] = big ? Number(BigInt.asUintN(32, value >> 32n)) : Math.floor(value / HALF);
}

/** Returns a text's bytes when each character is one. */
function bytesOfAscii(text) {
  try {
    const bytes = fromBinary(text);
    return isAscii(bytes) ? bytes : null;
  } catch {
    return null;
  }
}

/** Encodes many texts at once; gives another number of them where one holds what stands between them, or is no text. */
function utf8OfAll(texts) {
  try {
    return encode(texts.join("\0")).split("\0");
  } catch {
    return [];
  }
}

function utf8(text, row) {
  try {
    return encode(text);
  } catch {
    const error = new TypeError("a text with a lone surrogate cannot be stored");
    error.row = row;
    throw error;
  }
}

/** Builds batches cell by cell. */
export class BatchBuilder {
  constructor(columns) {
    this.columns = Array.from({ length: columns }, () => new Column());
    /** About how many bytes the long texts and the blobs have. */
    this.bytes = 0;
  }

  /** Counts the cells of the last column. */
  get rows() {
    return this.columns.length === 0 ? 0 : this.columns[this.columns.length - 1].cells.length;
  }

  /** Appends a row: an array with a value for each column. */
  row(values) {
    const { columns } = this;
    const width = columns.length;
    if (values.length !== width) throw new RangeError(`a row of ${values.length} values, and the batch has ${width} columns`);
    for (let index = 0; index < width; index += 1) {
      const value = values[index];
      const column = columns[index];
      if (typeof value === "string") {
        if (column.only === TEXT && value.length < LONG) column.cells.push(value);
        else this.push(index, value);
      } else if (typeof value === "number" && value === (value | 0) && column.only === INTEGER) {
        column.cells.push(value);
      } else {
        this.push(index, value);
      }
    }
  }

  /** Appends a cell: null, boolean, bigint, number (whole ones are integers), Real, string or Uint8Array. */
  push(index, value) {
    const column = this.columns[index];
    if (typeof value === "string") {
      column.push(TEXT, value);
      if (value.length >= LONG) this.bytes += value.length;
    } else if (value === null || value === undefined) {
      column.push(NULL, null);
    } else if (typeof value === "number") {
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new RangeError(`${value} is not exact: give a bigint, or a Real`);
      column.push(Number.isInteger(value) ? INTEGER : REAL, value);
    } else if (typeof value === "bigint") {
      if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${value} does not fit into 64 bits`);
      column.push(INTEGER, value);
    } else if (typeof value === "boolean") {
      column.push(BOOLEAN, value);
    } else if (value instanceof Real) {
      column.push(REAL, Number(value.value));
    } else if (value instanceof Uint8Array) {
      column.push(BLOB, value.slice());
      this.bytes += value.length;
    } else {
      throw new TypeError(`a ${typeof value} cannot be stored`);
    }
  }

  /** Appends a cell of a checked batch as it is. */
  copy(index, batch, row, from) {
    const column = batch.columns[from];
    if (column.kindOf(row) !== REAL) return this.push(index, column.cell(row));
    this.columns[index].push(REAL, new Bits(column.halves[row * 2], column.halves[row * 2 + 1]));
  }

  /** Returns the batch; the builder starts anew. A text that cannot be stored throws an error that knows its `row`. */
  finish() {
    const { columns, rows } = this;
    if (columns.some(({ cells }) => cells.length !== rows)) throw new Error("the columns of the batch have different numbers of cells");
    try {
      return { rows, columns: columns.map((column) => column.finish()) };
    } finally {
      this.columns = columns.map(({ wide }) => new Column(wide));
      this.bytes = 0;
    }
  }
}
