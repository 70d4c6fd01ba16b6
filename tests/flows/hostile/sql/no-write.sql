INSERT INTO customer (name) VALUES ('Eve')
INSERT OR REPLACE INTO acme_points SELECT 1, 2 FROM orders
REPLACE INTO customer (id, name) VALUES (1, 'Eve')
UPDATE customer SET secret = ''
UPDATE customer SET age = 1, secret = 'x'
UPDATE customer SET (age, secret) = (1, 'x')
UPDATE OR IGNORE customer SET id = 7
UPDATE customer SET age = 1 RETURNING secret
DELETE FROM customer
DELETE FROM customer WHERE id = 1 RETURNING *
INSERT INTO customer (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET secret = 'x'
WITH x AS (SELECT 1) DELETE FROM orders
EXPLAIN DELETE FROM orders
DROP TABLE orders
DROP TABLE IF EXISTS customer
DROP INDEX customer_secret
DROP VIEW secrets
DROP TRIGGER customer_renamed
ALTER TABLE customer RENAME TO acme_customer
ALTER TABLE customer ADD COLUMN acme TEXT
ALTER TABLE customer DROP COLUMN secret
ALTER TABLE customer RENAME COLUMN secret TO public
CREATE INDEX acme_i ON customer (secret)
CREATE UNIQUE INDEX acme_i ON customer (age) WHERE secret > 'a'
CREATE TABLE stolen (x)
CREATE TABLE "acme" (x)
CREATE TRIGGER acme_t AFTER INSERT ON customer BEGIN SELECT 1; END
CREATE VIEW acme_v AS SELECT 1
CREATE VIEW customers AS SELECT 1
