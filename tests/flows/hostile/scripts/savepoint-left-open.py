def up(db):
    db.execute("UPDATE customer SET age = 1")
    db.savepoint().__enter__()
