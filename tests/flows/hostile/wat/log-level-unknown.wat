(func $attack (param $db i32) (call $log (i32.const 99) (i32.const 1024) (i32.const 5)))
