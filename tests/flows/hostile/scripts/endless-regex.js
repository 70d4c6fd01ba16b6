export function up(db) {
  db.execute("UPDATE customer SET age = 1");
  for (let n = 10; ; n++) /^(a+)+$/.test("a".repeat(n) + "!");
}
