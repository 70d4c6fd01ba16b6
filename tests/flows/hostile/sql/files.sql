SELECT readfile('/etc/passwd')
SELECT writefile('stolen', secret) FROM customer
SELECT edit('x')
SELECT * FROM fsdir('/')
SELECT * FROM zipfile('app.zip')
SELECT shell('id')
SELECT eval('COMMIT')
SELECT * FROM sqlite_dbpage
SELECT * FROM sqlite_stmt
SELECT * FROM completion('SEL')
