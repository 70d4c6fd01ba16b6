(table $functions 1 funcref)
(func $attack (param $db i32) (call_indirect $functions (i32.const 12345)))
