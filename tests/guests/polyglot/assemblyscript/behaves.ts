import { Cell, Context, Level, log, progress, Tx } from "../../../../guest-sdk/assemblyscript/assembly";
import { context, migrate } from "../../../../guest-sdk/assemblyscript/assembly/host";

export { abort, cabi_realloc } from "../../../../guest-sdk/assemblyscript/assembly/host";

/** Says what kind of failure the last one was. */
function told(tx: Tx): void {
  const error = tx.recover();
  if (error === null) {
    tx.fail("nothing failed");
    return;
  }
  let line = "";
  if (error.isDenied) line += "denied ";
  if (error.isLimit) line += "limit ";
  if (error.isConstraint) line += "constraint ";
  if (error.isDatabase) line += "database ";
  log(Level.Info, line + error.code + (error.row < 0 ? "" : " in row " + error.row.toString()));
}

function fails(tx: Tx, sql: string, params: Cell[] = []): void {
  tx.execute(sql, params);
  told(tx);
}

function savepoints(tx: Tx): void {
  const change = "UPDATE person SET last_name = ?";
  const outer = tx.savepoint();
  tx.execute(change, [Cell.text("outer")]);
  const inner = tx.savepoint();
  tx.execute(change, [Cell.text("inner")]);
  inner.rollback();
  outer.release();
  tx.execute("UPDATE person SET first_name = last_name");
}

function work(tx: Tx, ctx: Context): void {
  const todo = ctx.param("do");
  if (todo !== null && todo == "limit") {
    fails(tx, "SELECT ?, ?, ?", [Cell.integer(1), Cell.integer(2), Cell.integer(3)]);
    return;
  }
  if (todo !== null && todo == "leave") {
    const writer = tx.prepare("UPDATE person SET code = ? WHERE id = ?").writer(2);
    for (let id = 1; id < 4; id++) writer.row([Cell.text("left"), Cell.integer(id)]);
    return;
  }
  progress(1, 2);
  savepoints(tx);
  fails(tx, "COMMIT");
  fails(tx, "INSERT INTO person (full_name) VALUES (NULL)");
  fails(tx, "SELEKT 1");
  const writer = tx.prepare("UPDATE person SET code = ? WHERE id = ?").writer(2);
  writer.row([Cell.text("a"), Cell.integer(1)]);
  writer.row([Cell.text("b"), Cell.integer(2)]);
  writer.row([Cell.text("a"), Cell.integer(3)]);
  writer.finish();
  told(tx);
  progress(2);
}

export function up(
  tx: u32, a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32, i: u32, j: u32, k: u64, l: u64, m: u32, n: u32,
): usize {
  return migrate(work, tx, context(a, b, c, d, e, f, g, h, i, j, k, l, m, n));
}
