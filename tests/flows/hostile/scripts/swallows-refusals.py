FORBIDDEN = [
    "UPDATE customer SET secret = 'mine'", "DELETE FROM orders", "SELECT secret FROM customer", "SELECT shout FROM customer",
    "SELECT secret, random() FROM customer", "DROP TABLE audit", "COMMIT", "ROLLBACK", "BEGIN", "SAVEPOINT x", "VACUUM",
    "ATTACH ':memory:' AS x", "PRAGMA writable_schema = 1", "CREATE TEMP TABLE t (x)", "DELETE FROM _whimbrel_history",
    "CREATE TRIGGER t AFTER INSERT ON acme_points BEGIN DELETE FROM customer; END",
]

def up(db):
    db.execute("UPDATE acme_points SET points = 9")
    for sql in FORBIDDEN:
        for attempt in [db.execute, db.query, db.first, db.cursor]:
            try:
                attempt(sql)
            except PermissionError:
                continue
            raise ValueError(f"it was done: {sql}")
        try:
            db.executemany(sql, [[1]])
            raise ValueError(f"it was done: {sql}")
        except PermissionError:
            pass
    db.execute(FORBIDDEN[0])
