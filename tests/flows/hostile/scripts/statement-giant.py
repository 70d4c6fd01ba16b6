def up(db):
    db.execute("UPDATE customer SET age = 1")
    try:
        db.execute("SELECT '" + "x" * 5000000 + "'")
    except Exception:
        pass
