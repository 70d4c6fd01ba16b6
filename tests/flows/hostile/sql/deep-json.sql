SELECT json(replace(hex(zeroblob(100000)), '0', '['))
SELECT json_extract(replace(hex(zeroblob(2000)), '0', '{"a":'), '$.a.a.a')
SELECT jsonb(replace(hex(zeroblob(100000)), '0', '['))
