CREATE TEMP TABLE acme_t (x)
CREATE TEMPORARY TABLE customer (id, name)
CREATE TABLE temp.customer (id, name)
CREATE TEMP TABLE acme_t AS SELECT * FROM customer
CREATE TEMP VIEW customer AS SELECT 1 AS id
CREATE VIEW temp.names AS SELECT 1
CREATE TEMP TRIGGER acme_t AFTER INSERT ON customer BEGIN DELETE FROM orders; END
CREATE TRIGGER temp.acme_t AFTER INSERT ON main.customer BEGIN DELETE FROM orders; END
CREATE INDEX temp.acme_i ON customer (name)
CREATE VIRTUAL TABLE temp.acme_f USING fts5 (x)
