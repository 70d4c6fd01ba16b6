(func $attack (param $db i32)
    (loop $again
        (call $open_savepoint (local.get $db) (i32.const 64))
        (br_if $again (i32.eqz (i32.load8_u (i32.const 64))))))
