;; A hundred thousand lines, of which the host keeps the first; then the guest fails, so that nothing stays.
(data (i32.const 1024) "all work and no play")
(func $attack (param $db i32) (local $lines i32)
    (loop $again
        (call $log (i32.const 2) (i32.const 1024) (i32.const 20))
        (local.set $lines (i32.add (local.get $lines) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $lines) (i32.const 100000))))
    (unreachable))
