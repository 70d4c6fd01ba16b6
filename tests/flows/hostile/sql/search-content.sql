+ CREATE VIRTUAL TABLE acme_f USING fts5 (secret, content='customer', content_rowid='id')
SELECT secret FROM acme_f
