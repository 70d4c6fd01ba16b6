def up(db):
    db.execute("UPDATE customer SET age = 1")
    raise ValueError("giant" + "\x1b[2J" * 10000000)
