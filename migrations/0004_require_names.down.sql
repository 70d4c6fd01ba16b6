-- whimbrel: rebuild
CREATE TABLE customer_old (
    id INTEGER PRIMARY KEY,
    full_name TEXT,   -- as typed; see 0003
    phone TEXT,       -- as typed; see 0005
    country TEXT,
    settings BLOB,    -- of the old program; see 0007
    first_name TEXT,
    last_name TEXT,
    name_suffix TEXT,
    name_key TEXT
);

INSERT INTO customer_old (id, full_name, phone, country, settings, first_name, last_name, name_suffix, name_key)
SELECT
    customer.id, full_name, phone, coalesce(typed.country, customer.country), settings,
    first_name, last_name, name_suffix, name_key
FROM customer LEFT JOIN customer_country_typed AS typed ON typed.customer_id = customer.id;

DROP TABLE customer_country_typed;
DROP TABLE customer;
ALTER TABLE customer_old RENAME TO customer;
