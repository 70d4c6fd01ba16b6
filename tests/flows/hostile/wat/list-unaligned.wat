(data (i32.const 1024) "SELECT 1")
(func $attack (param $db i32)
    (call $execute (local.get $db) (i32.const 1024) (i32.const 8) (i32.const 4097) (i32.const 1) (i32.const 64)))
