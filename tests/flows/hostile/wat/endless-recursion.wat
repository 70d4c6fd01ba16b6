(func $deeper (param $n i64) (result i64) (i64.add (i64.const 1) (call $deeper (i64.add (local.get $n) (i64.const 1)))))
(func $attack (param $db i32) (drop (call $deeper (i64.const 0))))
