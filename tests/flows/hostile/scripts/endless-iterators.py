import itertools

def up(db):
    db.execute("UPDATE customer SET age = 1")
    sum(range(10 ** 18))
    all(itertools.repeat(1))
