CREATE TABLE customer_setting (
    customer_id INTEGER NOT NULL REFERENCES customer (id),
    name TEXT NOT NULL,
    position INTEGER NOT NULL DEFAULT 0,   -- in a list
    value ANY NOT NULL,
    PRIMARY KEY (customer_id, name, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE customer_setting_reject (
    customer_id INTEGER PRIMARY KEY REFERENCES customer (id),
    reason TEXT NOT NULL
) STRICT;

CREATE TRIGGER customer_setting_has_a_name BEFORE INSERT ON customer_setting WHEN new.name = ''
BEGIN
    SELECT raise(ABORT, 'a setting needs a name; this one has none');
END;
