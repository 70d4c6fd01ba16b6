ALTER TABLE customer ADD COLUMN first_name TEXT;
ALTER TABLE customer ADD COLUMN last_name TEXT;
ALTER TABLE customer ADD COLUMN name_suffix TEXT;
-- Without case and accents, to search and sort by.
ALTER TABLE customer ADD COLUMN name_key TEXT;
