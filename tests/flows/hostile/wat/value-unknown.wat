;; A parameter of a kind that there is not.
(data (i32.const 1024) "SELECT ?")
(data (i32.const 4096) "\7f")
(func $attack (param $db i32)
    (call $execute (local.get $db) (i32.const 1024) (i32.const 8) (i32.const 4096) (i32.const 1) (i32.const 64)))
