;; Asks for as many rows as can be written down, of 80 MB each.
(data (i32.const 1024) "SELECT hex(zeroblob(40000000)) UNION ALL SELECT hex(zeroblob(40000001))")
(func $attack (param $db i32)
    (call $query (local.get $db) (i32.const 1024) (i32.const 71) (i32.const 0) (i32.const 0) (i32.const 64))
    (call $next (i32.load (i32.const 68)) (i32.const -1) (i32.const 128)))
