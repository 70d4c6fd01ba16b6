// The same as a transform: the host reads and writes.
import { type Context, type Row, type RowOut, transform } from "@whimbrel/guest";
import { cents, email, name, phone } from "./rules.ts";

export { verify } from "./verify.ts";

export function mend(row: Row, out: RowOut, ctx: Context): void {
  const typed = row.textOrNull("email");
  const key = email(typed);
  if (ctx.param("strict") === "yes" && typed !== null && key === null) {
    throw new Error(`customer ${row.bigint("id")}: not an e-mail address: ${typed}`);
  }
  const [first, last] = name(row.textOrNull("full_name"));
  out.row(first, last, key, phone(row.textOrNull("phone")), cents(row.textOrNull("balance")));
}

export const apply = transform(mend);
