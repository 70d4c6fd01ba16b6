INSERT INTO customer (name, secret) VALUES (zeroblob(120000000), zeroblob(120000000))
