import { Cell, Context, Tx } from "../../../../guest-sdk/assemblyscript/assembly";
import { context, migrate } from "../../../../guest-sdk/assemblyscript/assembly/host";

export { abort, cabi_realloc } from "../../../../guest-sdk/assemblyscript/assembly/host";

function work(tx: Tx, ctx: Context): void {
  const given = ctx.param("form");
  const form: string = given === null ? "" : given;
  if (form == "trivial") {
    tx.execute("CREATE TABLE trivial (id INTEGER PRIMARY KEY)");
    return;
  }
  const isPacked = form == "packed";
  const statement = tx.prepare("INSERT INTO person_name (first_name, last_name, name_key, id) VALUES (?, ?, ?, ?)");
  const writer = statement.writer(4);
  const rows = tx.query("SELECT id, full_name FROM person ORDER BY id");
  for (let row = rows.next(); row !== null; row = rows.next()) {
    const full = row.text("full_name");
    const cut = full.lastIndexOf(" ");
    const first = cut < 0 ? "" : full.substring(0, cut);
    const last = full.substring(cut + 1);
    const cells = [Cell.text(first), Cell.text(last), Cell.text(last + " " + first), Cell.integer(row.integer("id"))];
    if (isPacked) writer.row(cells);
    else statement.execute(cells);
  }
  writer.finish();
  rows.close();
  statement.close();
}

export function up(
  tx: u32, a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32, i: u32, j: u32, k: u64, l: u64, m: u32, n: u32,
): usize {
  return migrate(work, tx, context(a, b, c, d, e, f, g, h, i, j, k, l, m, n));
}
