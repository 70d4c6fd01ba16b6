SELECT load_extension('x')
SELECT "load_extension"('x', 'y')
SELECT LOAD_EXTENSION(name) FROM customer
SELECT fts3_tokenizer('simple')
SELECT fts3_tokenizer('simple', x'0000000000000000')
CREATE VIRTUAL TABLE acme_v USING fts4 (tokenize=simple)
CREATE VIRTUAL TABLE acme_v USING fts3 (x)
CREATE VIRTUAL TABLE acme_v USING csv (filename = '/etc/passwd')
CREATE VIRTUAL TABLE acme_v USING fts5vocab ('notes', 'row')
CREATE VIRTUAL TABLE acme_v USING dbstat
CREATE VIRTUAL TABLE acme_v USING sqlite_dbpage
CREATE VIRTUAL TABLE acme_v USING geopoly (x)
CREATE VIRTUAL TABLE acme_v USING json_each
