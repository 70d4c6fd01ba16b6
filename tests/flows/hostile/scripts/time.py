import time

def up(db):
    db.execute("UPDATE customer SET age = 1")
    time.sleep(1000000000)
    while True:
        pass
