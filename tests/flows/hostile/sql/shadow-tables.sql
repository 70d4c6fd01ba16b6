DELETE FROM notes_data
UPDATE notes_config SET v = 0
INSERT INTO notes_content VALUES (9, 'planted')
DROP TABLE notes_idx
ALTER TABLE notes_docsize RENAME TO acme_docsize
CREATE TRIGGER acme_t AFTER INSERT ON notes_content BEGIN SELECT 1; END
CREATE INDEX acme_i ON notes_content (c0)
