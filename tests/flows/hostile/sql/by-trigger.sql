UPDATE customer SET name = 'Eve'
UPDATE customer SET name = name WHERE 0
INSERT INTO names (name) VALUES ('Eve')
