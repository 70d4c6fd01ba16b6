export async function up(db) {
  db.execute("UPDATE customer SET age = 1");
  const again = () => Promise.resolve().then(again);
  await again();
}
