-- whimbrel: description = customers as an old program left them
CREATE TABLE customer (
    id INTEGER PRIMARY KEY,
    full_name TEXT,   -- as typed; see 0003
    phone TEXT,       -- as typed; see 0005
    country TEXT,
    settings BLOB     -- of the old program; see 0007
);

CREATE TABLE purchase (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    item TEXT NOT NULL,
    cents INTEGER NOT NULL
);

INSERT INTO customer (id, full_name, phone, country, settings) VALUES
    (1, 'Ada Lovelace', '+44 20 7946 0018', 'GB', x'535447010104046461726b020402656e0302010e04010101050504c04b8a4f0703040000403f5bfafd4c'),
    (2, 'GRACE BREWSTER HOPPER', '(212) 555-0143 x9', 'US', NULL),
    (3, 'vincent van gogh', '020 123 4567', 'NL', x'535447010104056c696768740204026e6c06061274756c6970730073756e666c6f7765727300dcfc6ae9'),
    (4, 'Lovelace, Augusta Ada King', '020 7946 0018 / 020 7946 0019', 'gb', NULL),
    (5, 'María de la Cruz y Montoya', '612 345 678', 'ES', x'5354470202040465007300080412a10048006f006c006100210020003dd84bdc04010100cae068d5'),
    (6, 'O''NEILL, MARY-KATE', '(0) 1 555 0143', 'IE', NULL),
    (7, 'Dr. Jürgen Groß', '089/123456-78', 'DE', x'5354470108041e4772fcdf6520617573204dfc6e6368656e209620352080205261626174740302022c0175774a0d'),
    (8, 'JOSÉ ORTEGA Y GASSET', '+34 (0)91 123 45 67', 'ES', NULL),
    (9, '山田太郎', '０３－１２３４－５６７８', 'JP', x'535447020204046a00610008040a533093306b3061306f300505047dbf5d58697b66f9'),
    (10, '田中　角栄', '03-1234-5678; 090 1234 5678', 'JP', NULL),
    (11, '王小明', '010 6552 9988', 'CN', NULL),
    (12, '欧阳修远', '+86 10 6552 9988', 'CN', x'53544702ac024d04deadbeef01040a73006500700069006100387c4136'),
    (13, '김민준', '02-312-3456', 'KR', NULL),
    (14, '남궁 민수', '+82 (0)2 312 3456', 'KR', NULL),
    (15, 'Nguyễn Thị Minh Khai', '091 234 56 78', 'VN', x'5354470104010101060600fc2065a4'),
    (16, 'Harun al-Rashid', '٠١٠ ١٢٣٤ ٥٦٧٨', 'EG', NULL),
    (17, 'Khalid bin Walid', '+966 50 123 4567', 'SA', NULL),
    (18, 'Leonardo da Vinci', '055 123 4567', 'IT', x'535447010104044461726b0302010c6c39b668'),
    (19, 'Sukarno', 'call the office', 'ID', NULL),
    (20, 'Björk Guðmundsdóttir', '551 2345', 'IS', NULL),
    (21, 'İBRAHİM IŞIK', '0532 123 45 67', 'TR', x'535447020703089a9999999999b93f020404740072007a6d5c5d'),
    (22, 'ΓΙΏΡΓΟΣ ΣΕΦΈΡΗΣ', '210 123 4567', 'GR', NULL),
    (23, 'лев николаевич толстой', '8 (495) 123-45-67', 'RU', NULL),
    (24, 'Martin Luther King, Jr.', '1-800-FLOWERS', 'US', x'00'),
    (25, 'John Smith III', '011 44 20 7946 0018', 'US', NULL),
    (26, 'Ludwig Mies van der Rohe', '030 12345-67 Durchwahl 8', 'DE', NULL),
    (27, 'Renée O’Connor', '01 23 45 67 89', 'FR', x'535447010505047dbf9f270204026672b456ab66'),
    (28, 'ジョン・スミス', '+81 3 1234 5678', 'JP', NULL),
    (29, '  Zoë   Kravitz ', '555-0143', 'US', NULL),
    (30, '佐々木蔵之介', '０９０ー１２３４ー５６７８', 'JP', x'53544702060608715c0000dd5d0000030208010000000000200065970a3c'),
    (31, 'Prof. Dr. MAX PLANCK', 'n/a', 'DE', NULL),
    (32, 'e. e. cummings', '617.555.0199', 'US', NULL),
    (33, 'Fatima al-Fihriya', '', 'EG', NULL),
    (34, 'Søren Kierkegaard', '33 12 34 56', 'DK', NULL),
    (35, 'Łukasz Wiśniewski', '22 123 45 67', 'PL', NULL),
    (36, 'Siobhán Ní Dhuibhir', '+353 1 555 0143', 'IE', NULL),
    (37, 'DE LA CRUZ, JUANA INÉS', '55 1234 5678', 'MX', NULL),
    (38, 'Wolfgang Amadeus Mozart', '0662 123456', 'AT', NULL),
    (39, 'Priya Krishnamurthy', '98765 43210', 'IN', NULL),
    (40, 'Ronald MCDONALD', NULL, 'US', NULL);

-- Three purchases for every customer, always the same ones.
INSERT INTO purchase (customer_id, item, cents)
SELECT customer.id, item.name, 100 + (customer.id * 37 + item.number * 211) % 9900
FROM customer, (SELECT 1 AS number, 'field guide' AS name UNION ALL SELECT 2, 'binoculars' UNION ALL SELECT 3, 'tea; black') AS item
ORDER BY customer.id, item.number;
