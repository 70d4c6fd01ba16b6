// Pure functions from rows to rows. Needs no host.
import { BatchBuilder, CheckedBatch } from "./packed.js";
import { Columns, Table } from "./row.js";

/** What becomes of a row. */
export class RowOut {
  constructor(read, write, into) {
    this.read = read;
    this.write = write;
    this.shift = into ? 1 : 0;
    this.builder = new BatchBuilder(write.names.length + this.shift);
    this.isSet = write.names.map(() => false);
    this.any = false;
    this.rows = 0;
    this.index = 0;
  }

  /**
   * Sets one column by its name in the manifest's `write`. What is not set keeps its value if it is also read; in a row
   * that goes into another table it is NULL.
   */
  set(name, value) {
    const at = this.write.find(name);
    if (this.isSet[at] || this.rows > 0) throw new Error(`the transform set ${name} twice`);
    this.isSet[at] = true;
    this.any = true;
    this.builder.set(at + this.shift, value);
  }

  /** Gives a whole row in the order of `write`: in place exactly one, into another table as many as there are. */
  row(...values) {
    const width = this.write.names.length;
    if (values.length !== width) throw new Error(`the transform gave a row of ${values.length} cells, and ${width} are written`);
    if (this.any || (this.rows > 0 && this.shift === 0)) throw new Error("the transform gave more than one row for a row that is updated in place");
    this.builder.row(this.shift === 1 ? [this.index, ...values] : values);
    this.rows += 1;
  }

  end(row) {
    if (this.any || (this.rows === 0 && this.shift === 0)) {
      if (this.shift === 1) this.builder.set(0, this.index);
      this.isSet.forEach((isSet, at) => {
        this.isSet[at] = false;
        if (isSet) return;
        const name = this.write.names[at];
        if (this.shift === 1) this.builder.set(at + 1, null);
        else if (this.read.index.has(name)) this.builder.set(at, row.table.batch.columns[this.read.index.get(name)].exact(row.index));
        else throw new Error(`the transform did not set ${name}; to keep its value, it has to be read too`);
      });
      this.builder.next();
    }
    this.any = false;
    this.rows = 0;
    this.index = row.index + 1;
  }
}

/** Why a batch was not transformed. */
export class Failure extends Error {
  constructor(row, error) {
    super(error instanceof Error ? error.message : String(error));
    this.row = row;
    this.cause = error;
  }
}

/** Runs a transform over a batch, as the host does. */
export function apply(transform, input, ctx) {
  const all = (name) => ctx.params.filter(([key]) => key === name).map(([, value]) => value);
  const read = new Columns(all("whimbrel.read"));
  const out = new RowOut(read, new Columns(all("whimbrel.write")), all("whimbrel.into").length > 0);
  const batch = new CheckedBatch(input);
  if (batch.columns.length !== read.names.length) throw new Error("the batch has other columns than the manifest reads");
  const table = new Table(batch, read);
  for (var index = 0; index < batch.rows; index += 1) {
    var row = { __proto__: table.row, index };
    try {
      transform(row, out, ctx);
      out.end(row);
    } catch (error) {
      throw new Failure(index, error);
    }
  }
  const [numbers] = out.builder.columns;
  try {
    return out.builder.finish();
  } catch (error) {
    if (error.row === undefined) throw error;
    throw new Failure(out.shift === 1 ? numbers.halves[error.row * 2] : error.row, error);
  }
}

/** Runs a transform over rows of cells, for tests. */
export function transformRows(transform, { read, write, into, params = {} }, rows) {
  const builder = new BatchBuilder(read.length);
  rows.forEach((row) => builder.row(row));
  const named = (key, names) => names.map((name) => [key, name]);
  const pairs = [...Object.entries(params), ...named("whimbrel.read", read), ...named("whimbrel.write", write)];
  if (into !== undefined) pairs.push(["whimbrel.into", into]);
  const batch = new CheckedBatch(apply(transform, builder.finish(), new Context({ params: pairs })));
  return Array.from({ length: batch.rows }, (_, row) => batch.columns.map((_, column) => batch.cell(row, column)));
}

/** What a migration may know about the run it is part of. There is no other clock and no randomness. */
export class Context {
  constructor(raw) {
    Object.assign(this, raw);
  }

  /** Returns what the manifest's [params] gives for a name, or null. */
  param(name) {
    return this.params.find(([key]) => key === name)?.[1] ?? null;
  }
}
