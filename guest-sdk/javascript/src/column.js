// A column of a batch that is written. Texts are kept as they are, and coded all at once in the end: an interpreter does
// best in the engine's own functions.
import { BLOB, MIXED, NO_BYTES, NULL, TEXT } from "./kinds.js";
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

  /** Returns the column as the contract has it. */
  finish(rows) {
    const { kind, cells, halves } = this;
    const words = new Uint8Array(halves.buffer);
    const tags = this.tags === null ? NO_BYTES : this.tags.slice(0, rows);
    const isNull = rows === 0 || (tags.length > 0 && kind !== MIXED && !tags.includes(kind));
    if (isNull) return { kind: NULL, tags: NO_BYTES, words: words.slice(0, rows * 8), heap: NO_BYTES };
    let heap = NO_BYTES;
    if (cells.length > 0) {
      cells.length = rows;
      heap = (kind === TEXT ? this.texts(tags) : null) ?? this.pieces(tags);
    }
    return { kind, tags, words: words.slice(0, rows * 8), heap };
  }

  /** Codes a column of texts; nothing when they have to be looked at one by one. */
  texts(tags) {
    const { halves } = this;
    let { cells } = this;
    const rows = cells.length;
    let heap = this.wide ? null : bytesOfAscii(cells.join(""));
    if (heap === null) {
      cells = encodeAll(cells);
      if (cells === null) return null;
      heap = fromBinary(cells.join(""));
      this.wide = !isAscii(heap);
    }
    let start = 0;
    for (let row = 0, at = 0; row < rows; row++) {
      halves[at++] = start;
      start += halves[at++] = cells[row].length;
    }
    // The word of a null is 0.
    for (let row = 0; row < tags.length; row++) if (tags[row] === NULL) halves[row * 2] = 0;
    return heap;
  }

  /** Codes texts and blobs one by one. */
  pieces(tags) {
    const { cells, halves, kind } = this;
    const pieces = [];
    let start = 0;
    for (let row = 0; row < cells.length; row += 1) {
      const code = tags.length > 0 ? tags[row] : kind;
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
