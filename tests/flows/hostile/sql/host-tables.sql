SELECT * FROM _whimbrel_history
SELECT checksum FROM "_WHIMBREL_HISTORY"
SELECT 1 FROM [_whimbrel_history] AS customer
SELECT count(*) FROM main._whimbrel_history
SELECT (SELECT max(id) FROM `_whimbrel_history`)
SELECT 1 WHERE 'x' IN _whimbrel_history_schema
SELECT name FROM customer UNION SELECT name FROM _whimbrel_history
WITH h AS (SELECT * FROM _whimbrel_history) SELECT count(*) FROM h
WITH _whimbrel_history AS (SELECT 1 AS a) SELECT * FROM main._whimbrel_history
SELECT * FROM customer NATURAL JOIN _whimbrel_history
SELECT 1 FROM _whimbrel_history AS a JOIN _whimbrel_history AS b USING (checksum)
UPDATE customer SET age = h.id FROM _whimbrel_history AS h
DELETE FROM customer WHERE EXISTS (SELECT 1 FROM _whimbrel_history)
INSERT INTO acme_points SELECT id, 1 FROM _whimbrel_history
INSERT INTO acme_points VALUES (1, 1) RETURNING (SELECT checksum FROM _whimbrel_history)
CREATE TABLE acme_copy AS SELECT * FROM _whimbrel_history
CREATE TABLE acme_child (h REFERENCES _whimbrel_history)
CREATE VIEW acme_view AS SELECT * FROM _whimbrel_history
CREATE INDEX acme_i ON _whimbrel_history (checksum)
CREATE TRIGGER acme_t AFTER INSERT ON _whimbrel_history BEGIN SELECT 1; END
CREATE TRIGGER acme_t AFTER INSERT ON acme_points BEGIN DELETE FROM _whimbrel_history; END
CREATE TRIGGER acme_t AFTER INSERT ON acme_points BEGIN SELECT checksum FROM _whimbrel_history; END
ALTER TABLE _whimbrel_history ADD COLUMN x
ALTER TABLE _whimbrel_history RENAME TO acme_mine
ALTER TABLE acme_points RENAME TO _whimbrel_history_rejects
DROP TABLE IF EXISTS _whimbrel_history_schema
UPDATE OR REPLACE _whimbrel_history SET version = '99'
INSERT INTO _whimbrel_history (version) VALUES ('99')
DELETE FROM _whimbrel_history
EXPLAIN DELETE FROM _whimbrel_history
