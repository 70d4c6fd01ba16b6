;; An error message of 160 MB.
(data (i32.const 48) "\01\00\00\00\00\04\00\00\00\68\89\09")
(func (export "up")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)
    (call $touch (local.get 0))
    (drop (memory.grow (i32.const 3200)))
    (i32.const 48))
