// Row by row: reads all customers, writes what the rules make of them.
import { Cell, Context, Level, log, Tx } from "../../../guest-sdk/assemblyscript/assembly";
import { context, migrate } from "../../../guest-sdk/assemblyscript/assembly/host";
import { cents, email, name, phone } from "./rules";
import { noneUnnamed } from "./verify";

export { abort, cabi_realloc } from "../../../guest-sdk/assemblyscript/assembly/host";

function mendAll(tx: Tx, ctx: Context): void {
  const strict = ctx.param("strict");
  const isStrict = strict !== null && strict == "yes";
  const update = tx.prepare(
    "UPDATE customer SET first_name = ?, last_name = ?, email_key = ?, phone_key = ?, cents = ? WHERE id = ?",
  );
  const writer = update.writer(6);
  const rows = tx.query("SELECT id, full_name, email, phone, balance FROM customer ORDER BY id");
  for (let row = rows.next(); row !== null; row = rows.next()) {
    const id = row.integer("id");
    const typed = row.textOrNull("email");
    const key = email(typed);
    if (isStrict && typed !== null && key === null) tx.fail("customer " + id.toString() + ": not an e-mail address: " + typed);
    const both = name(row.textOrNull("full_name"));
    writer.row([
      Cell.text(both.first),
      Cell.text(both.last),
      Cell.text(key),
      Cell.text(phone(row.textOrNull("phone"))),
      cents(row.textOrNull("balance")),
      Cell.integer(id),
    ]);
  }
  rows.close();
  log(Level.Info, "mended " + writer.finish().toString() + " customers");
  update.close();
}

function forgetAll(tx: Tx, ctx: Context): void {
  tx.execute(
    "UPDATE customer SET first_name = NULL, last_name = NULL, email_key = NULL, phone_key = NULL, cents = NULL",
  );
}

export function up(
  tx: u32, a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32, i: u32, j: u32, k: u64, l: u64, m: u32, n: u32,
): usize {
  return migrate(mendAll, tx, context(a, b, c, d, e, f, g, h, i, j, k, l, m, n));
}

export function down(
  tx: u32, a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32, i: u32, j: u32, k: u64, l: u64, m: u32, n: u32,
): usize {
  return migrate(forgetAll, tx, context(a, b, c, d, e, f, g, h, i, j, k, l, m, n));
}

export function verify(
  tx: u32, a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32, i: u32, j: u32, k: u64, l: u64, m: u32, n: u32,
): usize {
  return migrate(noneUnnamed, tx, context(a, b, c, d, e, f, g, h, i, j, k, l, m, n));
}
