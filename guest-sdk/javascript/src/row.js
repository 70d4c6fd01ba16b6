// Rows, whose cells are read by the column's name.
import { BLOB, BOOLEAN, INTEGER, NULL, REAL, TEXT } from "./kinds.js";

const SAFE = Number.MAX_SAFE_INTEGER;
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

/** A checked batch, whose columns are found by their names. */
export class Table {
  constructor(batch, names) {
    this.batch = batch;
    this.names = names;
    this.rows = batch.rows;
    /** Columns by the names they were asked for; of those that hold nothing else, the texts and the words of integers. */
    this.found = Object.create(null);
    const texts = Object.create(null);
    const integers = Object.create(null);
    /**
     * What each row inherits from, so that it has nothing of its own but its place: an interpreter makes objects dearly, and
     * with a constructor or `Object.create` dearer still.
     */
    this.row = Object.create(Row.prototype, { table: { value: this }, texts: { value: texts }, integers: { value: integers } });
  }

  find(name) {
    const column = this.batch.columns[this.names.find(name)];
    this.found[name] = column;
    if (column.only === TEXT) this.row.texts[name] = column.all();
    if (column.only === INTEGER) this.row.integers[name] = column.halves;
    return column;
  }
}

/** One row of a table: `{ __proto__: table.row, index }`. */
export class Row {
  /** Returns the names of the columns. */
  get columns() {
    return this.table.names.names;
  }

  /** Reads any cell: null, boolean, number or bigint, string or Uint8Array. An integer is a number where that is exact. */
  get(name) {
    const column = this.column(name);
    if (column.kindOf(this.index) !== INTEGER) return column.cell(this.index);
    const number = column.number(this.index);
    return Number.isSafeInteger(number) ? number : column.bigint(this.index);
  }

  isNull(name) {
    return this.column(name).kindOf(this.index) === NULL;
  }

  /** Reads an integer that is exact as a number. */
  integer(name) {
    // An interpreter calls a function dearly, and this one and `text` are called for most cells.
    var words = this.integers[name];
    if (words !== undefined) {
      var at = this.index * 2;
      if (words[at + 1] === 0) return words[at];
    }
    const column = this.expect(this.column(name), name, "an integer", INTEGER);
    const number = column.number(this.index);
    if (number >= -SAFE && number <= SAFE) return number;
    throw new RangeError(`column ${name}: ${column.bigint(this.index)} is not exact as a number: use bigint`);
  }

  /** Reads any integer. */
  bigint(name) {
    return this.expect(this.column(name), name, "an integer", INTEGER).bigint(this.index);
  }

  /** Reads a number. */
  real(name) {
    return Number(this.expect(this.column(name), name, "a number", REAL, INTEGER).cell(this.index));
  }

  /** Reads a boolean, or an integer that is 0 or 1. */
  boolean(name) {
    const value = this.expect(this.column(name), name, "a boolean", BOOLEAN, INTEGER).cell(this.index);
    if (typeof value === "boolean") return value;
    if (value !== 0n && value !== 1n) throw new Error(`column ${name}: expected a boolean, found the integer ${value}`);
    return value === 1n;
  }

  text(name) {
    return this.texts[name]?.[this.index] ?? this.expect(this.column(name), name, "a text", TEXT).text(this.index);
  }

  /** Reads a text, or null. */
  textOrNull(name) {
    const column = this.expect(this.column(name), name, "a text", TEXT, NULL);
    return column.kindOf(this.index) === NULL ? null : column.text(this.index);
  }

  /** Reads an integer, or null. */
  bigintOrNull(name) {
    return this.expect(this.column(name), name, "an integer", INTEGER, NULL).cell(this.index);
  }

  blob(name) {
    return this.expect(this.column(name), name, "a blob", BLOB).cell(this.index);
  }

  column(name) {
    return this.table.found[name] ?? this.table.find(name);
  }

  expect(column, name, expected, kind, other = kind) {
    const found = column.kindOf(this.index);
    if (found !== kind && found !== other) throw new Error(`column ${name}: expected ${expected}, found ${NAMES[found]}`);
    return column;
  }
}
