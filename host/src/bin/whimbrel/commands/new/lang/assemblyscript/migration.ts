// Trims the notes. build.sh makes a component of this, `whimbrel up` runs it.
import { Cell, Context, Tx } from "./whimbrel/assembly";
import { context, migrate } from "./whimbrel/assembly/host";
import { trim } from "./trim";

export { abort, cabi_realloc } from "./whimbrel/assembly/host";

function trimAll(tx: Tx, ctx: Context): void {
  const writer = tx.prepare("UPDATE note SET text = ? WHERE id = ?").writer(2);
  const rows = tx.query("SELECT id, text FROM note WHERE text IS NOT NULL ORDER BY id");
  for (let row = rows.next(); row !== null; row = rows.next()) {
    writer.row([Cell.text(trim(row.text("text"))), Cell.integer(row.integer("id"))]);
  }
  rows.close();
  writer.finish();
}

// The contract's numbers come in order; `context` reads them.
export function up(
  tx: u32, a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32, i: u32, j: u32, k: u64, l: u64, m: u32, n: u32,
): usize {
  return migrate(trimAll, tx, context(a, b, c, d, e, f, g, h, i, j, k, l, m, n));
}
{{down}}
