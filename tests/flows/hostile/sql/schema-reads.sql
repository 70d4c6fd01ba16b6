SELECT sql FROM sqlite_schema
SELECT name FROM sqlite_master
SELECT * FROM main.sqlite_schema
SELECT name FROM sqlite_temp_schema
SELECT seq FROM sqlite_sequence
SELECT * FROM dbstat
SELECT name FROM dbstat('main', 1)
PRAGMA table_list
SELECT name FROM pragma_table_list
PRAGMA table_info(customer)
PRAGMA index_xinfo(customer_secret)
PRAGMA foreign_key_check
SELECT * FROM pragma_foreign_key_list('orders')
