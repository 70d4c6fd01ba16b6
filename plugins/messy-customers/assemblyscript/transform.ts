// The same as a transform: the host reads and writes.
import { context, migrate, transform } from "../../../guest-sdk/assemblyscript/assembly/host";
import { mend } from "./mend";
import { noneUnnamed } from "./verify";

export { abort, cabi_realloc } from "../../../guest-sdk/assemblyscript/assembly/host";

export function apply(from: usize): usize {
  return transform(mend, from);
}

export function verify(
  tx: u32, a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32, i: u32, j: u32, k: u64, l: u64, m: u32, n: u32,
): usize {
  return migrate(noneUnnamed, tx, context(a, b, c, d, e, f, g, h, i, j, k, l, m, n));
}
