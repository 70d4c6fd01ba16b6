def up(db):
    db.execute("UPDATE customer SET age = 1")
    raise SystemExit("0")
