(memory $large 65536)
(func $attack (param $db i32))
