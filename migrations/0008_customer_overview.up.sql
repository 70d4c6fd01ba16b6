CREATE INDEX purchase_by_customer ON purchase (customer_id);

CREATE VIEW customer_overview AS
SELECT
    customer.id,
    trim(coalesce(first_name, '') || ' ' || last_name || coalesce(' ' || name_suffix, '')) AS name,
    country,
    (
        SELECT group_concat(e164, ', ')
        FROM (SELECT e164 FROM customer_phone WHERE customer_id = customer.id ORDER BY position)
    ) AS phones,
    (SELECT value FROM customer_setting WHERE customer_id = customer.id AND name = 'language' AND position = 0) AS language,
    (SELECT sum(cents) FROM purchase WHERE customer_id = customer.id) AS spent_cents
FROM customer
ORDER BY name_key;
