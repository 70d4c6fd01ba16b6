// The same as a transform: the host reads and writes.
import { transform } from "@whimbrel/guest";
import { cents, email, name, phone } from "./rules.js";

export { verify } from "./verify.js";

export function mend(row, out, ctx) {
  const typed = row.textOrNull("email");
  const key = email(typed);
  if (ctx.param("strict") === "yes" && typed !== null && key === null) {
    throw new Error(`customer ${row.bigint("id")}: not an e-mail address: ${typed}`);
  }
  const [first, last] = name(row.textOrNull("full_name"));
  out.row(first, last, key, phone(row.textOrNull("phone")), cents(row.textOrNull("balance")));
}

export const apply = transform(mend);
