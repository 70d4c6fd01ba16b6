(func $attack (param $db i32) (call $open_savepoint (local.get $db) (i32.const 64)))
