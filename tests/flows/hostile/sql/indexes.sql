REINDEX
REINDEX customer
REINDEX customer_secret
ANALYZE
ANALYZE customer
ANALYZE main
EXPLAIN ANALYZE customer
ANALYZE sqlite_schema
ANALYZE names
ANALYZE main.notes
ANALYZE sqlite_sequence
