// The host: the transaction, statements, the log. The canonical ABI by hand.
import { Batch, BLOB, BOOLEAN, Builder, Cell, Column, INTEGER, NULL, TEXT } from "./packed";
import { applyTo, Context, Row, Transform, Trouble } from "./rows";

@external("whimbrel:migration/sql@0.1.0", "[method]transaction.execute")
declare function rawExecute(self: u32, sql: usize, length: usize, params: usize, count: usize, into: usize): void;
@external("whimbrel:migration/sql@0.1.0", "[method]transaction.query")
declare function rawQuery(self: u32, sql: usize, length: usize, params: usize, count: usize, into: usize): void;
@external("whimbrel:migration/sql@0.1.0", "[method]transaction.prepare")
declare function rawPrepare(self: u32, sql: usize, length: usize, into: usize): void;
@external("whimbrel:migration/sql@0.1.0", "[method]transaction.open-savepoint")
declare function rawSavepoint(self: u32, into: usize): void;
@external("whimbrel:migration/sql@0.1.0", "[method]transaction.dialect")
declare function rawDialect(self: u32, into: usize): void;
@external("whimbrel:migration/sql@0.1.0", "[method]cursor.columns")
declare function rawColumns(self: u32, into: usize): void;
@external("whimbrel:migration/sql@0.1.0", "[method]cursor.next-batch")
declare function rawNextBatch(self: u32, rows: u32, bytes: u32, into: usize): void;
@external("whimbrel:migration/sql@0.1.0", "[method]statement.execute")
declare function rawStatementExecute(self: u32, params: usize, count: usize, into: usize): void;
@external("whimbrel:migration/sql@0.1.0", "[method]statement.execute-batch")
declare function rawExecuteBatch(self: u32, rows: u32, columns: usize, count: usize, into: usize): void;
@external("whimbrel:migration/sql@0.1.0", "[method]savepoint.release")
declare function rawRelease(self: u32, into: usize): void;
@external("whimbrel:migration/sql@0.1.0", "[method]savepoint.rollback")
declare function rawRollback(self: u32, into: usize): void;
@external("whimbrel:migration/sql@0.1.0", "[resource-drop]transaction")
declare function rawDropTransaction(self: u32): void;
@external("whimbrel:migration/sql@0.1.0", "[resource-drop]cursor")
declare function rawDropCursor(self: u32): void;
@external("whimbrel:migration/sql@0.1.0", "[resource-drop]statement")
declare function rawDropStatement(self: u32): void;
@external("whimbrel:migration/sql@0.1.0", "[resource-drop]savepoint")
declare function rawDropSavepoint(self: u32): void;
@external("whimbrel:migration/log@0.1.0", "write")
declare function rawLog(level: u32, text: usize, length: usize): void;
@external("whimbrel:migration/log@0.1.0", "progress")
declare function rawProgress(done: u64, known: u32, total: u64): void;

const BATCH_ROWS: u32 = 1024;
const BATCH_BYTES: u32 = 1 << 20;
/** The size of one column of a batch in memory. */
const COLUMN: u32 = 28;

/** The host's memory for what it gives. */
export function cabi_realloc(old: usize, oldSize: usize, align: usize, size: usize): usize {
  if (size == 0) return align;
  return old == 0 || oldSize == 0 ? heap.alloc(size) : heap.realloc(old, size);
}

/** Where the host writes a result: room for the largest, result<u64, sql-error>. */
const area: usize = memory.data(64, 8);

function take(at: usize): string {
  const place = load<u32>(at);
  const length = load<u32>(at, 4);
  if (length == 0) return "";
  const text = String.UTF8.decodeUnsafe(place, length);
  heap.free(place);
  return text;
}

/** Says to the host where the bytes of a text are: never 0, also when there are none. */
function place(bytes: ArrayBuffer): usize {
  return bytes.byteLength == 0 ? 1 : changetype<usize>(bytes);
}

export const enum Level { Trace, Debug, Info, Warn, Error }

