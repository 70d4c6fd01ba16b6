;; The host asks the guest for memory, and is told to write beyond it.
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0xfffffff0))
(func $attack (param $db i32))
