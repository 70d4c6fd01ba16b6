SELECT body FROM notes WHERE notes MATCH replace(hex(zeroblob(5000)), '0', '(')
SELECT body FROM notes WHERE notes MATCH replace(hex(zeroblob(5000)), '0', 'a NOT (') || 'b'
INSERT INTO notes (notes) VALUES ('no such command')
