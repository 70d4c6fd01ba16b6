;; An error message of 20 MB, which may cross: not all of it is kept.
(data (i32.const 48) "\01\00\00\00\00\04\00\00\00\2d\31\01")
(func (export "up")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)
    (call $touch (local.get 0))
    (drop (memory.grow (i32.const 3200)))
    (i32.const 48))
