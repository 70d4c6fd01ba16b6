(data (i32.const 1024) "SELECT '\ff\fe\80'")
(func $attack (param $db i32) (call $sql (local.get $db) (i32.const 1024) (i32.const 12)))
