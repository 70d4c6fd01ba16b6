;; Neither ok nor an error.
(data (i32.const 48) "\07")
(func (export "up")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)
    (call $touch (local.get 0))
    (i32.const 48))