/** Writes one line into the host's log. */
export function log(level: Level, message: string): void {
  const bytes = String.UTF8.encode(message);
  rawLog(level, place(bytes), bytes.byteLength);
}

/** Tells how far the work is; a negative total is not known. */
export function progress(done: u64, total: i64 = -1): void {
  rawProgress(done, total < 0 ? 0 : 1, total < 0 ? 0 : total);
}

/** Puts the words of a failed assertion or a `throw` into the log before the trap. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  const what = message === null ? "aborted" : message;
  const where = file === null ? "" : " (" + file + ":" + line.toString() + ":" + column.toString() + ")";
  log(Level.Error, what + where);
  unreachable();
}

/** Why a statement failed. `code` is one of an open set: denied, limit, constraint-unique, busy, … */
export class SqlError {
  code: string = "";
  native: string = "";
  message: string = "";
  row: i64 = -1;
  offset: i64 = -1;

  get isDenied(): bool {
    return this.code == "denied";
  }
  get isLimit(): bool {
    return this.code == "limit";
  }
  get isConstraint(): bool {
    return this.code.startsWith("constraint");
  }
  /** None of the others: the database failed in another way. */
  get isDatabase(): bool {
    return !this.isDenied && !this.isLimit && !this.isConstraint;
  }
  toString(): string {
    const native = this.native == "" ? "" : " (" + this.native + ")";
    return this.message + native + (this.row < 0 ? "" : ", row " + this.row.toString() + " of the batch");
  }
}

/**
 * The step's open transaction. What fails is noted in `error` and `trouble`, what follows does nothing, and the step is
 * undone; `recover` goes on instead.
 */
export class Tx {
  error: SqlError | null = null;
  trouble: Trouble = new Trouble();
  /** Rows that writers collected and have not sent. */
  unsent: i32 = 0;

  constructor(public handle: u32) {}

  /** Says why the migration stops. */
  fail(text: string): void {
    this.trouble.note(text);
  }
  /** Forgets what failed, and returns it. */
  recover(): SqlError | null {
    const error = this.error;
    this.error = null;
    this.trouble.text = null;
    return error;
  }

  refused(at: usize, sent: u32): void {
    const error = new SqlError();
    error.code = take(at);
    error.native = take(at + 8);
    error.message = take(at + 16);
    if (load<u8>(at, 24) == 1) error.row = <i64>load<u32>(at, 28) + sent;
    if (load<u8>(at, 32) == 1) error.offset = load<u32>(at, 36);
    this.error = error;
    this.trouble.note(error.toString());
  }
  changed(sent: u32): u64 {
    if (load<u8>(area) == 0) return load<u64>(area, 8);
    this.refused(area + 8, sent);
    return 0;
  }
  opened(): u32 {
    if (load<u8>(area) == 0) return load<u32>(area, 4);
    this.refused(area + 4, 0);
    return 0;
  }

  /** Runs one statement and returns the number of rows it changed. */
  execute(sql: string, params: Cell[] = []): u64 {
    if (this.trouble.is) return 0;
    const text = String.UTF8.encode(sql);
    const values = new Values(params);
    rawExecute(this.handle, place(text), text.byteLength, values.at, params.length, area);
    values.free();
    return this.changed(0);
  }
  /** Runs one query. Rows are fetched about a thousand at a time. */
  query(sql: string, params: Cell[] = []): Rows {
    if (this.trouble.is) return new Rows(this, 0, []);
    const text = String.UTF8.encode(sql);
    const values = new Values(params);
    rawQuery(this.handle, place(text), text.byteLength, values.at, params.length, area);
    values.free();
    const handle = this.opened();
    const names: string[] = [];
    if (handle == 0) return new Rows(this, 0, names);
    rawColumns(handle, area);
    const list: usize = load<u32>(area);
    const count = load<u32>(area, 4);
    for (let at: u32 = 0; at < count; at++) names.push(take(list + at * 8));
    if (count > 0) heap.free(list);
    return new Rows(this, handle, names);
  }
  /** Prepares one statement to be run many times. */
  prepare(sql: string): Statement {
    if (this.trouble.is) return new Statement(this, 0);
    const text = String.UTF8.encode(sql);
    rawPrepare(this.handle, place(text), text.byteLength, area);
    return new Statement(this, this.opened());
  }
  /** Opens a savepoint; end it with `release` or `rollback`. */
  savepoint(): Savepoint {
    if (this.trouble.is) return new Savepoint(this, 0);
    rawSavepoint(this.handle, area);
    return new Savepoint(this, this.opened());
  }
  /** Returns the kind of database: sqlite, later others. */
  get dialect(): string {
    rawDialect(this.handle, area);
    return take(area);
  }
}

