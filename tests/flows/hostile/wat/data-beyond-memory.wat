(memory $small 1)
(data (memory $small) (i32.const 65530) "longer than what is left")
(func $attack (param $db i32))
