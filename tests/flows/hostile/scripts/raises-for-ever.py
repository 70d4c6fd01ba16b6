def up(db):
    db.execute("UPDATE customer SET age = 1")
    last = ValueError("first")
    for number in range(100000):
        try:
            raise ValueError("x" * 100) from last
        except ValueError as error:
            last = error
    raise last
