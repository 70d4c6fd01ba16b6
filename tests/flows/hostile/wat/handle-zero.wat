(func $attack (param $db i32) (call $run (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64)))
