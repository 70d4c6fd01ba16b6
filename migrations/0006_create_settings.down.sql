DROP TABLE customer_setting_reject;
DROP TABLE customer_setting;
