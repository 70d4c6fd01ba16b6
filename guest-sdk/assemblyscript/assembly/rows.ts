// Rows, whose cells are read by the column's name, and transforms. Needs no host.
import { Batch, BLOB, BOOLEAN, Builder, Cell, Column, INTEGER, NULL, REAL, TEXT } from "./packed";

/** What went wrong first. AssemblyScript has no exceptions to catch, so it is noted here and work goes on to its end. */
export class Trouble {
  text: string | null = null;

  note(text: string): void {
    if (this.text === null) this.text = text;
  }
  get is(): bool {
    return this.text !== null;
  }
}

const KINDS: StaticArray<string> = ["NULL", "an integer", "a real number", "a text", "a blob", "a boolean"];

/** Finds a column; SQL's names do not care about case. */
function find(names: string[], name: string): i32 {
  for (let at = 0; at < names.length; at++) if (names[at] == name) return at;
  const lower = name.toLowerCase();
  for (let at = 0; at < names.length; at++) if (names[at].toLowerCase() == lower) return at;
  return -1;
}

/** One row of a checked batch. A getter that finds something else notes it, and gives 0 or nothing. */
export class Row {
  index: u32 = 0;

  constructor(public batch: Batch, public names: string[], public trouble: Trouble) {}

  private column(name: string): Column | null {
    const at = find(this.names, name);
    if (at >= 0) return this.batch.columns[at];
    this.trouble.note("the query has no column " + name + ", only " + this.names.join(", "));
    return null;
  }

  private typed(name: string, expected: string, kind: u8, other: u8): Column | null {
    const column = this.column(name);
    if (column === null) return null;
    const found = column.kindAt(this.index);
    if (found == kind || found == other) return column;
    this.trouble.note("column " + name + ": expected " + expected + ", found " + KINDS[found]);
    return null;
  }

  /** Reads any cell. */
  get(name: string): Cell {
    const column = this.column(name);
    return column === null ? Cell.none() : column.cell(this.index);
  }
  isNull(name: string): bool {
    const column = this.column(name);
    return column === null || column.kindAt(this.index) == NULL;
  }
  integer(name: string): i64 {
    const column = this.typed(name, "an integer", INTEGER, INTEGER);
    return column === null ? 0 : <i64>column.word(this.index);
  }
  real(name: string): f64 {
    const column = this.typed(name, "a number", REAL, INTEGER);
    if (column === null) return 0;
    const word = column.word(this.index);
    return column.kindAt(this.index) == REAL ? reinterpret<f64>(word) : <f64>(<i64>word);
  }
  /** Reads a boolean, or an integer that is 0 or 1. */
  boolean(name: string): bool {
    const column = this.typed(name, "a boolean", BOOLEAN, INTEGER);
    if (column === null) return false;
    const word = column.word(this.index);
    if (word > 1) this.trouble.note("column " + name + ": expected a boolean, found an integer that is neither 0 nor 1");
    return word == 1;
  }
  text(name: string): string {
    const column = this.typed(name, "a text", TEXT, TEXT);
    return column === null ? "" : column.text(this.index);
  }
  textOrNull(name: string): string | null {
    const column = this.typed(name, "a text", TEXT, NULL);
    return column === null || column.kindAt(this.index) == NULL ? null : column.text(this.index);
  }
  blob(name: string): Uint8Array {
    const column = this.typed(name, "a blob", BLOB, BLOB);
    return column === null ? new Uint8Array(0) : column.bytes(this.index);
  }
}

/** What a migration may know about the run. There is no other clock and no randomness. */
export class Context {
  chain: string = "";
  version: string = "";
  name: string = "";
  tenant: string | null = null;
  dryRun: bool = false;
  startedAt: u64 = 0;
  seed: u64 = 0;
  keys: string[] = [];
  values: string[] = [];

  /** Returns what the manifest's [params] gives for a name, or null. */
  param(name: string): string | null {
    const at = this.keys.indexOf(name);
    return at < 0 ? null : this.values[at];
  }
  all(name: string): string[] {
    const found: string[] = [];
    for (let at = 0; at < this.keys.length; at++) if (this.keys[at] == name) found.push(this.values[at]);
    return found;
  }
}

