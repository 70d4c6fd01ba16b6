(func $attack (param $db i32) (i64.store offset=0xffffffff (i32.const -1) (i64.const 7)))
