DROP INDEX purchase_by_slug;
ALTER TABLE purchase DROP COLUMN slug;