/** Parameters as the contract lays them out: sixteen bytes each. */
class Values {
  at: usize;
  texts: ArrayBuffer[] = [];

  constructor(params: Cell[]) {
    this.at = heap.alloc(params.length * 16 + 16);
    for (let index = 0; index < params.length; index++) {
      const cell = params[index];
      const at = this.at + index * 16;
      store<u64>(at, 0);
      if (cell.kind == TEXT || cell.kind == BLOB) {
        const bytes = cell.kind == TEXT ? String.UTF8.encode(cell.text!) : cell.blob!.slice().buffer;
        this.texts.push(bytes);
        store<u8>(at, cell.kind == TEXT ? 4 : 5);
        store<u32>(at, <u32>place(bytes), 8);
        store<u32>(at, bytes.byteLength, 12);
      } else {
        // The contract counts the kinds otherwise: null, boolean, integer, real.
        store<u8>(at, cell.kind == NULL ? 0 : cell.kind == BOOLEAN ? 1 : cell.kind == INTEGER ? 2 : 3);
        store<u64>(at, cell.word, 8);
      }
    }
  }
  free(): void {
    heap.free(this.at);
  }
}

/** Reads a batch that the host wrote. */
function lift(rows: u32, at: usize, count: u32): Batch {
  const columns: Column[] = [];
  for (let index: u32 = 0; index < count; index++) {
    const from = at + <usize>(index * COLUMN);
    const column = new Column();
    column.kind = load<u8>(from);
    column.tags = load<u32>(from, 4);
    column.tagsLength = load<u32>(from, 8);
    column.words = load<u32>(from, 12);
    column.wordsLength = load<u32>(from, 16);
    column.heap = load<u32>(from, 20);
    column.heapLength = load<u32>(from, 24);
    columns.push(column);
  }
  if (count > 0) heap.free(at);
  return new Batch(rows, columns);
}

/** Gives back the memory of a batch that the host wrote. */
function release(batch: Batch): void {
  for (let index = 0; index < batch.columns.length; index++) {
    const column = batch.columns[index];
    if (column.tagsLength > 0) heap.free(column.tags);
    if (column.wordsLength > 0) heap.free(column.words);
    if (column.heapLength > 0) heap.free(column.heap);
  }
}

/** Lays out a batch for the host. */
function lower(batch: Batch): usize {
  const list = heap.alloc(<usize>(<u32>batch.columns.length * COLUMN + 4));
  for (let index = 0; index < batch.columns.length; index++) {
    const at = list + <usize>(<u32>index * COLUMN);
    const column = batch.columns[index];
    store<u32>(at, column.kind);
    store<u32>(at, <u32>(column.tagsLength == 0 ? <usize>1 : column.tags), 4);
    store<u32>(at, column.tagsLength, 8);
    store<u32>(at, <u32>(column.wordsLength == 0 ? <usize>1 : column.words), 12);
    store<u32>(at, column.wordsLength, 16);
    store<u32>(at, <u32>(column.heapLength == 0 ? <usize>1 : column.heap), 20);
    store<u32>(at, column.heapLength, 24);
  }
  return list;
}

/** The rows of a query, read forward. */
export class Rows {
  private row: Row;
  private at: u32 = 0;

  constructor(public tx: Tx, public handle: u32, public names: string[]) {
    this.row = new Row(new Batch(0, []), names, tx.trouble);
  }

