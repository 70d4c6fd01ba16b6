// Row by row: reads all customers, writes what the rules make of them.
import { log, migration } from "@whimbrel/guest";
import { cents, email, name, phone } from "./rules.js";

export { verify } from "./verify.js";

export const up = migration((tx, ctx) => {
  const strict = ctx.param("strict") === "yes";
  const update = tx.prepare(
    "UPDATE customer SET first_name = ?, last_name = ?, email_key = ?, phone_key = ?, cents = ? WHERE id = ?",
  );
  const changed = update.writer((writer) => {
    for (const row of tx.query("SELECT id, full_name, email, phone, balance FROM customer ORDER BY id")) {
      const id = row.bigint("id");
      const typed = row.textOrNull("email");
      const key = email(typed);
      if (strict && typed !== null && key === null) throw new Error(`customer ${id}: not an e-mail address: ${typed}`);
      const [first, last] = name(row.textOrNull("full_name"));
      writer.row(first, last, key, phone(row.textOrNull("phone")), cents(row.textOrNull("balance")), id);
    }
  });
  log.info(`mended ${changed} customers`);
});

export const down = migration((tx) => {
  tx.execute(
    "UPDATE customer SET first_name = NULL, last_name = NULL, email_key = NULL, phone_key = NULL, cents = NULL",
  );
});
