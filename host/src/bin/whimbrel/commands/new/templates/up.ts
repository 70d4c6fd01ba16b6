/// <reference path="./whimbrel.d.ts" />
// What it may do. Without these lines it may do whatever this chain is given.
// whimbrel: description = "{description}"
// whimbrel: grants = { read = ["sqlite_schema"] }

export function up(db: Database, ctx: Context): void {
  // Replace this by your own, such as:
  //   for (const row of db.query("SELECT id, full_name FROM customer WHERE first_name IS NULL")) {
  //     const [first, ...rest]: string[] = row.full_name.trim().split(/\s+/u);
  //     db.execute("UPDATE customer SET first_name = ?, last_name = ? WHERE id = ?", [first, rest.join(" "), row.id]);
  //   }
  const { tables } = db.query("SELECT count(*) AS tables FROM sqlite_schema WHERE type = 'table'").first()!;
  log.info(`${ctx.name}: ${tables} tables`);
}
