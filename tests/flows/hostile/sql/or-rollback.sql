INSERT OR ROLLBACK INTO customer (id, name) VALUES (1, 'again')
