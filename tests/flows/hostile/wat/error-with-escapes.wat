;; An error message that would clear the screen, ring the bell and write its own line.
(data (i32.const 1024) "\1b[2J\1b]0;owned\07\0d\0aerror: all is well\e2\80\ae")
(data (i32.const 48) "\01\00\00\00\00\04\00\00\25\00\00\00")
(func (export "up")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)
    (call $touch (local.get 0))
    (call $log (i32.const 4) (i32.const 1024) (i32.const 37))
    (i32.const 48))
