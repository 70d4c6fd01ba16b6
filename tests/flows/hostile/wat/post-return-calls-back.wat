;; Cleaning up after the call, the guest calls the host with a handle it has kept.
(global $kept (mut i32) (i32.const 0))
(data (i32.const 1024) "UPDATE customer SET age = 99")
(func (export "cabi_post_up") (param i32) (call $sql (global.get $kept) (i32.const 1024) (i32.const 28)))
(func $attack (param $db i32) (global.set $kept (local.get $db)))
