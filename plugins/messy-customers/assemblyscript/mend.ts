// The transform of one customer.
import { Cell } from "../../../guest-sdk/assemblyscript/assembly/packed";
import { Context, Row, RowOut } from "../../../guest-sdk/assemblyscript/assembly/rows";
import { cents, email, name, phone } from "./rules";

export function mend(row: Row, out: RowOut, ctx: Context): void {
  const typed = row.textOrNull("email");
  const key = email(typed);
  const strict = ctx.param("strict");
  if (strict !== null && strict == "yes" && typed !== null && key === null) {
    out.reject("customer " + row.integer("id").toString() + ": not an e-mail address: " + typed);
  }
  const both = name(row.textOrNull("full_name"));
  out.row([
    Cell.text(both.first),
    Cell.text(both.last),
    Cell.text(key),
    Cell.text(phone(row.textOrNull("phone"))),
    cents(row.textOrNull("balance")),
  ]);
}
