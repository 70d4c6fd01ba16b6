ATTACH ':memory:' AS other
ATTACH '' AS other
ATTACH 'file:app.db?mode=rw' AS other
attach database 'stolen' || '.db' as other
ATTACH (SELECT name FROM customer) AS other
ATTACH 'app.db' AS other KEY 'x'
DETACH main
DETACH DATABASE temp
