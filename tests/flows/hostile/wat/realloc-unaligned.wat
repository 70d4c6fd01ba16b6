(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 131073))
(data (i32.const 1024) "no such statement")
(func $attack (param $db i32) (call $sql (local.get $db) (i32.const 1024) (i32.const 17)))
