// Whether every name that somebody typed was split; asked after the work, and by `whimbrel verify --deep`.
import { verification } from "@whimbrel/guest";

const UNNAMED =
  "SELECT count(*) AS unnamed FROM customer WHERE first_name IS NULL AND last_name IS NULL " +
  "AND trim(full_name, ' ,' || char(9, 10, 13, 160)) <> ''";

export const verify = verification((tx) => {
  const unnamed = tx.queryRow(UNNAMED).integer("unnamed");
  if (unnamed > 0) throw new Error(`${unnamed} customers lost their name`);
  return true;
});
