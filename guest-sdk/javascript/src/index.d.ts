// Database migrations in TypeScript that run as sandboxed WebAssembly components in whimbrel.

/** A parameter: whole numbers are integers (give a `Real` to store them as real numbers), bigint is exact. */
export type Value = null | undefined | boolean | number | bigint | string | Uint8Array | Real;
/** What a cell of any kind is read as. */
export type Cell = null | boolean | number | bigint | string | Uint8Array;

export class Real {
  constructor(value: number);
  readonly value: number;
}

/** Why a statement failed. `code` is one of an open set: denied, limit, constraint-unique, busy, … */
export class SqlError extends Error {
  readonly code: string;
  readonly native: string;
  readonly row: number | null;
  readonly offset: number | null;
  readonly details: Map<string, string>;
  get isDenied(): boolean;
  get isLimit(): boolean;
  get isConstraint(): boolean;
  /** None of the others: the database failed in another way. */
  get isDatabase(): boolean;
}

export class Row {
  get columns(): string[];
  /** An integer is a number where that is exact, else a bigint. */
  get(name: string): Cell;
  isNull(name: string): boolean;
  /** Throws where a number is not exact. */
  integer(name: string): number;
  bigint(name: string): bigint;
  bigintOrNull(name: string): bigint | null;
  real(name: string): number;
  boolean(name: string): boolean;
  text(name: string): string;
  textOrNull(name: string): string | null;
  blob(name: string): Uint8Array;
}

export class Rows implements Iterable<Row> {
  get columns(): string[];
  [Symbol.iterator](): Iterator<Row>;
  batches(): Iterable<CheckedBatch>;
}

export class Transaction {
  execute(sql: string, ...params: Value[]): number;
  query(sql: string, ...params: Value[]): Rows;
  queryRow(sql: string, ...params: Value[]): Row | null;
  prepare(sql: string): Statement;
  /** Kept if `work` returns, undone if it throws. */
  savepoint<T>(work: () => T): T;
  get dialect(): string;
}

export class Statement {
  execute(...params: Value[]): number;
  executeBatch(batch: Batch): number;
  /** Collects rows and sends them about two thousand at a time; returns the number of rows changed. */
  writer(work: (writer: Writer) => void): number;
  close(): void;
}

export class Writer {
  row(...params: Value[]): void;
  flush(): void;
  finish(): number;
}

/** What a migration may know about the run. There is no other clock and no randomness. */
export class Context {
  readonly chain: string;
  readonly version: string;
  readonly name: string;
  readonly tenant: string | null;
  readonly dryRun: boolean;
  readonly startedAt: number;
  readonly seed: number;
  param(name: string): string | null;
}

export class RowOut {
  set(name: string, value: Value): void;
  row(...values: Value[]): void;
}

export interface Column {
  kind: number;
  tags: Uint8Array;
  words: Uint8Array;
  heap: Uint8Array;
}

export interface Batch {
  rows: number;
  columns: Column[];
}

export class CheckedBatch {
  constructor(batch: Batch);
  readonly rows: number;
  readonly columns: Column[];
  kind(row: number, column: number): number;
  cell(row: number, column: number): null | boolean | number | bigint | string | Uint8Array;
}

export class MalformedBatch extends Error {
  readonly reason: string;
  readonly column: number | null;
  readonly row: number | null;
}

export class BatchBuilder {
  constructor(columns: number);
  get rows(): number;
  /** Appends a cell to each column. Throws a RangeError unless there are as many values as columns; a row that is refused leaves no trace. */
  row(values: Value[]): void;
  finish(): Batch;
}

export const log: Record<"trace" | "debug" | "info" | "warn" | "error", (message: unknown) => void>;
export function progress(done: number, total?: number | null): void;

/** Makes the export `up` or `down` of a function. */
export function migration(work: (tx: Transaction, ctx: Context) => void): (db: unknown, ctx: unknown) => void;
/**
 * Makes the export `verify` of a function that looks whether the work is as it should be; the transaction only reads. It
 * returns true, or the step is undone; so does what it throws, whose message reaches the operator.
 */
export function verification(check: (tx: Transaction, ctx: Context) => boolean): (db: unknown, ctx: unknown) => void;
/** Makes the export `apply` of a function that transforms one row. */
export function transform(each: (row: Row, out: RowOut, ctx: Context) => void): (input: unknown, ctx: unknown) => unknown;
/** Runs a transform over rows of cells, for tests. */
export function transformRows(
  each: (row: Row, out: RowOut, ctx: Context) => void,
  columns: { read: string[]; write: string[]; into?: string; params?: Record<string, string> },
  rows: Value[][],
): Cell[][];
