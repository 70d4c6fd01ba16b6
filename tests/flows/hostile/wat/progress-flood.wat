(func $attack (param $db i32)
    (loop $again (call $progress (i64.const -1) (i32.const 1) (i64.const 0)) (br $again)))
