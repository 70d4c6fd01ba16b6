DROP VIEW customer_overview;
DROP INDEX purchase_by_customer;
