SELECT 1; COMMIT
SELECT 1; DROP TABLE customer
SELECT 1;; DROP TABLE customer; --
UPDATE acme_points SET points = 1; UPDATE customer SET secret = ''
