;; Takes page after page, and writes into each.
(func $attack (param $db i32) (local $page i32)
    (loop $again
        (local.set $page (memory.grow (i32.const 16)))
        (if (i32.eq (local.get $page) (i32.const -1)) (then (return)))
        (i32.store (i32.mul (local.get $page) (i32.const 65536)) (i32.const 1))
        (br $again)))
