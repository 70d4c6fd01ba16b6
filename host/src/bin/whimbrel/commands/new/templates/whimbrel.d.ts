// What a migration script finds, for editors. Written by `whimbrel new`; the program does not read it.

/** What a column holds: NULL is null, a blob is a Uint8Array, an integer beyond 2^53 - 1 is a bigint. */
type Value = null | boolean | number | bigint | string | Uint8Array;
/** What can be given to a statement. A number that is an integer is stored as one; `real(x)` forces a real. */
type Parameter = Value | ArrayBuffer | Real;
type Row = Record<string, any>;
/** What `transformColumns(columns, ctx)` takes and returns: a column is an array with a cell for each row. */
type Columns = Record<string, any[]>;

interface Real { readonly __real: unique symbol }

interface Options {
  /** How rows come: "object" unless said otherwise. */
  rows?: "object" | "array";
  /** How integers come: as numbers up to 2^53 - 1 unless said otherwise, or always as bigint. */
  integers?: "number" | "bigint";
}

/** The rows of a query, fetched as they are wanted. */
interface Cursor extends IteratorObject<Row, undefined> {
  all(): Row[];
  first(): Row | undefined;
  columns(): string[];
}

interface Statement {
  execute(params?: Parameter[]): number;
  query(params?: Parameter[], options?: Options): Cursor;
  all(params?: Parameter[], options?: Options): Row[];
  first(params?: Parameter[], options?: Options): Row | undefined;
  executeMany(rows: Iterable<Parameter[]>): number;
}

/** The step's open transaction. In `verify(db, ctx)`, which returns something true or throws, it only reads. */
interface Database {
  /** Runs one statement; returns how many rows it changed. */
  execute(sql: string, params?: Parameter[]): number;
  query(sql: string, params?: Parameter[], options?: Options): Cursor;
  /** Runs one statement once for every row of parameters, or for none when it throws: many rows cross at once. */
  executeMany(sql: string, rows: Iterable<Parameter[]>): number;
  prepare(sql: string): Statement;
  /** Calls `work` in a savepoint: what it did is undone when it throws, and its error is thrown on. Await it before the next one begins. */
  savepoint<T>(work: (db: Database) => T): T;
  /** What `real` is. */
  real(value: number): Real;
  readonly dialect: string;
}

interface Context {
  readonly chain: string;
  readonly version: string;
  readonly name: string;
  readonly tenant: string | null;
  readonly dryRun: boolean;
  /** Recorded start of the run, in milliseconds since 1970: what Date.now() says too. */
  readonly startedAt: number;
  readonly seed: number;
  /** What `[params]` of the manifest gives. */
  readonly params: Readonly<Record<string, string>>;
}

interface Log {
  (...values: unknown[]): void;
  trace(...values: unknown[]): void;
  debug(...values: unknown[]): void;
  info(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
  progress(done: number, total?: number): void;
}

declare const log: Log;

/** Has a number stored as a real, also one without a fraction. */
declare function real(value: number): Real;

/** What the database said: `code` is such as "constraint-unique". */
declare class SqlError extends Error {
  readonly code: string;
  readonly native: string;
  readonly row?: number;
}
