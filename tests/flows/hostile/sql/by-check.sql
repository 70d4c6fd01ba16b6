UPDATE customer SET age = 3
UPDATE customer SET age = age + 1
