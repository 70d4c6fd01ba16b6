// Writes packed rows.
import { appender } from "./made.js";
import { Column } from "./column.js";
import { BLOB, BOOLEAN, INTEGER, NULL, REAL, TEXT } from "./kinds.js";

const HALF = 4294967296;
/** Rows for which there is room in the beginning, unless it is told how many there will be. */
const ROOM = 16;

/** A number that is to be stored as a real although it is whole. */
export class Real {
  constructor(value) {
    this.value = value;
  }
}

/** The bits of a number that was read: it could be a NaN, which carries more than JavaScript keeps. */
export class Bits {
  constructor(low, high) {
    this.low = low;
    this.high = high;
  }
}

const real = new Float64Array(1);
const realHalves = new Uint32Array(real.buffer);

/** Builds batches row by row. */
export class BatchBuilder {
  constructor(width, room = ROOM, most = Infinity) {
    this.width = width;
    /** Rows for which there is room; more is made when they are there. */
    this.room = room;
    /** Bytes of texts and blobs, counted roughly, from which on a batch is full. */
    this.most = most;
    this.begin(Array.from({ length: width }, () => new Column(room)));
  }

  begin(columns) {
    this.columns = columns;
    this.rows = 0;
    this.bytes = 0;
    this.append = this.settle;
  }

  /**
   * Appends an array of as many values as there are columns, and tells whether the batch has become full. Is in the place
   * of `append` until the kinds of the columns are settled: making code for them takes longer than a few rows do.
   */
  settle(values) {
    if ((this.rows & (this.rows - 1)) === 0) {
      this.append = appender(this);
      return this.append(values);
    }
    for (let index = 0; index < this.width; index++) this.set(index, values[index]);
    this.rows += 1;
    return this.rows === this.room || this.bytes >= this.most;
  }

  /** Appends a row: an array with a value for each column. One that is refused leaves no trace. */
  row(values) {
    if (values.length !== this.width) throw new RangeError(`a row of ${values.length} values, and the batch has ${this.width} columns`);
    this.append(values);
    if (this.rows === this.room) this.grow();
  }

  /**
   * Sets a cell of the row that `next` ends: null, boolean, bigint, number (whole ones are integers), Real, string or
   * Uint8Array. Returns `bytes` and about how many it has beside its word.
   */
  set(index, value, bytes = this.bytes) {
    const { rows } = this;
    const column = this.columns[index];
    const { kind } = column;
    let size = 0;
    if (typeof value === "string") {
      column.set(rows, TEXT, 0, 0, value);
      size = value.length;
    } else if (value === null || value === undefined) {
      column.set(rows, NULL, 0, 0);
    } else if (Number.isInteger(value)) {
      if (!Number.isSafeInteger(value)) this.refuse(new RangeError(`${value} is not exact: give a bigint, or a Real`));
      column.set(rows, INTEGER, value, Math.floor(value / HALF));
    } else if (typeof value === "bigint") {
      if (BigInt.asIntN(64, value) !== value) this.refuse(new RangeError(`${value} does not fit into 64 bits`));
      column.set(rows, INTEGER, Number(BigInt.asUintN(32, value)), Number(BigInt.asUintN(32, value >> 32n)));
    } else if (typeof value === "number" || value instanceof Real) {
      real[0] = typeof value === "number" ? value : Number(value.value);
      column.set(rows, REAL, realHalves[0], realHalves[1]);
    } else if (typeof value === "boolean") {
      column.set(rows, BOOLEAN, value ? 1 : 0, 0);
    } else if (value instanceof Uint8Array) {
      column.set(rows, BLOB, 0, 0, value.slice());
      size = value.length;
    } else if (value instanceof Bits) {
      column.set(rows, REAL, value.low, value.high);
    } else {
      this.refuse(new TypeError(`a ${typeof value} cannot be stored`));
    }
    if (column.kind !== kind) this.append = this.settle;
    this.bytes = bytes + size;
    return this.bytes;
  }

  refuse(error) {
    for (const column of this.columns) column.forget(this.rows);
    throw error;
  }

  /** Ends a row whose cells were all set. */
  next() {
    this.rows += 1;
    if (this.rows === this.room) this.grow();
  }

  grow() {
    this.room *= 2;
    for (const column of this.columns) column.grow();
    this.append = this.settle;
  }

  /** Returns the batch; the builder starts anew. A text that cannot be stored throws an error that knows its `row`. */
  finish() {
    const { columns, rows } = this;
    try {
      for (const column of columns) column.code(rows);
      return { rows, columns: columns.map((column) => column.finish(rows)) };
    } finally {
      this.begin(columns.map(({ kind, wide }) => new Column(this.room, kind, wide)));
    }
  }
}
