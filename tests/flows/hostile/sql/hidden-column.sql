SELECT secret FROM customer
SELECT * FROM customer
SELECT "secret" FROM main.customer AS c
SELECT id FROM customer WHERE secret = 'sesame'
SELECT id FROM customer WHERE secret IS NOT NULL
SELECT id FROM customer ORDER BY secret
SELECT id FROM customer ORDER BY lower(secret)
SELECT count(*) FROM customer GROUP BY secret
SELECT max(id) FROM customer HAVING max(secret) > 'a'
SELECT count(*) FILTER (WHERE secret > 'a') FROM customer
SELECT row_number() OVER (ORDER BY secret) FROM customer
SELECT sum(id) OVER (PARTITION BY secret) FROM customer
SELECT id FROM customer WHERE (id, secret) > (1, 'a')
SELECT id FROM customer LIMIT (SELECT length(secret) FROM customer)
SELECT CASE WHEN id = 1 THEN secret END FROM customer
SELECT (SELECT secret FROM customer LIMIT 1)
SELECT 'sesame' IN (SELECT secret FROM customer)
SELECT EXISTS (SELECT 1 FROM customer WHERE secret LIKE 's%')
WITH c AS (SELECT * FROM customer) SELECT id FROM c
WITH c AS NOT MATERIALIZED (SELECT secret AS s FROM customer) SELECT count(s) FROM c
SELECT a.id FROM customer AS a JOIN customer AS b USING (secret)
SELECT a.id FROM customer AS a NATURAL JOIN customer AS b
SELECT a.id FROM customer AS a JOIN acme_points AS p ON a.secret = p.points
SELECT id FROM customer UNION SELECT secret FROM customer
SELECT id FROM customer EXCEPT SELECT secret FROM customer
SELECT json_group_array(secret) FROM customer
SELECT value FROM customer, json_each('["' || secret || '"]')
SELECT shout FROM customer
SELECT secret FROM secrets
SELECT id FROM secrets
INSERT INTO acme_points SELECT id, secret FROM customer
INSERT INTO acme_points VALUES ((SELECT secret FROM customer), 1)
INSERT INTO acme_points VALUES (1, 1) RETURNING (SELECT secret FROM customer)
UPDATE acme_points SET points = (SELECT secret FROM customer)
UPDATE acme_points SET points = c.secret FROM customer AS c
UPDATE acme_points SET points = 1 WHERE (SELECT secret FROM customer) = 'sesame'
DELETE FROM acme_points WHERE points IN (SELECT length(secret) FROM customer)
CREATE TABLE acme_copy AS SELECT * FROM customer
CREATE TABLE acme_copy AS SELECT shout FROM customer
EXPLAIN SELECT secret FROM customer
EXPLAIN QUERY PLAN SELECT id FROM customer WHERE secret = 'x'
