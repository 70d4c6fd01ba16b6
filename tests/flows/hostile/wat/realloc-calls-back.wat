;; The host asks for memory in the middle of a call, and the guest calls the host.
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (call $log (i32.const 2) (i32.const 1024) (i32.const 5))
    (i32.const 131072))
(func $attack (param $db i32))
