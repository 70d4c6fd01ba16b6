;; Eight million parameters, all of them there.
(data (i32.const 1024) "SELECT 1")
(func $attack (param $db i32)
    (drop (memory.grow (i32.const 3200)))
    (call $execute (local.get $db) (i32.const 1024) (i32.const 8) (i32.const 4096) (i32.const 8000000) (i32.const 64)))
