+ CREATE TRIGGER acme_t AFTER INSERT ON acme_points BEGIN UPDATE acme_points SET points = points + 1; END
+ CREATE TRIGGER acme_u AFTER UPDATE ON acme_points BEGIN INSERT INTO acme_points VALUES (new.points, 0); END
INSERT INTO acme_points WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i, i FROM n
