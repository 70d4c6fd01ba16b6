// The transaction, statements and savepoints.
import { ask, SqlError } from "./errors.js";
import { BatchBuilder, CheckedBatch, Real } from "./packed.js";
import { Columns, Table } from "./row.js";

/** Rows and bytes of a batch. */
const BATCH_ROWS = 2048;
const BATCH_BYTES = 1 << 20;
/** Rows fetched first: who wants only one should not wait for two thousand. */
const FIRST_ROWS = 64;

/** Makes the host's values of parameters. Integers beyond 2^53 cannot go this way: a number would be rounded. */
function values(params) {
  return params.map((value) => {
    if (value === null || value === undefined) return { tag: "null" };
    if (typeof value === "string") {
      if (!value.isWellFormed()) throw new TypeError("a text with a lone surrogate cannot be stored");
      return { tag: "text", val: value };
    }
    if (typeof value === "boolean") return { tag: "boolean", val: value };
    if (value instanceof Real) return { tag: "real", val: value.value };
    if (value instanceof Uint8Array) return { tag: "blob", val: value };
    if (typeof value === "number" && !Number.isInteger(value)) return { tag: "real", val: value };
    if (typeof value === "number" || typeof value === "bigint") {
      if (!Number.isSafeInteger(Number(value))) throw new RangeError(`${value} is not exact here: use a writer, which is`);
      return { tag: "integer", val: Number(value) };
    }
    throw new TypeError(`a ${typeof value} cannot be stored`);
  });
}

const isExact = (value) => (typeof value !== "bigint" && typeof value !== "number") || Number.isSafeInteger(Number(value)) || !Number.isInteger(Number(value));

/** The step's open transaction. It is kept when the migration returns, and undone when it throws. */
export class Transaction {
  constructor(raw) {
    this.raw = raw;
  }

  /** Runs one statement and returns the number of rows it changed. */
  execute(sql, ...params) {
    if (!params.every(isExact)) {
      const statement = this.prepare(sql);
      try {
        return statement.execute(...params);
      } finally {
        statement.close();
      }
    }
    return ask(() => this.raw.execute(sql, values(params)));
  }

  /** Runs one query; iterate over what it returns. */
  query(sql, ...params) {
    return new Rows(ask(() => this.raw.query(sql, values(params))));
  }

  /** Returns the first row of a query, or null. */
  queryRow(sql, ...params) {
    for (const row of this.query(sql, ...params)) return row;
    return null;
  }

  /** Prepares one statement to be run many times. */
  prepare(sql) {
    return new Statement(ask(() => this.raw.prepare(sql)));
  }

  /** Runs `work` inside a savepoint: what it did is kept if it returns, undone if it throws. */
  savepoint(work) {
    const raw = ask(() => this.raw.openSavepoint());
    let result;
    try {
      result = work();
    } catch (error) {
      ask(() => raw.rollback());
      raw[Symbol.dispose]();
      throw error;
    }
    ask(() => raw.release());
    raw[Symbol.dispose]();
    return result;
  }

  /** Returns the kind of database: sqlite, later others. */
  get dialect() {
    return this.raw.dialect();
  }
}

/** The rows of a query, read forward. */
export class Rows {
  constructor(raw) {
    this.raw = raw;
    this.names = new Columns(raw.columns());
  }

  /** Returns the names of the columns. */
  get columns() {
    return this.names.names;
  }

  /** Gives checked batches of about two thousand rows, the first one with less: the fast way. */
  *batches() {
    try {
      for (let rows = FIRST_ROWS; ; rows = BATCH_ROWS) {
        const batch = ask(() => this.raw.nextBatch(rows, BATCH_BYTES));
        if (batch === null || batch === undefined) return;
        yield new CheckedBatch(batch);
      }
    } finally {
      this.raw[Symbol.dispose]();
    }
  }

  *[Symbol.iterator]() {
    for (const batch of this.batches()) {
      // `var`, here and wherever something is done for each row: the engine checks a `let` or `const` whenever it is used.
      var { row, rows } = new Table(batch, this.names);
      for (var index = 0; index < rows; index++) yield { __proto__: row, index };
    }
  }
}

/** A prepared statement. */
export class Statement {
  constructor(raw) {
    this.raw = raw;
  }

  /** Runs it once and returns the number of rows it changed. For many rows, a writer is faster. */
  execute(...params) {
    if (params.every(isExact)) return ask(() => this.raw.execute(values(params)));
    const builder = new BatchBuilder(params.length);
    builder.row(params);
    return this.executeBatch(builder.finish());
  }

  /** Runs it once for every row of a batch: for all, or for none, and then the error names the row. */
  executeBatch(batch) {
    return ask(() => this.raw.executeBatch(batch));
  }

  /** Gives `work` a writer, which collects rows of parameters and sends them about two thousand at a time. */
  writer(work) {
    const writer = new Writer(this);
    work(writer);
    return writer.finish();
  }

  close() {
    this.raw[Symbol.dispose]();
  }
}

/** Collects rows for a statement; ended by `finish`. */
export class Writer {
  constructor(statement) {
    this.statement = statement;
    this.builder = null;
    /** Parameters of a row. */
    this.width = -1;
    this.changed = 0;
    this.sent = 0;
  }

  /** Adds the parameters of one run. */
  row(...params) {
    if (params.length !== this.width) {
      if (params.length === 0 && this.builder === null) {
        this.changed += this.statement.execute();
        return;
      }
      this.begin(params.length);
    }
    if (this.builder.append(params)) this.flush();
  }

  begin(width) {
    if (this.builder !== null) throw new Error(`the first row had ${this.width} parameters, this one has ${width}`);
    this.width = width;
    this.builder = new BatchBuilder(width, Math.min(BATCH_ROWS, Math.ceil(BATCH_BYTES / (8 * width))), BATCH_BYTES);
  }

  flush() {
    if (this.builder === null || this.builder.rows === 0) return;
    const batch = this.batch();
    try {
      this.changed += this.statement.executeBatch(batch);
    } catch (error) {
      if (!(error instanceof SqlError) || error.row === null || this.sent === 0) throw error;
      const { code, native, offset, details } = error;
      const message = error.message.replace(/( \([A-Z_]+\))?, row \d+ of the batch$/, "");
      throw new SqlError({ code, native, message, row: error.row + this.sent, offset, details });
    }
    this.sent += batch.rows;
  }

  batch() {
    try {
      return this.builder.finish();
    } catch (error) {
      if (error.row === undefined) throw error;
      throw new TypeError(`row ${error.row + this.sent}: ${error.message}`);
    }
  }

  /** Sends the rest and returns the number of rows changed in all. */
  finish() {
    this.flush();
    return this.changed;
  }
}
