;; Address and length together wrap around 32 bits.
(func $attack (param $db i32) (call $sql (local.get $db) (i32.const 0xffffff00) (i32.const 0x200)))
