def up(db):
    db.execute("UPDATE customer SET age = 1")
    def deeper(n):
        return deeper(n + 1) + 1
    deeper(0)
