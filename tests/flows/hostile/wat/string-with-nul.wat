;; What comes behind a NUL must not be another statement, and must not be lost either.
(data (i32.const 1024) "SELECT 1\00; DELETE FROM orders")
(func $attack (param $db i32)
    (call $sql (local.get $db) (i32.const 1024) (i32.const 29))
    (call $failed)
    (unreachable))
