def up(db):
    db.execute("UPDATE customer SET age = 1")
    number = 3
    while True:
        number = number * number
