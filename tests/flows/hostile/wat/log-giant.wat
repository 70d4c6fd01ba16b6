(func $attack (param $db i32)
    (drop (memory.grow (i32.const 3200)))
    (call $log (i32.const 2) (i32.const 1024) (i32.const 200000000)))
