(table $wide 9000000 funcref)
(func $attack (param $db i32))
