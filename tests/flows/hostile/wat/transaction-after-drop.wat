(data (i32.const 1024) "UPDATE customer SET age = 99")
(func $attack (param $db i32)
    (call $drop_transaction (local.get $db))
    (call $sql (local.get $db) (i32.const 1024) (i32.const 28)))
