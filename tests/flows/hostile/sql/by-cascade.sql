DELETE FROM customer WHERE id = 1
UPDATE customer SET id = id + 10
