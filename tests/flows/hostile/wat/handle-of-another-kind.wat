;; Uses the transaction as a statement.
(func $attack (param $db i32) (call $run (local.get $db) (i32.const 0) (i32.const 0) (i32.const 64)))
