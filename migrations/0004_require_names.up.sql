-- whimbrel: description = a customer has a last name and a country
-- whimbrel: rebuild
-- SQLite cannot add a constraint to a table, so the table is built anew. With foreign keys enforced, dropping the old
-- one would delete all purchases.
CREATE TABLE customer_new (
    id INTEGER PRIMARY KEY,
    full_name TEXT NOT NULL,
    first_name TEXT,
    last_name TEXT NOT NULL CHECK (last_name <> ''),
    name_suffix TEXT,
    name_key TEXT NOT NULL,
    phone TEXT,
    country TEXT NOT NULL CHECK (country = upper(country) AND length(country) = 2),
    settings BLOB
) STRICT;

-- Countries as they were typed, where they are put right below: so the way down can bring them back.
CREATE TABLE customer_country_typed (
    customer_id INTEGER PRIMARY KEY REFERENCES customer (id) ON DELETE CASCADE,
    country TEXT NOT NULL
) STRICT;

INSERT INTO customer_country_typed (customer_id, country)
SELECT id, country FROM customer WHERE country <> upper(trim(country));

INSERT INTO customer_new (id, full_name, first_name, last_name, name_suffix, name_key, phone, country, settings)
SELECT id, full_name, first_name, last_name, name_suffix, name_key, phone, upper(trim(country)), settings FROM customer;

DROP TABLE customer;
ALTER TABLE customer_new RENAME TO customer;
CREATE INDEX customer_by_name ON customer (name_key);
