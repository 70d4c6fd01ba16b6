import { migration, type Transaction, type Value } from "@whimbrel/guest";

const WRITE = "INSERT INTO person_name (first_name, last_name, name_key, id) VALUES (?, ?, ?, ?)";

function each(tx: Transaction, write: (...params: Value[]) => unknown): void {
  for (const row of tx.query("SELECT id, full_name FROM person ORDER BY id")) {
    const full = row.text("full_name");
    const cut = full.lastIndexOf(" ");
    const first = cut < 0 ? "" : full.slice(0, cut);
    const last = full.slice(cut + 1);
    write(first, last, `${last} ${first}`, row.integer("id"));
  }
}

export const up = migration((tx, ctx) => {
  const form = ctx.param("form");
  if (form === "trivial") {
    tx.execute("CREATE TABLE trivial (id INTEGER PRIMARY KEY)");
    return;
  }
  const statement = tx.prepare(WRITE);
  if (form === "packed") statement.writer((writer) => each(tx, writer.row.bind(writer)));
  else if (form === "row-wise") each(tx, statement.execute.bind(statement));
  else throw new Error(`unknown form ${form}`);
});