  /** Returns the next row, or null: at the end, or after something failed. */
  next(): Row | null {
    if (this.tx.trouble.is || this.handle == 0) return null;
    while (this.at >= this.row.batch.rows) if (!this.fetch()) return null;
    this.row.index = this.at;
    this.at++;
    return this.row;
  }
  private fetch(): bool {
    release(this.row.batch);
    this.row.batch = new Batch(0, []);
    this.at = 0;
    rawNextBatch(this.handle, BATCH_ROWS, BATCH_BYTES, area);
    if (load<u8>(area) == 1) {
      this.tx.refused(area + 4, 0);
      return false;
    }
    if (load<u8>(area, 4) == 0) return false;
    this.row.batch = lift(load<u32>(area, 8), load<u32>(area, 12), load<u32>(area, 16));
    const malformed = this.row.batch.check();
    if (malformed !== null) this.tx.fail("malformed batch: " + malformed.reason);
    return malformed === null;
  }
  close(): void {
    release(this.row.batch);
    this.row.batch = new Batch(0, []);
    if (this.handle != 0) rawDropCursor(this.handle);
    this.handle = 0;
  }
}

/** A prepared statement. */
export class Statement {
  constructor(public tx: Tx, public handle: u32) {}

  /** Runs it once. For many rows, a writer is faster. */
  execute(params: Cell[] = []): u64 {
    if (this.tx.trouble.is) return 0;
    const values = new Values(params);
    rawStatementExecute(this.handle, values.at, params.length, area);
    values.free();
    return this.tx.changed(0);
  }
  /** Runs it once for every row of a batch: for all, or for none. */
  executeBatch(batch: Batch, sent: u32 = 0): u64 {
    if (this.tx.trouble.is) return 0;
    const columns = lower(batch);
    rawExecuteBatch(this.handle, batch.rows, columns, batch.columns.length, area);
    heap.free(columns);
    return this.tx.changed(sent);
  }
  /** Collects rows of `width` parameters and sends them about a thousand at a time. */
  writer(width: i32): Writer {
    return new Writer(this, width);
  }
  close(): void {
    if (this.handle != 0) rawDropStatement(this.handle);
    this.handle = 0;
  }
}

/**
 * Collects rows for a statement; end it with `finish`. Rows that were never sent make the migration fail, so that none is
 * lost unseen.
 */
export class Writer {
  private builder: Builder;
  changed: u64 = 0;
  private sent: u32 = 0;

  constructor(public statement: Statement, public width: i32) {
    this.builder = new Builder(width);
  }

  /** Adds the parameters of one run. */
  row(params: Cell[]): void {
    const tx = this.statement.tx;
    if (tx.trouble.is) return;
    if (params.length != this.width) {
      tx.fail("the writer has " + this.width.toString() + " parameters, this row " + params.length.toString());
      return;
    }
    if (params.length == 0) {
      this.changed += this.statement.execute(params);
      return;
    }
    for (let at = 0; at < params.length; at++) {
      if (!this.builder.push(at, params[at])) tx.fail("a text with a lone surrogate cannot be stored");
    }
    tx.unsent++;
    const rows = this.builder.rows;
    if (rows >= BATCH_ROWS || rows * 8 * this.width + this.builder.bytes >= BATCH_BYTES) this.flush();
  }
  flush(): void {
    const batch = this.builder.finish();
    if (batch === null || batch.rows == 0) return;
    this.statement.tx.unsent -= batch.rows;
    this.changed += this.statement.executeBatch(batch, this.sent);
    this.sent += batch.rows;
    this.builder.clear();
  }
  /** Sends the rest and returns the number of rows changed in all. */
  finish(): u64 {
    this.flush();
    this.builder.free();
    return this.changed;
  }
}

/** A savepoint; end it with one of its two functions. */
export class Savepoint {
  constructor(public tx: Tx, public handle: u32) {}

