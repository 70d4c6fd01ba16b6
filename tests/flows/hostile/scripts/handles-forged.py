def up(db):
    db.execute("UPDATE customer SET age = 1")
    cursor = db.cursor("SELECT 1")
    savepoint = db.savepoint()
    done = []
    for number in [0, 1, 2, -1, 10 ** 6, 2 ** 31, 2 ** 32, 2 ** 63, 2 ** 64, 10 ** 100, None, "0", 0.5, [], cursor]:
        cursor._number = number
        savepoint._number = number
        for attempt in [lambda: cursor.fetch(10 ** 30), lambda: cursor.fetch(-1), cursor.close, cursor.fetch,
                        lambda: savepoint.__exit__(None, None, None), lambda: savepoint.__exit__(1, 1, 1)]:
            try:
                attempt()
            except Exception:
                pass
    raise ValueError("still here")
