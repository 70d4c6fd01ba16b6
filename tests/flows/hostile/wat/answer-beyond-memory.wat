;; Where the host is to put its answer is not the guest's memory.
(data (i32.const 1024) "SELECT 1")
(func $attack (param $db i32)
    (call $execute (local.get $db) (i32.const 1024) (i32.const 8) (i32.const 0) (i32.const 0) (i32.const 0xfffffff8)))
