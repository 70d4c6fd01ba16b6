// Database migrations in JavaScript that run as sandboxed WebAssembly components in whimbrel.
import { progress as tell, write } from "#host";
import { Transaction } from "./transaction.js";
import { apply, Context, Failure } from "./transform.js";

export { SqlError } from "./errors.js";
export { BatchBuilder, CheckedBatch, MalformedBatch, Real } from "./packed.js";
export { Row } from "./row.js";
export { Rows, Statement, Transaction, Writer } from "./transaction.js";
export { Context, RowOut, transformRows } from "./transform.js";

/** Writes into the host's log. */
export const log = {
  trace: (message) => write("trace", String(message)),
  debug: (message) => write("debug", String(message)),
  info: (message) => write("info", String(message)),
  warn: (message) => write("warn", String(message)),
  error: (message) => write("error", String(message)),
};

/** Tells how far the work is: `done` of `total` units of the author's choice; without a total it is not known. */
export function progress(done, total = null) {
  tell(done, total);
}

/** Makes the export `up` or `down` of a function. What it throws undoes the step; its message reaches the operator. */
export function migration(work) {
  return (db, ctx) => {
    try {
      work(new Transaction(db), new Context(ctx));
    } catch (error) {
      throw new Error(explain(error));
    }
  };
}

/**
 * Makes the export `verify` of a function that looks whether the work is as it should be, with a transaction that only
 * reads. What it throws undoes the step, and so does an answer that is not true, as in a script.
 */
export function verification(check) {
  return migration((tx, ctx) => judge(check(tx, ctx)));
}

/** No answer is a failure too: where a query gives no row, `queryRow` gives null. */
function judge(answer) {
  if (typeof answer?.then === "function") throw new Error("verify is async, and nothing waits for it");
  if (answer) return;
  throw new Error(`verify returned ${answer === undefined ? "nothing" : answer === "" ? "an empty text" : answer}`);
}

/** Makes the export `apply` of a function that transforms one row. What it throws rejects the row. */
export function transform(each) {
  return (input, ctx) => {
    try {
      return apply(each, input, new Context(ctx));
    } catch (error) {
      const failure = new Error(error?.message ?? String(error));
      failure.payload = { row: error instanceof Failure ? error.row : null, message: explain(error?.cause ?? error) };
      throw failure;
    }
  };
}

/** Says what was thrown; a mistake in the program also says where, in the log. */
function explain(error) {
  if (!(error instanceof Error)) return String(error);
  if (error.constructor !== Error && error.name !== "SqlError") {
    write("error", `${error.name}: ${error.message}\n${error.stack ?? ""}`);
    return `${error.name}: ${error.message}`;
  }
  return error.message;
}
