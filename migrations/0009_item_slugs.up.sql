-- whimbrel: description = names items in addresses
-- whimbrel: functions = text_tools
ALTER TABLE purchase ADD COLUMN slug TEXT;
UPDATE purchase SET slug = slug(item);
CREATE INDEX purchase_by_slug ON purchase (slug);
