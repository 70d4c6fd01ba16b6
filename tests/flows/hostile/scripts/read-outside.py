def up(db):
    db.execute("INSERT INTO acme_points (customer, points) SELECT id, length(secret) FROM customer")
