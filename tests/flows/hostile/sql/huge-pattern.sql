SELECT name LIKE replace(hex(zeroblob(100000)), '0', '%a') FROM customer
