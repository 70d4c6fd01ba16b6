def up(db):
    db.execute("UPDATE customer SET age = 1")
    try:
        while True:
            db.savepoint().__enter__()
    except RuntimeError:
        pass
