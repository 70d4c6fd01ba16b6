def up(db):
    db.execute("UPDATE customer SET age = 1")
    try:
        db.executemany("INSERT INTO audit (text) VALUES (?)", [["x" * 100000000]])
    except Exception:
        pass
