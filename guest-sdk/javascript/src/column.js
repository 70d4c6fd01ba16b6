// A column of a batch that is written. Texts are kept as they are, and coded all at once in the end: an interpreter does
// best in the engine's own functions.
import { BLOB, MIXED, NO_BYTES, NULL, TEXT } from "./kinds.js";
import { place } from "./made.js";
import { encode, encodeAll, fromBinary, isAscii } from "./text.js";

/** A column that grows row by row. */
export class Column {
  /** What is known of the batch before is told by `kind` and `wide`. */
  constructor(room, kind = NULL, wide = false) {
    /** The kind of the cells; as long as there are none but nulls, what is expected. */
    this.kind = kind === MIXED ? NULL : kind;
    /** The kinds of the cells, once there are two; those of rows to come are the column's. */
    this.tags = null;
    /** The words, the lower half first. */
    this.halves = new Uint32Array(room * 2);
    /** The texts and blobs, with an empty text for any other cell; nothing before the first of them. */
    this.cells = [];
    /** There may be characters beyond ASCII. */
    this.wide = wide;
    this.heap = NO_BYTES;
  }

  /** Sets the next cell. */
  set(row, kind, low, high, cell = "") {
    this.mark(row, kind);
    const { cells, halves } = this;
    halves[row * 2] = low;
    halves[row * 2 + 1] = high;
    if (cells.length > 0 || kind === TEXT || kind === BLOB || this.kind === TEXT) {
      while (cells.length < row) cells.push("");
      cells[row] = cell;
    }
  }

  /** Settles kind and tags. */
  mark(row, kind) {
    if (kind === this.kind && this.tags === null) return;
    if (row === 0 && kind !== NULL) {
      this.kind = kind;
      this.tags = null;
      return;
    }
    this.tags ??= new Uint8Array(this.halves.length / 2).fill(this.kind);
    if (kind !== NULL && kind !== this.kind && this.kind !== MIXED) {
      const isOnlyExpected = this.kind === NULL || !this.tags.subarray(0, row).includes(this.kind);
      this.kind = isOnlyExpected ? kind : MIXED;
      this.tags.fill(kind, row);
    }
    this.tags[row] = kind;
  }

  /** Forgets what was set for a row that did not come to be. */
  forget(row) {
    if (this.tags !== null) this.tags[row] = this.kind;
    this.halves[row * 2] = 0;
    this.halves[row * 2 + 1] = 0;
  }

  grow() {
    const { halves, tags } = this;
    this.halves = new Uint32Array(halves.length * 2);
    this.halves.set(halves);
    if (tags === null) return;
    this.tags = new Uint8Array(halves.length).fill(this.kind);
    this.tags.set(tags);
  }

  /** Codes the texts and blobs, and keeps the heap and the places of the cells in it. */
  code(rows) {
    const { cells, kind } = this;
    this.heap = NO_BYTES;
    if (this.tags !== null) this.tags = this.tags.slice(0, rows);
    if (rows === 0 || (this.tags !== null && kind !== MIXED && !this.tags.includes(kind))) {
      this.kind = NULL;
      this.tags = null;
    }
    if (this.kind === NULL || cells.length === 0) return;
    cells.length = rows;
    const coded = kind === TEXT ? this.texts() : null;
    if (coded === null) this.heap = this.pieces();
    else place(coded, this.halves, rows);
  }

  /** Returns the column as the contract has it, after it was coded. */
  finish(rows) {
    const { kind, tags, halves, heap } = this;
    // The word of a null is 0, and it was given the place of an empty text.
    if (tags !== null && kind === TEXT) for (let row = 0; row < rows; row++) if (tags[row] === NULL) halves[row * 2] = 0;
    return { kind, tags: tags ?? NO_BYTES, words: new Uint8Array(halves.buffer).slice(0, rows * 8), heap };
  }

  /** Codes a column of texts together; nothing when they have to be looked at one by one. */
  texts() {
    const { cells } = this;
    const ascii = this.wide ? null : bytesOfAscii(cells.join(""));
    if (ascii !== null) {
      this.heap = ascii;
      return cells;
    }
    const coded = encodeAll(cells);
    if (coded === null) return null;
    this.heap = fromBinary(coded.join(""));
    this.wide = !isAscii(this.heap);
    return coded;
  }

  /** Codes texts and blobs one by one. */
  pieces() {
    const { cells, halves, kind, tags } = this;
    const pieces = [];
    let start = 0;
    for (let row = 0; row < cells.length; row += 1) {
      const code = tags === null ? kind : tags[row];
      if (code !== TEXT && code !== BLOB) continue;
      const piece = code === TEXT ? utf8(cells[row], row) : cells[row];
      halves[row * 2] = start;
      halves[row * 2 + 1] = piece.length;
      start += piece.length;
      pieces.push(piece);
    }
    if (kind === TEXT) return fromBinary(pieces.join(""));
    const heap = new Uint8Array(start);
    start = 0;
    for (const piece of pieces) {
      heap.set(typeof piece === "string" ? fromBinary(piece) : piece, start);
      start += piece.length;
    }
    return heap;
  }
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

function utf8(text, row) {
  try {
    return encode(text);
  } catch {
    const error = new TypeError("a text with a lone surrogate cannot be stored");
    error.row = row;
    throw error;
  }
}
