CREATE TABLE customer (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, secret TEXT, age INTEGER, code TEXT UNIQUE,
    shout TEXT AS (upper(secret)), CHECK (age IS NULL OR age <> length(name))
);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, amount INTEGER,
    customer INTEGER REFERENCES customer ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT, at TEXT DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE acme_points (customer INTEGER, points INTEGER DEFAULT 0);
CREATE INDEX customer_secret ON customer (lower(secret));
CREATE VIEW names AS SELECT id, name FROM customer;
CREATE VIEW secrets AS SELECT id, secret FROM customer;
CREATE VIRTUAL TABLE notes USING fts5 (body);
CREATE TRIGGER customer_renamed AFTER UPDATE OF name ON customer BEGIN INSERT INTO audit (text) VALUES (old.name); END;
CREATE TRIGGER names_insert INSTEAD OF INSERT ON names BEGIN INSERT INTO customer (name) VALUES (new.name); END;
INSERT INTO customer (id, name, secret, age) VALUES (1, 'Ada', 'sesame', 36), (2, 'Grace', 'cobol', 85);
INSERT INTO orders VALUES (1, 10, 1), (2, 20, 2);
INSERT INTO notes VALUES ('the quick brown fox');
INSERT INTO acme_points VALUES (1, 5);
CREATE TABLE person (
    id INTEGER PRIMARY KEY, full_name TEXT NOT NULL, first_name TEXT, last_name TEXT, code TEXT UNIQUE, big INTEGER
);
INSERT INTO person (id, full_name) VALUES (1, 'Ada Lovelace');
