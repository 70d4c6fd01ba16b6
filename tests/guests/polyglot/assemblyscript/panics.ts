import { Context, Tx } from "../../../../guest-sdk/assemblyscript/assembly";
import { context, migrate } from "../../../../guest-sdk/assemblyscript/assembly/host";

export { abort, cabi_realloc } from "../../../../guest-sdk/assemblyscript/assembly/host";

function explode(tx: Tx, ctx: Context): void {
  tx.execute("UPDATE person SET first_name = 'gone'");
  throw new Error("a mistake in AssemblyScript");
}

export function up(
  tx: u32, a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32, i: u32, j: u32, k: u64, l: u64, m: u32, n: u32,
): usize {
  return migrate(explode, tx, context(a, b, c, d, e, f, g, h, i, j, k, l, m, n));
}
