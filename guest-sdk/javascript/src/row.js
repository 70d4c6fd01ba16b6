// Rows, whose cells are read by the column's name.
import { BLOB, BOOLEAN, INTEGER, NULL, REAL, TEXT } from "./packed.js";

const NAMES = ["NULL", "an integer", "a real number", "a text", "a blob", "a boolean"];

/** The names of a batch's columns. */
export class Columns {
  constructor(names) {
    this.names = names;
    this.index = new Map();
    names.forEach((name, at) => {
      if (!this.index.has(name)) this.index.set(name, at);
    });
  }

  find(name) {
    const at = this.index.get(name);
    if (at !== undefined) return at;
    const other = this.names.findIndex((column) => column.toLowerCase() === String(name).toLowerCase());
    if (other < 0) throw new Error(`the query has no column ${name}, only ${this.names.join(", ")}`);
    this.index.set(name, other);
    return other;
  }
}

/** One row of a checked batch. */
export class Row {
  constructor(batch, columns, index) {
    this.batch = batch;
    this.names = columns;
    this.index = index;
  }

  /** Returns the names of the columns. */
  get columns() {
    return this.names.names;
  }

  /** Reads any cell: null, boolean, number or bigint, string or Uint8Array. An integer is a number where that is exact. */
  get(name) {
    const value = this.batch.cell(this.index, this.names.find(name));
    return typeof value === "bigint" && value === BigInt(Number(value)) && Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  isNull(name) {
    return this.batch.kind(this.index, this.names.find(name)) === NULL;
  }

  /** Reads an integer that is exact as a number. */
  integer(name) {
    const value = this.typed(name, "an integer", INTEGER);
    if (!Number.isSafeInteger(Number(value))) throw new RangeError(`column ${name}: ${value} is not exact as a number: use bigint`);
    return Number(value);
  }

  /** Reads any integer. */
  bigint(name) {
    return this.typed(name, "an integer", INTEGER);
  }

  /** Reads a number. */
  real(name) {
    return Number(this.typed(name, "a number", REAL, INTEGER));
  }

  /** Reads a boolean, or an integer that is 0 or 1. */
  boolean(name) {
    const value = this.typed(name, "a boolean", BOOLEAN, INTEGER);
    if (typeof value === "boolean") return value;
    if (value !== 0n && value !== 1n) throw new Error(`column ${name}: expected a boolean, found the integer ${value}`);
    return value === 1n;
  }

  text(name) {
    return this.typed(name, "a text", TEXT);
  }

  /** Reads a text, or null. */
  textOrNull(name) {
    return this.typed(name, "a text", TEXT, NULL);
  }

  /** Reads an integer, or null. */
  bigintOrNull(name) {
    return this.typed(name, "an integer", INTEGER, NULL);
  }

  blob(name) {
    return this.typed(name, "a blob", BLOB);
  }

  typed(name, expected, kind, other = kind) {
    const at = this.names.find(name);
    const found = this.batch.kind(this.index, at);
    if (found !== kind && found !== other) throw new Error(`column ${name}: expected ${expected}, found ${NAMES[found]}`);
    return this.batch.cell(this.index, at);
  }
}
