def up(db):
    db.execute("UPDATE customer SET age = 1")
    for _ in range(1000):
        try:
            db.execute("SELECT 1")
        except Exception:
            pass
