UPDATE sqlite_schema SET sql = 'CREATE TABLE customer (x)' WHERE name = 'customer'
UPDATE sqlite_master SET rootpage = 2
DELETE FROM main.sqlite_schema
INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 2, 'CREATE TABLE x (y)')
REPLACE INTO "sqlite_master" SELECT * FROM sqlite_schema
DROP TABLE sqlite_sequence
ALTER TABLE sqlite_sequence RENAME TO acme_x
CREATE TABLE sqlite_mine (x)
CREATE INDEX acme_i ON sqlite_schema (name)
CREATE TRIGGER acme_t AFTER INSERT ON sqlite_schema BEGIN SELECT 1; END
