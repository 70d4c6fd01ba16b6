// Whether every name that somebody typed was split; asked after the work, and by `whimbrel verify --deep`.
import { Context, Tx } from "../../../guest-sdk/assemblyscript/assembly";

const UNNAMED =
  "SELECT count(*) AS unnamed FROM customer WHERE first_name IS NULL AND last_name IS NULL " +
  "AND trim(full_name, ' ,' || char(9, 10, 13, 160)) <> ''";

export function noneUnnamed(tx: Tx, ctx: Context): void {
  const rows = tx.query(UNNAMED);
  for (let row = rows.next(); row !== null; row = rows.next()) {
    const unnamed = row.integer("unnamed");
    if (unnamed > 0) tx.fail(unnamed.toString() + " customers lost their name");
  }
  rows.close();
}
