(data (i32.const 1024) "SELECT 1")
(func $attack (param $db i32)
    (loop $again
        (call $prepare (local.get $db) (i32.const 1024) (i32.const 8) (i32.const 64))
        (br_if $again (i32.eqz (i32.load8_u (i32.const 64))))))
