;; The host asks the guest for memory, and the guest does not come back.
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (loop $again (br $again)) (unreachable))
(func $attack (param $db i32))
