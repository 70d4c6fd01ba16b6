export function up(db) {
  db.execute("UPDATE acme_points SET points = 9");
  for (const sql of ["UPDATE customer SET secret = 'mine'", "SELECT secret FROM customer", "SELECT secret, random() FROM customer", "COMMIT",
    "ATTACH ':memory:' AS x", "DELETE FROM _whimbrel_history", "PRAGMA writable_schema = 1"]) {
    for (const attempt of [() => db.execute(sql), () => db.query(sql).all(), () => db.prepare(sql).execute([]), () => db.executeMany(sql, [[1]]),
      () => db.savepoint(() => db.execute(sql))]) {
      try { attempt(); } catch (error) { if (error.code === "denied") continue; throw error; }
      throw new Error(`it was done: ${sql}`);
    }
  }
  db.execute("UPDATE customer SET secret = 'mine'");
}
