(data (i32.const 1024) "SELECT 1")
(func $attack (param $db i32) (call $sql (i32.const 7777) (i32.const 1024) (i32.const 8)))
