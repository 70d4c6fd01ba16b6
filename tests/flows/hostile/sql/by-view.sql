SELECT secret FROM secrets
SELECT s.secret FROM secrets AS s WHERE id = 1