  release(): void {
    if (this.handle == 0 || this.tx.trouble.is) return;
    rawRelease(this.handle, area);
    this.end();
  }
  /** Works also after something failed: `tx.recover()` says what. */
  rollback(): void {
    if (this.handle == 0) return;
    rawRollback(this.handle, area);
    this.end();
  }
  private end(): void {
    if (load<u8>(area) == 1) this.tx.refused(area + 4, 0);
    rawDropSavepoint(this.handle);
    this.handle = 0;
  }
}

// What goes back to the host lives until the next call.
const returned: usize = memory.data(20, 8);
let returnedText: ArrayBuffer = new ArrayBuffer(0);
let returnedColumns: usize = 0;
let returnedBatch: Batch | null = null;

function text(at: u32, length: u32): string {
  return length == 0 ? "" : String.UTF8.decodeUnsafe(at, length);
}

/** Reads the context; the host's fourteen numbers for it come in order. */
export function context(
  chain: u32, chainLength: u32, version: u32, versionLength: u32, name: u32, nameLength: u32, hasTenant: u32,
  tenant: u32, tenantLength: u32, dryRun: u32, startedAt: u64, seed: u64, params: u32, count: u32,
): Context {
  const ctx = new Context();
  ctx.chain = text(chain, chainLength);
  ctx.version = text(version, versionLength);
  ctx.name = text(name, nameLength);
  if (hasTenant != 0) ctx.tenant = text(tenant, tenantLength);
  ctx.dryRun = dryRun != 0;
  ctx.startedAt = startedAt;
  ctx.seed = seed;
  for (let index: u32 = 0; index < count; index++) {
    const at: usize = params + index * 16;
    ctx.keys.push(text(load<u32>(at), load<u32>(at, 4)));
    ctx.values.push(text(load<u32>(at, 8), load<u32>(at, 12)));
  }
  return ctx;
}

/** Runs `up` or `down`, or `verify`, whose transaction only reads. What was noted undoes the step. */
export function migrate(work: (tx: Tx, ctx: Context) => void, handle: u32, ctx: Context): usize {
  const tx = new Tx(handle);
  work(tx, ctx);
  if (tx.unsent > 0 && !tx.trouble.is) {
    tx.fail("a writer was left with " + tx.unsent.toString() + " rows that were never sent: call finish");
  }
  rawDropTransaction(handle);
  store<u32>(returned, tx.trouble.is ? 1 : 0);
  if (tx.trouble.is) {
    returnedText = String.UTF8.encode(tx.trouble.text!);
    store<u32>(returned, <u32>place(returnedText), 4);
    store<u32>(returned, returnedText.byteLength, 8);
  }
  return returned;
}

/** Runs `apply`: its arguments are too many for parameters, so they come in memory. */
export function transform(each: Transform, from: usize): usize {
  const ctx = context(
    load<u32>(from, 16), load<u32>(from, 20), load<u32>(from, 24), load<u32>(from, 28), load<u32>(from, 32),
    load<u32>(from, 36), load<u8>(from, 40), load<u32>(from, 44), load<u32>(from, 48), load<u8>(from, 52),
    load<u64>(from, 56), load<u64>(from, 64), load<u32>(from, 72), load<u32>(from, 76),
  );
  const input = lift(load<u32>(from), load<u32>(from, 4), load<u32>(from, 8));
  if (returnedColumns != 0) heap.free(returnedColumns);
  returnedColumns = 0;
  const applied = applyTo(each, input, ctx);
  const output = applied.output;
  if (output !== null) {
    returnedBatch = output;
    returnedColumns = lower(output);
    store<u32>(returned, 0);
    store<u32>(returned, output.rows, 4);
    store<u32>(returned, <u32>returnedColumns, 8);
    store<u32>(returned, output.columns.length, 12);
  } else {
    returnedText = String.UTF8.encode(applied.problem);
    store<u32>(returned, 1);
    store<u32>(returned, applied.row >= 0 ? 1 : 0, 4);
    store<u32>(returned, applied.row, 8);
    store<u32>(returned, <u32>place(returnedText), 12);
    store<u32>(returned, returnedText.byteLength, 16);
  }
  release(input);
  return returned;
}