/** What becomes of a row: the columns that the manifest writes. */
export class RowOut {
  builder: Builder = new Builder(0);
  isSet: bool[] = [];
  any: bool = false;
  rows: i32 = 0;
  index: u32 = 0;
  shift: i32 = 0;

  constructor(public write: string[], into: bool, public trouble: Trouble) {
    this.shift = into ? 1 : 0;
    this.builder = new Builder(write.length + this.shift);
    for (let at = 0; at < write.length; at++) this.isSet.push(false);
  }

  /** Rejects the row. */
  reject(text: string): void {
    this.trouble.note(text);
  }

  push(column: i32, cell: Cell): void {
    if (!this.builder.push(column, cell)) this.trouble.note("a text with a lone surrogate cannot be stored");
  }

  /** Sets one column. What is not set keeps its value if it is also read; in another table it is NULL. */
  set(name: string, cell: Cell): void {
    const at = find(this.write, name);
    if (at < 0) this.trouble.note("the manifest does not write " + name);
    else if (this.isSet[at] || this.rows > 0) this.trouble.note("the transform set " + name + " twice");
    else {
      this.isSet[at] = true;
      this.any = true;
      this.push(at + this.shift, cell);
    }
  }

  /** Gives a whole row: in place exactly one, into another table as many as there are. */
  row(cells: Cell[]): void {
    if (cells.length != this.write.length) {
      this.trouble.note("the transform gave a row of " + cells.length.toString() + " cells, and " + this.write.length.toString() + " are written");
    } else if (this.any || (this.rows > 0 && this.shift == 0)) {
      this.trouble.note("the transform gave more than one row for a row that is updated in place");
    } else {
      if (this.shift == 1) this.push(0, Cell.integer(this.index));
      for (let at = 0; at < cells.length; at++) this.push(at + this.shift, cells[at]);
      this.rows++;
    }
  }

  end(row: Row): void {
    if (this.any || (this.rows == 0 && this.shift == 0)) {
      if (this.shift == 1) this.push(0, Cell.integer(row.index));
      for (let at = 0; at < this.write.length; at++) {
        if (this.isSet[at]) continue;
        const read = find(row.names, this.write[at]);
        if (this.shift == 1) this.push(at + 1, Cell.none());
        else if (read >= 0) this.push(at, row.batch.columns[read].cell(row.index));
        else this.trouble.note("the transform did not set " + this.write[at] + "; to keep its value, it has to be read too");
      }
    }
    this.isSet.fill(false);
    this.any = false;
    this.rows = 0;
  }
}

export type Transform = (row: Row, out: RowOut, ctx: Context) => void;

/** What came of a batch: rows, or what is wrong (`row` is -1 when it is no single one). */
export class Applied {
  output: Batch | null = null;
  row: i32 = -1;
  problem: string = "";
}

/** Runs a transform over a batch, as the host does. */
export function applyTo(transform: Transform, input: Batch, ctx: Context): Applied {
  const applied = new Applied();
  const malformed = input.check();
  const names = ctx.all("whimbrel.read");
  if (malformed !== null) {
    applied.problem = "malformed batch, column " + malformed.column.toString() + ": " + malformed.reason;
    return applied;
  }
  if (names.length != input.columns.length) {
    applied.problem = "the batch has other columns than the manifest reads";
    return applied;
  }
  const trouble = new Trouble();
  const row = new Row(input, names, trouble);
  const out = new RowOut(ctx.all("whimbrel.write"), ctx.param("whimbrel.into") !== null, trouble);
  for (let index: u32 = 0; index < input.rows; index++) {
    row.index = index;
    out.index = index;
    transform(row, out, ctx);
    if (!trouble.is) out.end(row);
    if (trouble.is) {
      applied.row = index;
      applied.problem = trouble.text!;
      return applied;
    }
  }
  applied.output = out.builder.finish();
  if (applied.output === null) applied.problem = "the columns have different lengths";
  return applied;
}
