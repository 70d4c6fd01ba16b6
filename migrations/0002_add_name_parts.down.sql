ALTER TABLE customer DROP COLUMN name_key;
ALTER TABLE customer DROP COLUMN name_suffix;
ALTER TABLE customer DROP COLUMN last_name;
ALTER TABLE customer DROP COLUMN first_name;
