SELECT CURRENT_TIMESTAMP
SELECT current_date || current_time
SELECT datetime('now')
SELECT datetime()
SELECT date('NOW', '+1 day')
SELECT strftime('%s', 'now')
SELECT strftime('%J')
SELECT unixepoch('now', 'subsec')
SELECT julianday()
SELECT timediff('now', '2020-01-01')
SELECT time('12:00', 'localtime')
SELECT datetime(0, 'unixepoch', 'utc')
INSERT INTO audit (text) VALUES ('when?')
